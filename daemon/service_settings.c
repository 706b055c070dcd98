/*
 * service_settings.c: see service_settings.h. Called by every service.
 */
#include <errno.h>
#include <string.h>

#include "common/config.h"
#include "common/log.h"
#include "common/message.h"
#include "daemon/service_settings.h"

struct config *
service_settings(const struct config *before, const struct service_notice *n)
{
	struct config_error wrong;
	struct config *config = config_load_again(before, &wrong);

	if (config == NULL || config_sum(config) != (uint32_t)n->seq)
		fatal(1, "the settings changed again while they were read: beginning anew with the "
			 "master's");
	if (log_reopen() == -1)
		log_warning("daemon.log: cannot open it again: %s", strerror(errno));
	return config;
}
