/*
 * ctl_shutdown.c: stops the daemon and waits until its master is gone, so that what is done next
 * (a new start, an upgrade of the package) finds nobody there. Called from the table of
 * commands. Error policy: as ctl_call; a master that is still there when the patience ends is a
 * time-out.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/ctl/ctl_call.h"
#include "daemon/ctl/ctl_commands.h"
#include "daemon/ctl/ctl_text.h"

/* A descriptor that tells the master's end, or -1 with errno. */
static int
watch_master(struct ctl *ctl, enum ctl_exit *code)
{
	cJSON *status;

	*code = ctl_call(ctl, "supervisor.status", NULL, &status);
	if (*code != CTL_DONE)
		return -1;
	pid_t pid = (pid_t)ctl_number(status, "pid");
	cJSON_Delete(status);
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static enum ctl_exit
wait_gone(const struct ctl *ctl, int master)
{
	struct pollfd p = {.fd = master, .events = POLLIN};
	int n = poll(&p, 1, (int)ctl->timeout_ms);

	close(master);
	if (n == 1)
		return CTL_DONE;
	ctl_warn("gamed agreed, but is still there after %lld s",
	    (long long)ctl->timeout_ms / 1000);
	return CTL_TIMEOUT;
}

enum ctl_exit
ctl_shutdown(struct ctl *ctl)
{
	cJSON *params = cJSON_CreateObject(), *result;
	enum ctl_exit code;
	int master = watch_master(ctl, &code);

	if (code != CTL_DONE) {
		cJSON_Delete(params);
		return code;
	}
	if (ctl->value[OPTION_END].n > 0)
		cJSON_AddTrueToObject(params, "end");
	code = ctl_call(ctl, "supervisor.shutdown", params, &result);
	if (code != CTL_DONE) {
		close(master);
		return code;
	}
	/* A master of another pid namespace cannot be watched: its word must do. */
	if (master != -1)
		code = wait_gone(ctl, master);
	if (code == CTL_DONE && ctl->json)
		ctl_print_json(cJSON_Duplicate(result, 1));
	if (code == CTL_DONE && !ctl->json)
		printf("gamed has stopped; sessions: %" PRId64 "\n",
		    ctl_number(result, "sessions"));
	cJSON_Delete(result);
	return code;
}
