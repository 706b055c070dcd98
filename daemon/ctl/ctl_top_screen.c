/*
 * ctl_top_screen.c: the terminal of top, by curses. Called by top alone. Error policy: what does
 * not fit is not drawn; a terminal that takes nothing is found by who waits for its keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <curses.h>

#include "daemon/ctl/ctl_top.h"

#define HEAD_LINES	5	/* above the rows */
#define ESCAPE_MS	25	/* after which an escape is a key of its own */

static SCREEN *screen;
static size_t first;		/* the row that stands on top */

int
top_screen_open(void)
{
	screen = newterm(NULL, stdout, stdin);
	if (screen == NULL)
		return -1;
	cbreak();
	noecho();
	nonl();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	set_escdelay(ESCAPE_MS);
	curs_set(0);
	first = 0;
	return 0;
}

void
top_screen_close(void)
{
	if (screen == NULL)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}

void
top_screen_resize(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
		resizeterm(size.ws_row, size.ws_col);
	clearok(curscr, TRUE);
}

static size_t
rows_that_fit(void)
{
	return LINES > HEAD_LINES ? (size_t)(LINES - HEAD_LINES) : 0;
}

static void
put_line(int y, attr_t attributes, const char *text)
{
	attrset(attributes);
	mvaddnstr(y, 0, text, COLS);
	attrset(A_NORMAL);
}

static void
draw_sessions(const struct top_sample *s)
{
	char line[256], rate[32] = "-";
	size_t at;

	if (s->commands_per_s >= 0)
		snprintf(rate, sizeof(rate), "%.1f", s->commands_per_s);
	at = (size_t)snprintf(line, sizeof(line), "%s commands/s, %zu sessions", rate, s->n);
	for (enum residency r = RESIDENCY_STARTING; r < RESIDENCY_ENDED; r++)
		if (s->of[r] > 0)
			at += (size_t)snprintf(line + at, sizeof(line) - at, ", %u %s", s->of[r],
			    residency_name(r));
	put_line(1, A_NORMAL, line);
}

static void
draw_rows(const struct top_sample *s, const struct top_column *by)
{
	const struct top_row **sorted = top_sort(s, by);
	size_t fit = rows_that_fit();
	char line[TOP_LINE_MAX];

	if (first + fit > s->n)
		first = s->n > fit ? s->n - fit : 0;
	for (size_t i = 0; i < fit && first + i < s->n; i++)
		put_line(HEAD_LINES + (int)i, A_NORMAL, top_line(sorted[first + i], COLS, line));
	free(sorted);
}

void
top_screen_draw(const struct top_head *head, const struct top_sample *s,
    const struct top_column *by)
{
	char line[TOP_LINE_MAX];
	size_t at;

	erase();
	put_line(0, head->is_alive ? A_BOLD : A_REVERSE, head->daemon);
	put_line(2, A_NORMAL, head->services);
	at = (size_t)snprintf(line, sizeof(line), "By %s; others:", by->head);
	for (const struct top_column *c = top_columns; c->head != NULL; c++)
		if (c->key != 0 && c != by)
			at += (size_t)snprintf(line + at, sizeof(line) - at, " %c %s", c->key,
			    c->head);
	snprintf(line + at, sizeof(line) - at, "; q quits");
	put_line(3, A_DIM, line);
	put_line(HEAD_LINES - 1, A_REVERSE, top_line(NULL, COLS, line));
	if (s != NULL) {
		draw_sessions(s);
		draw_rows(s, by);
	}
	refresh();
}

static void
move_up(size_t by)
{
	first = first > by ? first - by : 0;
}

int
top_screen_key(void)
{
	int key = getch();

	switch (key) {
	case ERR:
		return -1;
	case KEY_UP:
		move_up(1);
		return 0;
	case KEY_DOWN:
		first++;
		return 0;
	case KEY_PPAGE:
		move_up(rows_that_fit());
		return 0;
	case KEY_NPAGE:
		first += rows_that_fit();
		return 0;
	case '\f':
		clearok(curscr, TRUE);
		return 0;
	case KEY_HOME:
		first = 0;
		return 0;
	default:
		return key < KEY_MIN ? key : 0;
	}
}
