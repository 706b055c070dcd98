/*
 * ctl_main.c: one run of gamectl, from the command line to the exit code. Called by main and by
 * tests. Error policy: what the daemon refuses, what is not there and what is late have exit
 * codes of their own; an output that could not be written is an error too.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_options.h"

#define SOCKET_NAME	"control.sock"

/*
 * runtime_dir as gamed.conf has it; as the daemon has it by default where that file cannot be
 * read.
 */
static char *
socket_of_config(void)
{
	struct config_error error;
	struct config *config = config_load(NULL, NULL, &error);
	char *path = NULL;

	if (config == NULL)
		config = config_load("/dev/null", NULL, &error);
	if (config == NULL)
		ctl_fail(CTL_REFUSED, "out of memory");
	path = ctl_format("%s/%s", config->runtime_dir, SOCKET_NAME);
	config_free(config);
	return path;
}

static char *
socket_path(const struct ctl *ctl)
{
	const char *environment = getenv("GAMED_SOCKET");

	if (ctl->value[OPTION_SOCKET].n > 0)
		return ctl_strdup(ctl->value[OPTION_SOCKET].text);
	if (environment != NULL && environment[0] != '\0')
		return ctl_strdup(environment);
	return socket_of_config();
}

static int
run(struct ctl *ctl)
{
	if (ctl->value[OPTION_HELP].n > 0) {
		ctl_help(stdout, ctl->command);
		return CTL_DONE;
	}
	if (ctl->value[OPTION_VERSION].n > 0) {
		printf("gamectl %s\n", GAMED_VERSION);
		return CTL_DONE;
	}
	if (ctl->command == NULL) {
		ctl_help(stderr, NULL);
		return CTL_USAGE;
	}
	ctl->socket = socket_path(ctl);
	enum ctl_exit code = ctl->command->run(ctl);
	ctl_client_free(ctl->client);
	free(ctl->socket);
	return code;
}

/*
 * A standard descriptor that is closed would become the socket's, and what is printed would go to
 * the daemon. What is opened in its place cannot be written: whoever writes is told so.
 */
static void
hold_standard(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDONLY)) != -1 && fd <= STDERR_FILENO)
		continue;
	if (fd != -1)
		close(fd);
}

int
ctl_main(int argc, char **argv)
{
	struct ctl ctl = {0};

	hold_standard();
	/* Characters as the user's terminal has them; numbers stay as they are. */
	setlocale(LC_CTYPE, "");
	cJSON_InitHooks(&(cJSON_Hooks){ctl_alloc, free});
	ctl_options_parse(&ctl, argc, argv);
	int code = run(&ctl);
	ctl_options_free(&ctl);
	if (fflush(stdout) == EOF || ferror(stdout)) {
		ctl_warn("cannot write: %s", strerror(errno));
		return code == CTL_DONE ? CTL_REFUSED : code;
	}
	return code;
}
