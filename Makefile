# gamed's one Makefile. Everything that is made stands under $(BUILD).
#
#   make            build/gamed, build/gamectl and build/words
#   make check      unit tests, scenarios, lint (what ./scripts/check runs)
#   make asan       the tests again under AddressSanitizer and UBSan
#   make bench      measurements, as ratios to references of the same run
#   make install    DESTDIR and prefix are honoured
#   make clean

BUILD	?= build
prefix	?= /usr/local
sbindir	?= $(prefix)/sbin
bindir	?= $(prefix)/bin
datadir	?= $(prefix)/share
mandir	?= $(datadir)/man
sysconfdir ?= /etc
VERSION	:= 0.1.0

CC	?= gcc
PKGS	:= libevent_core libevent_extra libbsd-overlay libmd libcjson inih zlib libseccomp
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) smartcols)
PKG_LIBS := $(shell pkg-config --libs $(PKGS))
CTL_LIBS := $(shell pkg-config --libs smartcols)

WARN	:= -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wstrict-prototypes \
	   -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wformat=2 -Wvla -Werror
HARDEN	:= -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2
LINKHARDEN := -pie -Wl,-z,relro,-z,now,-z,noexecstack
OPT	?= -O2 -g
CFLAGS	+= -std=gnu17 $(OPT) $(WARN) $(HARDEN) $(SAN)
CPPFLAGS += -D_GNU_SOURCE -I. $(PKG_CFLAGS) -DGAMED_VERSION='"$(VERSION)"' \
	   -DGAMED_DATADIR='"$(datadir)/gamed"' -DGAMED_SYSCONFDIR='"$(sysconfdir)/gamed"' $(DEFS)
LDFLAGS	+= $(LINKHARDEN) $(SAN)

# A folder is a program or its library; main.c alone is left out of the library.
COMMON	:= $(wildcard common/*.c)
WORKER	:= $(wildcard worker/*.c worker/games/*.c)
DAEMON	:= $(filter-out daemon/main.c,$(wildcard daemon/*.c))
CTL	:= $(filter-out daemon/ctl/main.c,$(wildcard daemon/ctl/*.c))
TESTLIB	:= $(wildcard tests/lib/*.c)
CHECKS	:= $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/check_*.c))
TOOLS	:= $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/tool_*.c tests/bench_*.c))

obj	= $(patsubst %.c,$(BUILD)/%.o,$(1))

all: $(BUILD)/gamed $(BUILD)/gamectl $(BUILD)/words

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/libcommon.a: $(call obj,$(COMMON))
$(BUILD)/libworker.a: $(call obj,$(WORKER))
$(BUILD)/libdaemon.a: $(call obj,$(DAEMON))
$(BUILD)/libctl.a: $(call obj,$(CTL))
$(BUILD)/libtest.a: $(call obj,$(TESTLIB))
$(BUILD)/lib%.a:
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/gamed: $(BUILD)/daemon/main.o $(BUILD)/libdaemon.a $(BUILD)/libworker.a $(BUILD)/libcommon.a
	$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(BUILD)/gamectl: $(BUILD)/daemon/ctl/main.o $(BUILD)/libctl.a $(BUILD)/libcommon.a
	$(CC) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) $(CTL_LIBS)

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(BUILD)/libtest.a $(BUILD)/libdaemon.a $(BUILD)/libworker.a $(BUILD)/libctl.a $(BUILD)/libcommon.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(shell pkg-config --libs check) $(PKG_LIBS) $(CTL_LIBS)

clean:
	rm -rf $(BUILD)

.PHONY: all check asan bench install clean
.SECONDARY:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
