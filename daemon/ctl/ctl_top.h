/*
 * ctl_top.h: what gamectl top shows: samples of the registry, what two of them say together, and
 * the lines made of that (pure, but for the registry); and the screen.
 */
#ifndef DAEMON_CTL_CTL_TOP_H
#define DAEMON_CTL_CTL_TOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/json.h"
#include "common/registry.h"

/* ---- ctl_top_sample.c ---- */

struct top_row {
	uint32_t	 slot, generation;
	char		 id[72], instance[40];	/* as in the entry */
	enum session_state state;
	enum residency	 residency;
	int32_t		 pid;			/* 0: none */
	uint64_t	 seq, restarts, commands, errors;
	int64_t		 idle_ms;		/* -1: not known */
	/* Of its process; zero without one. */
	enum worker_phase phase;
	char		 command[64];		/* in work; empty: none */
	uint64_t	 cpu_us, memory;
	uint64_t	 answered, latency_us;	/* commands, and what they took together */
	/* Since the sample before; below 0: not known. */
	double		 commands_per_s, cpu_percent, latency_ms;
};

/* All sessions at one time, in the order of their slots. */
struct top_sample {
	uint64_t	 registry;		/* which file it is of */
	uint64_t	 at_ns;			/* boot time */
	struct top_row	*rows;
	size_t		 n;
	unsigned	 of[RESIDENCY_ENDED + 1];
	double		 commands_per_s;	/* of all; below 0: not known */
};

/* A new one, of a registry. now_ns is boot time. Without memory the program ends. */
struct top_sample *top_sample_new(const struct registry *, int64_t now_wall_ms, uint64_t now_ns);
void	top_sample_free(struct top_sample *);	/* NULL is nothing */

/*
 * Fills in what has changed since the one before (NULL: nothing is known). A session or a process
 * that was not there began at nothing.
 */
void	top_sample_compare(struct top_sample *, const struct top_sample *before);

/* The members of an object that is open. */
void	top_sample_write(struct json_writer *, const struct top_sample *);

/* ---- ctl_top_columns.c ---- */

struct top_column {
	const char	*head;
	int		 width;		/* below 0: to the left */
	char		 key;		/* that sorts by it; 0: none does */
	/* The largest first; NULL, where there is a key: by id. */
	double		(*rank)(const struct top_row *);
	void		(*text)(const struct top_row *, char *buf, size_t size);
};
/* The most wanted first; the first one takes what room is left. Ends with a NULL head. */
extern const struct top_column top_columns[];

#define TOP_LINE_MAX 512

/* The column that this key sorts by, or NULL. */
const struct top_column *top_column_find(int key);

/* The rows sorted by a column: a new array of borrowed ones. */
const struct top_row **top_sort(const struct top_sample *, const struct top_column *by);

/* The row (NULL: the heads) in the columns for which a line of this width has room; returns buf. */
const char *top_line(const struct top_row *, int width, char buf[TOP_LINE_MAX]);

/* ---- ctl_top_screen.c ---- */

/* What stands above the rows. */
struct top_head {
	char	 daemon[160], services[320];
	bool	 is_alive;
};

/* 0, or -1: this is no terminal that can be drawn on. It is as it was after top_screen_close. */
int	top_screen_open(void);
void	top_screen_close(void);
void	top_screen_resize(void);	/* to what the terminal is now */
/* Without a sample (NULL) there is nothing to show but the head. */
void	top_screen_draw(const struct top_head *, const struct top_sample *,
	    const struct top_column *by);
/*
 * The next character that was typed; 0: it was for the screen itself; -1: no more. Never waits.
 */
int	top_screen_key(void);

#endif
