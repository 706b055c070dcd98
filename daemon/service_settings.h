/*
 * service_settings.h: a service takes over the settings that the master has read again.
 */
#ifndef DAEMON_SERVICE_SETTINGS_H
#define DAEMON_SERVICE_SETTINGS_H

struct config;
struct service_notice;

/*
 * On NOTICE_RELOADED: the settings that the master has now, the caller's (config_free); before
 * are those that the service had, and stay as they are. The log file is opened again too. A
 * file that says something else by now is fatal: two opinions in one gamed will not do, and the
 * successor inherits the master's.
 */
struct config *service_settings(const struct config *before, const struct service_notice *);

#endif
