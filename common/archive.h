/*
 * archive.h: where ended journals go: <state_dir>/archive/<id>.ndjson is the last instance of its id; those before it stand beside it as
 * <id>@<instance>.ndjson.
 */
#ifndef COMMON_ARCHIVE_H
#define COMMON_ARCHIVE_H

/*
 * Moves journal_dir/<id>.ndjson to the archive; what is there under that name is renamed first, by its instance (or, where that can't be
 * read, by the time). Both directories are synced. 0, or -1 with errno: then the journal stands in one of the two places.
 */
int	archive_move(int journal_dir, int archive_dir, const char *id);

#endif
