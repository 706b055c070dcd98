/*
 * main.c: gamed begins here. It decides nothing: options.c reads the settings, master.c runs.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "common/log.h"
#include "daemon/detach.h"
#include "daemon/exit.h"
#include "daemon/handover.h"
#include "daemon/master.h"
#include "daemon/options.h"
#include "daemon/place.h"

static int
open_log(const struct options *o)
{
	const char *target = o->config->log;
	enum log_format format = strcmp(o->config->log_format, "json") == 0 ? LOG_JSON : LOG_TEXT;

	if (strcmp(target, "auto") == 0)
		target = log_auto(o->foreground);
	if (log_open(target, format) == 0)
		return 0;
	int code = target[0] == '/' ? place_exit_code(errno) : EXIT_FATAL;
	fprintf(stderr, "gamed: daemon.log: cannot open %s: %m\n", target);
	return code;
}

int
main(int argc, char *argv[], char *envp[])
{
	static struct handover handover;
	struct options options;
	bool is_handed;
	int status, detached = -1;

	setproctitle_init(argc, argv, envp);
	is_handed = handover_take(&handover);
	if (!options_read(argc, argv, is_handed, &options, &status))
		return status;
	status = open_log(&options);
	if (status == 0 && options.preflight) {
		status = handover_preflight(&handover, options.config);
	} else if (status == 0) {
		if (!options.foreground && !is_handed)
			detached = detach();
		status = master_run(options.config, &(struct master_start){
			.detached = detached,
			.ready_fd = options.ready_fd,
			.argc = argc,
			.argv = argv,
			.handover = is_handed ? &handover : NULL,
		});
	}
	config_free(options.config);
	return status;
}
