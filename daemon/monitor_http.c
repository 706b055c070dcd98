/*
 * monitor_http.c: the pages: /metrics, /healthz, /readyz. Called by libevent's HTTP server for each
 * whole request. Time-outs and bounds are the answer to clients that are slow or say what is no
 * HTTP: libevent refuses or closes, others are served meanwhile.
 */
#include <sys/statvfs.h>

#include <stdio.h>
#include <string.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include "common/clock.h"
#include "common/config.h"
#include "common/log.h"
#include "daemon/monitor.h"

#define TIMEOUT_S	5	/* for each read and each write */
#define HEADERS_MAX	8192	/* bytes */
#define BODY_MAX	4096	/* nobody needs one */
#define METHODS_ALL                                                                               \
	(EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | \
	    EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT | EVHTTP_REQ_PATCH)

struct page {
	const char	*path;
	void		(*answer)(struct monitor *, struct evhttp_request *);
};

/* libevent would send the body to HEAD too: what it has then is its length alone. */
static void
reply(struct evhttp_request *req, int code, const char *reason, const char *type,
    struct evbuffer *body)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	char length[24];

	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Cache-Control", "no-store");
	if (body != NULL && evhttp_request_get_command(req) == EVHTTP_REQ_HEAD) {
		snprintf(length, sizeof(length), "%zu", evbuffer_get_length(body));
		evhttp_add_header(headers, "Content-Length", length);
		evbuffer_drain(body, evbuffer_get_length(body));
	}
	evhttp_send_reply(req, code, reason, body);
}

/* A line of text. */
static void
reply_text(struct evhttp_request *req, int code, const char *reason, const char *text)
{
	struct evbuffer *body = evbuffer_new();

	if (body != NULL)
		evbuffer_add_printf(body, "%s\n", text);
	reply(req, code, reason, "text/plain; charset=utf-8", body);
	if (body != NULL)
		evbuffer_free(body);
}

/* As the master looks before a start. */
static bool
has_little_room(const struct monitor *mo)
{
	struct statvfs fs;

	return fstatvfs(mo->journal_dir, &fs) == 0 &&
	    (uint64_t)fs.f_bavail * fs.f_frsize / (1024 * 1024) < mo->config->disk_free_min_mb;
}

/* The registry is gone through for it only where there is such a limit. */
static bool
awake_max_are_awake(struct monitor *mo)
{
	uint64_t max = mo->config->limits[LIMIT_AWAKE_MAX];

	if (max >= REGISTRY_SLOTS)
		return false;
	counts_take(mo->registry, &mo->counts);
	return mo->counts.processes >= max;
}

/*
 * Why no session can be started, or NULL: as the master decides before a start. That it lives we
 * know: we die with it.
 */
static const char *
why_not_ready(struct monitor *mo)
{
	const struct registry_header *h = registry_header(mo->registry);

	if (mo->is_shutting_down)
		return "shutting down";
	if (!h->ready)
		return "starting";
	if (h->slots_used >= mo->config->limits[LIMIT_MAX])
		return "sessions.max sessions exist";
	if (awake_max_are_awake(mo))
		return "sessions.awake_max are awake";
	if (has_little_room(mo))
		return "less room than journal.disk_free_min_mb is left for journals";
	return NULL;
}

static void
answer_health(struct monitor *mo, struct evhttp_request *req)
{
	(void)mo;
	reply_text(req, HTTP_OK, "OK", "ok");
}

static void
answer_ready(struct monitor *mo, struct evhttp_request *req)
{
	const char *why = why_not_ready(mo);

	if (why == NULL)
		reply_text(req, HTTP_OK, "OK", "ready");
	else
		reply_text(req, HTTP_SERVUNAVAIL, "Service Unavailable", why);
}

static struct metrics_view
view_now(struct monitor *mo)
{
	const struct registry_header *h = registry_header(mo->registry);
	bool ready = why_not_ready(mo) == NULL;

	counts_take(mo->registry, &mo->counts);
	counts_keep(&mo->counts, &mo->highest);
	processes_look(mo->processes, mo->n_processes);
	return (struct metrics_view){
		.counts = &mo->counts,
		.processes = mo->processes,
		.n_processes = mo->n_processes,
		.ready = ready,
		.sessions_max = mo->config->limits[LIMIT_MAX],
		.started_s = (double)h->started_wall_ms / 1e3,
		.uptime_s = (double)(clock_boot_ns() - h->started_boot_ns) / NS_PER_S,
		.version = GAMED_VERSION,
	};
}

static void
answer_metrics(struct monitor *mo, struct evhttp_request *req)
{
	const char *accept = evhttp_find_header(evhttp_request_get_input_headers(req), "Accept");
	enum metrics_format format = metrics_negotiate(accept);
	struct metrics_view view = view_now(mo);
	struct evbuffer *body = evbuffer_new();

	if (body == NULL || metrics_write(body, &view, format) == -1) {
		log_warning("no memory for a page of metrics");
		reply_text(req, HTTP_INTERNAL, "Internal Server Error", "no memory");
	} else {
		reply(req, HTTP_OK, "OK", metrics_content_type(format), body);
	}
	if (body != NULL)
		evbuffer_free(body);
}

static const struct page pages[] = {
	{"/metrics", answer_metrics},
	{"/healthz", answer_health},
	{"/readyz", answer_ready},
};

static void
on_request(struct evhttp_request *req, void *arg)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(req);
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req));

	for (size_t i = 0; path != NULL && i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (strcmp(pages[i].path, path) != 0)
			continue;
		if (method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD) {
			pages[i].answer(arg, req);
			return;
		}
		evhttp_add_header(evhttp_request_get_output_headers(req), "Allow", "GET, HEAD");
		reply_text(req, HTTP_BADMETHOD, "Method Not Allowed", "GET or HEAD");
		return;
	}
	reply_text(req, HTTP_NOTFOUND, "Not Found", "/metrics, /healthz, /readyz");
}

/* Called for each connection that was accepted. NULL: evhttp makes its usual buffer. */
static struct bufferevent *
on_connection(struct event_base *base, void *arg)
{
	(void)base;
	connections_bound(arg);
	return NULL;
}

int
http_init(struct monitor *mo)
{
	mo->http = evhttp_new(mo->loop.base);
	if (mo->http == NULL)
		return -1;
	evhttp_set_timeout(mo->http, TIMEOUT_S);
	evhttp_set_max_headers_size(mo->http, HEADERS_MAX);
	evhttp_set_max_body_size(mo->http, BODY_MAX);
	/* All methods come to us: 405 is for those that are known and not ours. */
	evhttp_set_allowed_methods(mo->http, METHODS_ALL);
	evhttp_set_bevcb(mo->http, on_connection, mo);
	evhttp_set_gencb(mo->http, on_request, mo);
	return 0;
}

void
http_fini(struct monitor *mo)
{
	evhttp_free(mo->http);
}
