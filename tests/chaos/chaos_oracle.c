/*
 * chaos_oracle.c: a game's journal against what its bot was told. See chaos_oracle.h; called by the
 * bot when the game is over. What is wrong is counted and said; nothing ends the run.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/journal.h"
#include "tests/chaos/chaos_oracle.h"
#include "tests/lib/client.h"

/* The group under way. */
struct group {
	struct oracle_command	*command;	/* whose it is; NULL: nobody's that counts */
	int			 n;		/* its records so far */
};

/* Whose command does this record begin? */
static struct oracle_command *
command_of(struct oracle *o, const struct journal_record *r)
{
	unsigned number;
	char rest;

	if (*r->key != '\0' && o->has_keys && sscanf(r->key, "k%u%c", &number, &rest) == 1 &&
	    number < o->n)
		return &o->commands[number];
	if (o->has_keys || *r->key != '\0' || strcmp(r->type, "guess_submitted") != 0)
		return NULL;
	for (unsigned i = 0; i < o->n; i++)
		if (strcmp(json_text_at(r->data, "player_id"), o->commands[i].player) == 0 &&
		    strcmp(json_text_at(r->secret, "word"), o->commands[i].word) == 0)
			return &o->commands[i];
	return NULL;
}

static void
begin_group(struct oracle *o, struct group *g, const struct journal_record *r)
{
	/* The first group is the start's, and has its key. */
	*g = (struct group){.command = r->seq > 1 ? command_of(o, r) : NULL};
	if (g->command == NULL && r->seq > 1 &&
	    (*r->key != '\0' || strcmp(r->type, "guess_submitted") == 0))
		chaos_found(o->chaos, TALLY_DOUBLED,
		    "%s: record %llu, key \"%s\", is nobody's command", o->id,
		    (unsigned long long)r->seq, r->key);
	if (g->command != NULL && ++g->command->groups > 1)
		chaos_found(o->chaos, TALLY_DOUBLED, "%s: record %llu is %s's \"%s\" again", o->id,
		    (unsigned long long)r->seq, g->command->player, g->command->word);
}

/* Is this record the event that was acknowledged? */
static void
check_event(struct oracle *o, const struct group *g, const struct journal_record *r)
{
	const cJSON *events = json_at(g->command->result, "events");
	const cJSON *event = cJSON_GetArrayItem(events, g->n);

	if (event == NULL || json_int_at(event, "seq") != (int64_t)r->seq ||
	    strcmp(json_text_at(event, "type"), r->type) != 0 ||
	    !cJSON_Compare(json_at(event, "data"), r->data, true))
		chaos_found(o->chaos, TALLY_LOST,
		    "%s: record %llu (%s) is not what was acknowledged", o->id,
		    (unsigned long long)r->seq, r->type);
	if (!r->more && json_int_at(g->command->result, "seq") != (int64_t)r->seq)
		chaos_found(o->chaos, TALLY_LOST, "%s: acknowledged as %lld, ends at %llu", o->id,
		    (long long)json_int_at(g->command->result, "seq"), (unsigned long long)r->seq);
}

/* Reads all of it. False where it is not whole. */
static bool
read_journal(struct oracle *o, struct journal_reader *reader, unsigned *begins, unsigned *ends)
{
	const struct journal_record *r;
	enum journal_step step;
	struct group g = {0};
	bool more = false, over = false;

	while ((step = journal_reader_next(reader, &r)) == JOURNAL_RECORD) {
		if (!more)
			begin_group(o, &g, r);
		if (g.command != NULL && g.command->result != NULL)
			check_event(o, &g, r);
		more = r->more;
		g.n++;
		*begins += strcmp(r->type, "game_initialized") == 0;
		*ends += over = strcmp(r->type, "game_terminated") == 0;
	}
	return step == JOURNAL_END && over;
}

void
oracle_judge(struct oracle *o, const char *journal)
{
	struct journal_reader *reader = journal_reader_open(AT_FDCWD, journal);
	unsigned begins = 0, ends = 0;

	if (reader == NULL || !read_journal(o, reader, &begins, &ends))
		chaos_found(o->chaos, TALLY_LOST, "%s: the journal is not whole, line %llu", o->id,
		    reader != NULL ? (unsigned long long)journal_reader_line(reader) : 0);
	journal_reader_free(reader);
	if (begins > 1 || ends > 1)
		chaos_found(o->chaos, TALLY_DOUBLED, "%s: began %u times, ended %u times", o->id,
		    begins, ends);
	for (unsigned i = 0; i < o->n; i++)
		if (o->commands[i].groups == 0 &&
		    (o->commands[i].result != NULL || o->commands[i].must))
			chaos_found(o->chaos, TALLY_LOST,
			    "%s: %s's \"%s\", command %u, is not there", o->id,
			    o->commands[i].player, o->commands[i].word, i);
}

void
oracle_clear(struct oracle *o)
{
	for (unsigned i = 0; i < o->n; i++)
		cJSON_Delete(o->commands[i].result);
	o->n = 0;
}
