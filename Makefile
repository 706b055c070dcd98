# gamed's one Makefile. Everything that is made stands under $(BUILD).
#
#   make            build/gamed, build/gamectl and build/words
#   make check      every test and the source checks (./scripts/check)
#   make cases      which tests cover the cases of supervision, and how they went
#   make chaos      games under 10,000 kills, and the long forms of other tests
#   make check-init  under init systems, for real (INITBED=PROGRAM: in whole machines, too)
#   make asan       the tests under AddressSanitizer and UBSan alone
#   make bench      measurements, as ratios to references of the same run
#   make install    honours DESTDIR and prefix
#   make deb        Debian packages in build/deb (VERSION=... for another version)
#   make clean
#
# BUILD=DIR builds elsewhere; CC=clang; V=1 shows the commands. For tests: FAULTS=1 builds in the places
# at which a process can be made to fail (common/fault.h), SANITIZE=1 the sanitizers.

VERSION	:= 0.1.0
BUILD	?= build
prefix	?= /usr/local
sbindir	?= $(prefix)/sbin
bindir	?= $(prefix)/bin
datadir	?= $(prefix)/share
mandir	?= $(datadir)/man
sysconfdir ?= /etc
libdir	?= $(prefix)/lib
unitdir	?= $(libdir)/systemd/system
zshdir	?= $(datadir)/zsh/site-functions

ifeq ($(origin CC),default)
CC	:= gcc
endif
PKGS	:= libevent_extra libevent_core libbsd-overlay libmd libcjson inih zlib libseccomp
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) smartcols) $(shell pkg-config --cflags-only-I ncursesw)
# Static where Debian has the archive: each shared library is five mappings more, which every fork of a session copies.
static	= $(if $(findstring /,$(shell $(CC) -print-file-name=$(1:-l%=lib%.a))),$(1:-l%=-l:lib%.a),$(1))
PKG_LIBS := $(foreach l,$(shell pkg-config --libs $(PKGS)),$(call static,$l)) -lm
CTL_LIBS := $(shell pkg-config --libs smartcols ncursesw)
TEST_LIBS = $(shell pkg-config --libs check)

OPT	?= -O2 -g
WARN	:= -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
	   -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wformat=2 -Wvla -Werror
HARDEN	:= -fstack-protector-strong -D_FORTIFY_SOURCE=2
ifdef SANITIZE
OPT	:= -O1 -g -fno-omit-frame-pointer
HARDEN	:=
SAN	:= -fsanitize=address,undefined -fno-sanitize-recover=all
endif
ifdef FAULTS
DEFS	+= -DGAMED_FAULTS
endif
CPPFLAGS += -D_GNU_SOURCE -I. $(PKG_CFLAGS) -DGAMED_VERSION='"$(VERSION)"' \
	   -DGAMED_DATADIR='"$(datadir)/gamed"' -DGAMED_SYSCONFDIR='"$(sysconfdir)/gamed"' $(DEFS)
CFLAGS	+= -std=gnu17 -fPIE $(OPT) $(WARN) $(HARDEN) $(SAN)
# One mapping for code and constants in place of three: every fork copies each.
LDFLAGS	+= -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,noseparate-code $(SAN)

# A folder is a program or its library; main.c alone is left out of the library.
COMMON	:= $(wildcard common/*.c)
WORKER	:= $(wildcard worker/*.c worker/games/*.c)
DAEMON	:= $(filter-out daemon/main.c,$(wildcard daemon/*.c))
CTL	:= $(filter-out daemon/ctl/main.c,$(wildcard daemon/ctl/*.c))
WORDC	:= $(wildcard wordlist/*.c) worker/words_normalise.c
DICTS	:= $(wildcard /usr/share/dict/*-english* /usr/share/hunspell/en_* /usr/share/wordnet/*)
TESTLIB	:= $(wildcard tests/lib/*.c tests/chaos/*.c)
CHECKS	:= $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/check_*.c))
TOOLS	:= $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/tool_*.c))
BENCHES	:= $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/bench_*.c))
MANS	:= $(wildcard man/*.[1-9])
# What the init systems other than systemd read; copied by hand or by a package to where each has its own.
INIT_FILES := openrc/gamed sysvinit/gamed $(patsubst scripts/init/%,%,$(wildcard scripts/init/runit/gamed/* scripts/init/s6/gamed/*))
INIT_PATHS := -e 's|/usr/sbin/gamed|$(sbindir)/gamed|g' -e 's|/usr/bin/gamectl|$(bindir)/gamectl|g'

lib	= $(patsubst %,$(BUILD)/lib%.a,$(1))
obj	= $(patsubst %.c,$(BUILD)/%.o,$(1))
run	= $(if $(V),$(1),@$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,echo '  $(@:$(BUILD)/%=%)';) $(1))

all: $(BUILD)/gamed $(BUILD)/gamectl $(BUILD)/words

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call run,$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<)

$(BUILD)/libcommon.a: $(call obj,$(COMMON))
$(BUILD)/libworker.a: $(call obj,$(WORKER))
$(BUILD)/libdaemon.a: $(call obj,$(DAEMON))
$(BUILD)/libctl.a: $(call obj,$(CTL))
$(BUILD)/libtest.a: $(call obj,$(TESTLIB))
$(BUILD)/lib%.a:
	@mkdir -p $(@D); rm -f $@
	$(call run,ar rcs $@ $^)

$(BUILD)/gamed: $(BUILD)/daemon/main.o $(call lib,daemon worker common)
	$(call run,$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS))

$(BUILD)/gamectl: $(BUILD)/daemon/ctl/main.o $(call lib,ctl common)
	$(call run,$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(CTL_LIBS))

# The word file is compiled from Debian's dictionaries by a program of its own, the only one with libhunspell.
$(BUILD)/wordc: $(call obj,$(WORDC))
	$(call run,$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs hunspell) $(PKG_LIBS))

$(BUILD)/words: $(BUILD)/wordc $(DICTS)
	$(call run,$(BUILD)/wordc $@)

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(call lib,test daemon worker ctl common)
	@mkdir -p $(@D)
	$(call run,$(CC) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) $(PKG_LIBS) $(CTL_LIBS))

tests: all $(CHECKS) $(TOOLS)

# clang-tidy over all but the tests, again when the object was made again.
tidy: $(patsubst %.c,$(BUILD)/%.tidy,$(COMMON) $(WORKER) $(DAEMON) $(CTL) $(WORDC) \
	$(wildcard daemon/main.c daemon/ctl/main.c))

$(BUILD)/%.tidy: $(BUILD)/%.o .clang-tidy
	$(call run,clang-tidy --quiet $*.c -- $(CPPFLAGS) -std=gnu17 2>/dev/null && touch $@)

check:
	./scripts/check

cases:
	@$(MAKE) -s BUILD=build/gcc CC=gcc FAULTS=1 tests
	@./scripts/cases

# The tests that ask how long they are to be (tests/lib/suite.h).
LONG	:= $(patsubst %.c,$(BUILD)/%,$(shell grep -l suite_times tests/check_*.c))
chaos: all $(LONG)
	@set -e; for test in $(LONG); do echo "$$test"; GAMED_LONG=1 $$test; done

check-init: all
	BUILD=$(BUILD) ./scripts/check-init

asan:
	./scripts/check asan

bench: all $(BENCHES) $(TOOLS)
	@BUILD=$(BUILD) ./scripts/bench

install: all
	install -d $(DESTDIR)$(sbindir) $(DESTDIR)$(bindir) $(DESTDIR)$(datadir)/gamed $(DESTDIR)$(sysconfdir)/gamed
	install -m 755 $(BUILD)/gamed $(DESTDIR)$(sbindir)
	install -m 755 $(BUILD)/gamectl $(DESTDIR)$(bindir)
	install -m 644 $(BUILD)/words $(DESTDIR)$(datadir)/gamed
	install -m 644 etc/gamed.conf $(DESTDIR)$(datadir)/gamed/gamed.conf.sample
	test -e $(DESTDIR)$(sysconfdir)/gamed/gamed.conf || \
	    install -m 644 etc/gamed.conf $(DESTDIR)$(sysconfdir)/gamed
	install -d $(DESTDIR)$(unitdir)
	set -e; for name in gamed.service gamed.socket gamed@.service; do \
	    sed $(INIT_PATHS) scripts/init/systemd/$$name >$(DESTDIR)$(unitdir)/$$name; \
	    chmod 644 $(DESTDIR)$(unitdir)/$$name; done
	install -D -m 644 scripts/init/systemd/gamed.sysusers $(DESTDIR)$(libdir)/sysusers.d/gamed.conf
	install -D -m 644 scripts/init/systemd/gamed.tmpfiles $(DESTDIR)$(libdir)/tmpfiles.d/gamed.conf
	set -e; for file in $(INIT_FILES); do \
	    install -D -m $$(stat -c %a scripts/init/$$file) scripts/init/$$file $(DESTDIR)$(datadir)/gamed/init/$$file; \
	    sed -i $(INIT_PATHS) $(DESTDIR)$(datadir)/gamed/init/$$file; done
	install -D -m 644 scripts/completion/gamectl.bash $(DESTDIR)$(datadir)/bash-completion/completions/gamectl
	install -D -m 644 scripts/completion/gamectl.zsh $(DESTDIR)$(zshdir)/_gamectl
	install -D -m 644 scripts/completion/gamectl.fish $(DESTDIR)$(datadir)/fish/vendor_completions.d/gamectl.fish
	set -e; for page in $(MANS); do \
	    install -D -m 644 $$page $(DESTDIR)$(mandir)/man$${page##*.}/$${page##*/}; done

deb:
	env -u MAKEFLAGS -u MFLAGS -u BUILD scripts/deb/build $(BUILD)/deb $(VERSION)

clean:
	rm -rf $(BUILD)

.PHONY: all tests tidy check cases chaos check-init asan bench install clean
.SECONDARY:

-include $(shell find $(BUILD) -path '*/deb' -prune -o -name '*.d' -print 2>/dev/null)
