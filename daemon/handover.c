/*
 * handover.c: see handover.h. Called by the master before it executes another binary, and by
 * main first of all. Error policy: a record that is not for this process is as none; one of
 * another form is refused by the binary that is asked, so that no master meets it.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/access.h"
#include "common/fault.h"
#include "daemon/handover.h"
#include "worker/words.h"

#define MAGIC	0x67616d65644855ULL	/* "gamedHU" */

static void
fill_form(struct handover *h)
{
	h->magic = MAGIC;
	h->version = HANDOVER_VERSION;
	h->size = sizeof(*h);
	h->request_size = sizeof(struct service_request);
	h->notice_size = sizeof(struct service_notice);
	h->message_size = sizeof(struct worker_message);
}

void
handover_fill(struct handover *h, const struct master *m)
{
	memset(h, 0, sizeof(*h));
	fill_form(h);
	h->pid = m->shared.master_pid;
	strlcpy(h->gamed, GAMED_VERSION, sizeof(h->gamed));
	strlcpy(h->binary, m->binary, sizeof(h->binary));
	strlcpy(h->runtime, m->place.runtime, sizeof(h->runtime));
	strlcpy(h->state, m->place.state, sizeof(h->state));
	h->kept = (struct place_kept){
		.pid_file = m->place.pid_file,
		.state_lock = m->place.state_lock,
		.keeps_control = m->place.keeps_control,
	};
	h->control = m->control;
	h->asker = m->upgrade.asker;
	h->asker_tag = m->upgrade.asker_tag;
	for (size_t i = 0; i < SERVICE_KINDS_MAX; i++) {
		const struct service *s = &m->services[i];

		h->services[i] = (struct handover_service){
		    .pid = s->pid, .fd = s->fd, .incarnation = s->incarnation};
		if (s->kind != NULL)
			strlcpy(h->services[i].name, s->kind->name, sizeof(h->services[i].name));
	}
	memcpy(h->views, m->views, sizeof(h->views));
	memcpy(h->backups, m->backups, sizeof(h->backups));
}

static int record = -1;	/* the memory file */

int
handover_pass(const struct handover *h)
{
	char number[16];

	record = memfd_create("handover", 0);
	if (record == -1)
		return -1;
	snprintf(number, sizeof(number), "%d", record);
	if (pwrite(record, h, sizeof(*h), 0) == (ssize_t)sizeof(*h) &&
	    setenv(HANDOVER_VARIABLE, number, 1) == 0)
		return 0;
	handover_withdraw();
	errno = ENOMEM;
	return -1;
}

void
handover_withdraw(void)
{
	unsetenv(HANDOVER_VARIABLE);
	if (record != -1)
		close(record);
	record = -1;
}

/* From now on no child gets them by accident. */
static void
close_on_exec(const struct handover *h)
{
	const int kept[] = { h->kept.pid_file, h->kept.state_lock, h->control };

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		fcntl(kept[i], F_SETFD, FD_CLOEXEC);
	for (size_t i = 0; i < SERVICE_KINDS_MAX; i++)
		if (h->services[i].fd != -1)
			fcntl(h->services[i].fd, F_SETFD, FD_CLOEXEC);
}

bool
handover_take(struct handover *h)
{
	const char *number = getenv(HANDOVER_VARIABLE), *wrong;
	ssize_t n;
	int fd;

	if (number == NULL)
		return false;
	memset(h, 0, sizeof(*h));
	fd = (int)strtonum(number, 3, 1 << 20, &wrong);
	n = wrong == NULL ? pread(fd, h, sizeof(*h), 0) : -1;
	unsetenv(HANDOVER_VARIABLE);
	if (n < (ssize_t)offsetof(struct handover, gamed) || h->magic != MAGIC ||
	    (h->pid != getpid() && h->pid != getppid()))
		return false;
	close(fd);
	if (h->pid == getpid()) {
		close_on_exec(h);
		/* Executed by a descriptor, some kernels would call us by its number. */
		prctl(PR_SET_NAME, basename(h->binary));
	}
	return true;
}

static bool
form_is_ours(const struct handover *h)
{
	struct handover ours = { 0 };

	fill_form(&ours);
	return memcmp(h, &ours, offsetof(struct handover, pid)) == 0;
}

/* NULL, or the setting of daemon that a process which runs cannot change. */
static const char *
moved(const struct handover *h, const struct config *config)
{
	const struct passwd *user = *config->user != '\0' ? getpwnam(config->user) : NULL;

	if (strcmp(h->runtime, config->runtime_dir) != 0)
		return "runtime_dir";
	if (strcmp(h->state, config->state_dir) != 0)
		return "state_dir";
	return *config->user != '\0' && (user == NULL || user->pw_uid != geteuid()) ? "user" : NULL;
}

static bool
words_and_access_are_good(const struct config *config, char *err, size_t size)
{
	struct access_lists *access =
	    access_new(config->access_admin, config->access_play, config->access_view, err, size);
	struct word_list *words = NULL;
	char path[4096];

	if (access != NULL)
		words = word_list_open(config_words_path(config, path, sizeof(path)), err, size);
	access_free(access);
	word_list_close(words);
	return words != NULL;
}

/* The master's registry, as this binary understands it. */
static bool
registry_is_ours(const struct handover *h)
{
	char path[sizeof(h->runtime) + sizeof(PLACE_REGISTRY) + 1];
	struct registry *registry;

	snprintf(path, sizeof(path), "%s/" PLACE_REGISTRY, h->runtime);
	registry = registry_open(path);
	registry_close(registry);
	return registry != NULL;
}

int
handover_preflight(const struct handover *h, const struct config *config)
{
	const char *setting;
	char err[512];

	if (!form_is_ours(h)) {
		fputs("gamed: its processes speak another form of messages: this version needs a "
		      "restart of gamed\n",
		    stderr);
		return 1;
	}
	fault_init(h->state);
	fault_hit("preflight");
	if ((setting = moved(h, config)) != NULL) {
		fprintf(
		    stderr, "gamed: daemon.%s: changes only with a restart of gamed\n", setting);
		return 1;
	}
	if (!words_and_access_are_good(config, err, sizeof(err))) {
		fprintf(stderr, "gamed: %s\n", err);
		return 1;
	}
	if (!registry_is_ours(h)) {
		fprintf(stderr,
		    "gamed: the registry has another layout: this version needs a restart of gamed "
		    "(%s)\n",
		    strerror(errno));
		return 1;
	}
	puts(HANDOVER_YES GAMED_VERSION);
	return fflush(stdout) == 0 ? 0 : 1;
}
