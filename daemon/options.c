/*
 * options.c: owns the command line of gamed, and so whether there is anything to run: -n, -V and
 * -h end here, and so does a configuration that is none. Called by main once. Error policy: one
 * line on standard error and an exit status.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/config.h"
#include "daemon/exit.h"
#include "daemon/options.h"

const struct option_row option_rows[] = {
	{ .letter = 'f', .help = "stay in the foreground and log to standard error" },
	{ .letter = 'n', .help = "check the configuration and exit" },
	{ .letter = 'c', .argument = "file",
	  .help = "read this file in place of " GAMED_SYSCONFDIR "/gamed.conf" },
	{ .letter = 'D', .argument = "section.key=value", .repeats = true,
	  .help = "override one key of the configuration" },
	{ .letter = 'r', .argument = "fd",
	  .help = "write a newline to this descriptor, and close it, when ready" },
	{ .letter = 'V', .help = "print the version and exit" },
	{ .letter = 'h', .help = "print this and exit" },
	{ .letter = 0 },
};

/* What the command line asked for, before the configuration is read. */
struct request {
	bool		 foreground, check, version, help, is_handed;
	int		 ready_fd;
	const char	*path;
	const char	**overrides;	/* ends with NULL; points into argv */
	size_t		 count;
};

static void
usage(FILE *out)
{
	fputs("usage: gamed", out);
	for (const struct option_row *row = option_rows; row->letter != 0; row++)
		fprintf(out, row->argument != NULL ? " [-%c %s]%s" : " [-%c%s]%s", row->letter,
		    row->argument != NULL ? row->argument : "", row->repeats ? "..." : "");
	fputc('\n', out);
	for (const struct option_row *row = option_rows; row->letter != 0; row++)
		fprintf(out, "  -%c %-18s %s\n", row->letter,
		    row->argument != NULL ? row->argument : "", row->help);
}

/* The letters as getopt wants them; ':' first: it says nothing itself. */
static void
letters(char out[32])
{
	size_t len = 0;

	out[len++] = ':';
	for (const struct option_row *row = option_rows; row->letter != 0 && len < 29; row++) {
		out[len++] = row->letter;
		if (row->argument != NULL)
			out[len++] = ':';
	}
	out[len] = '\0';
}

static bool
ready_fd_take(struct request *request, const char *text)
{
	const char *wrong;

	if (request->is_handed)
		return true;
	request->ready_fd = (int)strtonum(text, 0, INT_MAX, &wrong);
	if (wrong == NULL && fcntl(request->ready_fd, F_GETFD) != -1)
		return true;
	fprintf(stderr, "gamed: option -r needs an open descriptor: %s\n", text);
	return false;
}

static bool
request_take(struct request *request, int letter)
{
	switch (letter) {
	case 'f':
		request->foreground = true;
		return true;
	case 'n':
		request->check = true;
		return true;
	case 'c':
		request->path = optarg;
		return true;
	case 'D':
		request->overrides[request->count++] = optarg;
		return true;
	case 'r':
		return ready_fd_take(request, optarg);
	case 'V':
		request->version = true;
		return true;
	case 'h':
		request->help = true;
		return true;
	case ':':
		fprintf(stderr, "gamed: option -%c needs an argument\n", optopt);
		return false;
	default:
		fprintf(stderr, "gamed: unknown option -%c\n", optopt);
		return false;
	}
}

static bool
request_read(struct request *request, int argc, char *argv[])
{
	char known[32];
	int letter;

	letters(known);
	optind = 0;	/* from the beginning, also the second time */
	while ((letter = getopt(argc, argv, known)) != -1)
		if (!request_take(request, letter))
			return false;
	if (optind == argc)
		return true;
	fprintf(stderr, "gamed: unexpected argument %s\n", argv[optind]);
	return false;
}

/* Standard output may be full or closed: then what was asked for was not done. */
static int
printed(void)
{
	return fflush(stdout) == 0 ? EXIT_STOPPED : EXIT_FATAL;
}

/* The configuration, or NULL with the status to leave with. */
static struct config *
load(const struct request *request, int *status)
{
	struct config_error error;
	struct config *config;
	char text[1024];

	config = config_load(request->path, request->overrides, &error);
	if (config == NULL) {
		fprintf(stderr, "gamed: %s\n", config_error_text(&error, text, sizeof(text)));
		*status = EXIT_CONFIG;
	} else if (request->check && !request->is_handed) {
		puts("gamed: the configuration is in order");
		*status = printed();
		config_free(config);
		config = NULL;
	}
	return config;
}

bool
options_read(int argc, char *argv[], bool is_handed, struct options *options, int *status)
{
	struct request request = { .ready_fd = -1, .is_handed = is_handed };

	*options = (struct options){ .ready_fd = -1 };
	if ((request.overrides = calloc((size_t)argc + 1, sizeof(*request.overrides))) == NULL) {
		fputs("gamed: out of memory\n", stderr);
		*status = EXIT_FATAL;
		return false;
	}
	if (!request_read(&request, argc, argv)) {
		usage(stderr);
		*status = EXIT_USAGE;
	} else if (request.help) {
		usage(stdout);
		*status = printed();
	} else if (request.version) {
		puts("gamed " GAMED_VERSION);
		*status = printed();
	} else {
		options->foreground = request.foreground;
		options->ready_fd = request.ready_fd;
		options->preflight = request.check;
		options->config = load(&request, status);
	}
	free(request.overrides);
	return options->config != NULL;
}
