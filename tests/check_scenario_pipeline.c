/*
 * check_scenario_pipeline.c: clients that wait for nothing ask for everything, of a few ids that are
 * started and ended all the time, while their processes are killed: each request has its reply, and
 * none waits for something that does not come.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/scenario.h"
#include "tests/lib/suite.h"

#define CLIENTS	6
#define REQUESTS 12	/* of a client, before it reads a reply */
#define IDS	3U

#define RED	",'mode':'two_player','teams':{'red':['ann','bob']}"

/* What is asked, and its parameters beside the id. */
static const struct {
	const char *method, *params;
} kinds[] = {
	{ "session.start", RED },
	{ "session.start", RED ",'key':'k'" },
	{ "session.command", "," GUESS },
	{ "session.command", "," GUESS ",'key':'c'" },
	{ "session.pause", "" },
	{ "session.resume", "" },
	{ "session.stop", "" },
	{ "session.kill", "" },
	{ "session.hibernate", "" },
	{ "session.wake", "" },
	{ "session.get", "" },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* What nobody may be told here. */
static const char *const never[] = { "deadline", "journal", "internal", "held", "poisoned" };

struct sent {
	int	 id;
	size_t	 kind;
};

static void
check_reply(const cJSON *reply, size_t kind)
{
	const char *reason;

	if (json_at(reply, "result") != NULL)
		return;
	reason = json_text_at(reply, "error.data.reason");
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		ck_assert_msg(strcmp(reason, never[i]) != 0, "%s%s: %s", kinds[kind].method,
		    kinds[kind].params, reason);
	/* What it would start is there, or was: then that is the answer. */
	if (strcmp(kinds[kind].method, "session.start") == 0)
		ck_assert_str_ne(reason, "not_found");
}

/* The requests of all clients are on their way before the first reply is read. */
static void
round_of(struct client *clients[CLIENTS], unsigned *seed)
{
	struct sent sent[CLIENTS][REQUESTS];
	char id[16];

	for (size_t i = 0; i < REQUESTS; i++)
		for (size_t j = 0; j < CLIENTS; j++) {
			size_t kind = (size_t)rand_r(seed) % KINDS;

			sent[j][i] = (struct sent){ .kind = kind,
				.id = client_send(clients[j], kinds[kind].method, "{'game_id':'g%u'%s}",
				    (unsigned)rand_r(seed) % IDS, kinds[kind].params) };
		}
	(void)snprintf(id, sizeof(id), "g%u", (unsigned)rand_r(seed) % IDS);
	bed_kill_if_running(bed, id);
	for (size_t j = 0; j < CLIENTS; j++)
		for (size_t i = 0; i < REQUESTS; i++) {
			cJSON *reply = client_reply(clients[j], sent[j][i].id);

			ck_assert_ptr_nonnull(reply);
			check_reply(reply, sent[j][i].kind);
			cJSON_Delete(reply);
		}
}

START_TEST(everything_at_once)
{
	struct client *clients[CLIENTS];
	unsigned seed = (unsigned)_i + 1;

	scenario_begin(
	    __func__, "[sessions]\nmax_restarts=unlimited\nbackoff_ms=1\n[journal]\nsync=os\n");
	for (size_t j = 0; j < CLIENTS; j++)
		clients[j] = client_open(bed);
	for (int i = suite_times(60, 3000); i > 0; i--)
		round_of(clients, &seed);
	for (size_t j = 0; j < CLIENTS; j++)
		client_close(clients[j]);
	scenario_end();
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario_pipeline");
	TCase *tc = tcase_create("pipeline");

	tcase_set_timeout(tc, suite_times(120, 1200));
	tcase_add_loop_test(tc, everything_at_once, 0, 2);
	suite_add_tcase(suite, tc);
	return bed_main(suite);
}
