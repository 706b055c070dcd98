/*
 * monitor_reports.c: crash reports: <state_dir>/crash/<time>-<game_id>.json, an object for each
 * process of a session that ended abnormally, the newest REPORTS_MAX of them. Called with the
 * master's notices. Error policy: a report that cannot be written is a line of the log; nothing
 * waits for it but us.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cause.h"
#include "common/clock.h"
#include "common/id.h"
#include "common/json.h"
#include "common/log.h"
#include "daemon/monitor.h"

#define REPORTS_MAX	100
#define HALF_MADE	".new"	/* no id begins with a dot, and no time */
#define NAME_SIZE	(CLOCK_TEXT_SIZE + ID_MAX + 8)

/* ---- the oldest make room ---- */

static int
is_report(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static void
keep_newest(int dir)
{
	struct dirent **found;
	int n = scandirat(dir, ".", &found, is_report, alphasort);

	for (int i = 0; i < n; i++) {
		if (i + REPORTS_MAX < n)
			(void)unlinkat(dir, found[i]->d_name, 0);
		free(found[i]);
	}
	if (n != -1)
		free(found);
}

/* ---- one report ---- */

static void
write_report(struct json_writer *w, const struct service_notice *n)
{
	const struct mode *mode = mode_find_number(n->mode);

	json_object(w, NULL);
	json_string(w, "game_id", n->id);
	json_string(w, "instance", n->instance);
	json_string(w, "mode", mode != NULL ? mode->name : "unknown");
	json_time(w, "at", n->at_wall_ms);
	json_int(w, "pid", n->pid);
	json_string(w, "cause", cause_find(n->cause)->word);
	if (n->signal != 0)
		json_int(w, "signal", n->signal);
	else if (n->code >= 0)
		json_int(w, "exit", n->code);
	json_string(w, "command", n->command);
	json_string(w, "last_words", n->text);
	json_uint(w, "seq", n->seq);
	json_uint(w, "restarts", n->restarts);
	json_object_end(w);
	json_newline(w);
}

static int
write_file(int dir, const struct json_writer *w)
{
	int fd =
	    openat(dir, HALF_MADE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	ssize_t n;

	if (fd == -1)
		return -1;
	n = write(fd, w->text, w->len);
	close(fd);
	if (n == (ssize_t)w->len)
		return 0;
	errno = n == -1 ? errno : ENOSPC;
	return -1;
}

void
report_write(const struct monitor *mo, const struct service_notice *n)
{
	char name[NAME_SIZE], at[CLOCK_TEXT_SIZE];
	struct json_writer w;
	int rc;

	snprintf(name, sizeof(name), "%s-%s.json", clock_text(n->at_wall_ms, at), n->id);
	json_init(&w);
	write_report(&w, n);
	errno = ENOMEM;
	rc = w.failed ? -1 : write_file(mo->crash_dir, &w);
	json_fini(&w);
	if (rc == 0)
		rc = renameat(mo->crash_dir, HALF_MADE, mo->crash_dir, name);
	if (rc == -1)
		log_warning("the report of a crash of session %s cannot be written: %s", n->id,
		    strerror(errno));
	else
		keep_newest(mo->crash_dir);
}
