/*
 * monitor_events.c: the master's notices: each event of a session becomes a line of the log with
 * its fields. What the master writes itself (its obituaries) is not repeated in words.
 */
#include <string.h>
#include <unistd.h>

#include "common/cause.h"
#include "common/config.h"
#include "common/log.h"
#include "daemon/monitor.h"
#include "daemon/service_settings.h"

#define REST_MS	5

#define FIELDS_MAX 16

/* The fields of one line, in the order in which they are added. */
struct fields {
	struct log_field of[FIELDS_MAX];
	size_t		 n;
};

static void
put(struct fields *f, struct log_field field)
{
	if (f->n < FIELDS_MAX - 1)
		f->of[f->n++] = field;
}

static void
put_text(struct fields *f, const char *name, const char *text)
{
	put(f, (struct log_field){.name = name, .text = text});
}

static void
put_number(struct fields *f, const char *name, int64_t number)
{
	put(f, (struct log_field){.name = name, .number = number});
}

/* Whose event it is. */
static void
put_session(struct fields *f, const struct service_notice *n)
{
	const struct mode *mode = mode_find_number(n->mode);

	put_text(f, "game_id", n->id);
	put_text(f, "instance", n->instance);
	put_text(f, "mode", mode != NULL ? mode->name : "unknown");
	if (n->pid > 0)
		put_number(f, "session_pid", n->pid);
}

static void
put_end(struct fields *f, const struct service_notice *n)
{
	put_text(f, "reason", n->text);
	put_number(f, "seq", (int64_t)n->seq);
	put_number(f, "commands", (int64_t)n->commands);
	put_number(f, "errors", (int64_t)n->errors);
	put_number(f, "restarts", n->restarts);
	put_number(f, "age_ms", n->at_wall_ms - n->started_wall_ms);
}

static void
put_death(struct fields *f, const struct service_notice *n)
{
	if (n->signal != 0)
		put_number(f, "signal", n->signal);
	else if (n->code >= 0)	/* neither, where nobody saw it */
		put_number(f, "exit", n->code);
	put_text(f, "cause", cause_find(n->cause)->word);
	if (*n->command != '\0')
		put_text(f, "command", n->command);
	put_number(f, "seq", (int64_t)n->seq);
	if (*n->text != '\0')
		put_text(f, "last_words", n->text);
}

static void
session_event(const struct service_notice *n)
{
	enum log_level level = LOG_LEVEL_INFO;
	struct fields f = {.n = 0};
	const char *event = notice_event_type(n);

	if (event == NULL)
		return;
	put_session(&f, n);
	switch ((enum notice)n->what) {
	case NOTICE_STARTED:
		put_number(&f, "start_ms", n->at_wall_ms - n->started_wall_ms);
		break;
	case NOTICE_READY:
		put_number(&f, "restarts", n->restarts);
		break;
	case NOTICE_CRASHED:
		level = LOG_LEVEL_WARNING;
		put_death(&f, n);
		break;
	case NOTICE_HELD:
		level = LOG_LEVEL_ERROR;
		put_text(&f, "reason", n->text);
		put_number(&f, "restarts", n->restarts);
		break;
	case NOTICE_ENDED:
		put_end(&f, n);
		break;
	case NOTICE_START_FAILED:
		level = LOG_LEVEL_WARNING;
		put_text(&f, "error", error_find(n->error)->word);
		put_text(&f, "why", n->text);
		break;
	default:
		break;
	}
	log_event(level, event, f.of);
}

static struct monitor_process *
process_of(struct monitor *mo, const char *name)
{
	for (size_t i = 0; i < mo->n_processes; i++)
		if (strcmp(mo->processes[i].name, name) == 0)
			return &mo->processes[i];
	if (mo->n_processes == MONITOR_PROCESSES)
		return NULL;
	struct monitor_process *p = &mo->processes[mo->n_processes++];
	*p = (struct monitor_process){.is_service = true};
	strlcpy(p->name, name, sizeof(p->name));
	return p;
}

static void
service_event(struct monitor *mo, const struct service_notice *n)
{
	struct monitor_process *p = process_of(mo, n->id);

	if (p == NULL)
		return;
	p->pid = strcmp(n->state, "crashed") == 0 ? 0 : n->pid;
	p->restarts = n->restarts;
	/*
	 * The last of those that we are told of at our start are we: now there is something to say.
	 */
	if (n->pid == getpid() && mo->listen_again == NULL && listen_init(mo) == -1)
		fatal(1, "no memory for its socket");
}

/* The address is fixed; what is asked of the settings is sessions.max. */
static void
reloaded(struct monitor *mo, const struct service_notice *n)
{
	struct config *config = service_settings(mo->config, n);

	config_free(mo->own_config);
	mo->config = mo->own_config = config;
}

static void
dispatch(void *arg, const struct service_notice *n)
{
	struct monitor *mo = arg;

	switch ((enum notice)n->what) {
	case NOTICE_CRASHED:
		session_event(n);
		report_write(mo, n);
		return;
	case NOTICE_STARTED:
	case NOTICE_START_FAILED:
	case NOTICE_READY:
	case NOTICE_HELD:
	case NOTICE_ENDED:
		session_event(n);
		return;
	case NOTICE_SERVICE:
		service_event(mo, n);
		return;
	case NOTICE_RETIRE:
	case NOTICE_SHUTTING_DOWN:
		mo->is_shutting_down = true;
		return;
	case NOTICE_RELOADED:
		reloaded(mo, n);
		return;
	default:
		/* Answers, of which we await none, and steps that are no news for a log. */
		return;
	}
}

static void
on_notice(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *mo = arg;

	(void)what;
	service_hear(fd, dispatch, mo);
	if (event_add(mo->rested, &(struct timeval){ .tv_usec = REST_MS * 1000 }) == -1)
		fatal(1, "no memory to rest");
}

static void
on_rested(evutil_socket_t fd, short what, void *arg)
{
	struct monitor *mo = arg;

	(void)fd;
	(void)what;
	if (event_add(mo->on_master, NULL) == -1)
		fatal(1, "no memory to hear the master");
}

/*
 * Once it has heard what there is, it rests for a moment: where sessions come and go by the
 * thousand, waking up for each would cost them more than the line of the log does.
 */
int
events_init(struct monitor *mo)
{
	mo->on_master = event_new(mo->loop.base, mo->master, EV_READ, on_notice, mo);
	mo->rested = event_new(mo->loop.base, -1, 0, on_rested, mo);
	if (mo->on_master == NULL || mo->rested == NULL)
		return -1;
	return event_add(mo->on_master, NULL);
}

void
events_fini(struct monitor *mo)
{
	/* What came while it rested. */
	service_hear(mo->master, dispatch, mo);
	event_free(mo->on_master);
	event_free(mo->rested);
}
