/*
 * main.c: gamectl's entry; everything else is a library that the tests link.
 */
#include "daemon/ctl/ctl.h"

int
main(int argc, char **argv)
{
	return ctl_main(argc, argv);
}
