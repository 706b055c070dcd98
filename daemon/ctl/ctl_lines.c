/*
 * ctl_lines.c: buffers lines of input. Called by play. Error policy: an input that cannot be
 * read has ended.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/ctl/ctl_lines.h"

bool
ctl_lines_wants_more(const struct ctl_lines *in)
{
	return !in->is_eof && in->len < LINES_SIZE;
}

void
ctl_lines_fill(struct ctl_lines *in)
{
	if (!ctl_lines_wants_more(in))
		return;
	ssize_t n = read(in->fd, in->text + in->len, LINES_SIZE - in->len);
	if (n > 0)
		in->len += (size_t)n;
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		in->is_eof = true;
}

/* Bytes of the first line, its newline included; 0: none is whole yet. */
static size_t
first_line(const struct ctl_lines *in)
{
	const char *newline = memchr(in->text, '\n', in->len);

	if (newline != NULL)
		return (size_t)(newline - in->text) + 1;
	return in->is_eof || in->len == LINES_SIZE ? in->len : 0;
}

bool
ctl_lines_peek(const struct ctl_lines *in, char buf[LINES_SIZE + 1])
{
	size_t end = first_line(in), begin = 0;

	if (end == 0)
		return false;
	while (begin < end && isspace((unsigned char)in->text[begin]))
		begin++;
	while (end > begin && isspace((unsigned char)in->text[end - 1]))
		end--;
	memcpy(buf, in->text + begin, end - begin);
	buf[end - begin] = '\0';
	return true;
}

void
ctl_lines_drop(struct ctl_lines *in)
{
	size_t n = first_line(in);

	memmove(in->text, in->text + n, in->len - n);
	in->len -= n;
}

bool
ctl_lines_is_done(const struct ctl_lines *in)
{
	return in->is_eof && in->len == 0;
}
