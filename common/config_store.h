/*
 * config_store.h: what config.c keeps beside the settings in force: each as text, and where it
 * comes from. For config*.c alone.
 */
#ifndef COMMON_CONFIG_STORE_H
#define COMMON_CONFIG_STORE_H

#include <limits.h>

#include "common/config.h"

#define FROM_OVERRIDE	UINT_MAX	/* the origin that is no line */

struct setting {
	char	*value;		/* NULL: not set here */
	unsigned origin;	/* a line, or FROM_OVERRIDE */
};

/* Settings of mode 0 hold for all modes. */
struct config_store {
	struct config	 config;	/* first: what the caller has */
	char		*file;
	bool		 may_be_absent;	/* nobody named the file */
	struct setting	 settings[MODES_MAX][CONFIG_KEYS_MAX];
};

#endif
