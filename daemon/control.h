/*
 * control.h: the control socket as the master has it: the one that it was given, if clients
 * reach it, else one of its own.
 */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include <stddef.h>

struct place;

/*
 * The listening socket at <runtime_dir>/control.sock, the caller's. given: what activation_take
 * gave, which is returned or closed. -1 with what is wrong in err: then the socket there is
 * somebody else's, and place_close leaves it alone. So it does with one that was given.
 */
int	control_open(struct place *, int given, char *err, size_t size);

#endif
