# smsp. "make help" lists the targets. Each folder's own rules stand in its rules.mk.

CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
PKG_CONFIG ?= pkg-config

# VARIANT names a build beside the usual one, with objects and programs of its own
# below build/: make VARIANT=asan CFLAGS="-O1 -g -fsanitize=address,undefined" check-engine
VARIANT ?= release
B := build/$(VARIANT)

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow
# The prefix map: the same sources give the same programs in any folder. The shell writes
# the folder's name, which may have spaces, quotes and backticks.
SMSP_CFLAGS := -std=c11 $(WARNINGS) $(if $(WERROR),-Werror) -Iengine -MMD -MP \
	"-fdebug-prefix-map=$$PWD=."

# What a caller's environment may hold that changes how the shells, Python and grep work.
unexport BASH_ENV ENV CDPATH GREP_OPTIONS POSIXLY_CORRECT $(filter PYTHON%,$(.VARIABLES))

# What makes a fault harder to use, as far as this compiler and its C library have it: each flag
# is tried. Sanitizers and fuzzers are to see faults instead; HARDEN= builds without. The engine is
# freestanding and proved, so it has only what needs no library.
HARDEN ?= $(if $(findstring -fsanitize,$(CFLAGS))$(filter fuzz-%,$(VARIANT)),,yes)
HARDEN_ALL := -fPIE -fcf-protection=full -mbranch-protection=standard
HARDEN_PROGRAM := -fstack-protector-strong -fstack-clash-protection -ftrivial-auto-var-init=zero \
	-Wp,-U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=3
HARDEN_LINK := $(if $(findstring -static,$(CFLAGS) $(LDFLAGS)),,-pie) -Wl,-z,relro,-z,now

# works,FLAGS: "yes" if a program of string.h compiles and links with them, without a warning.
works = $(shell printf '\043include <string.h>\nint main(int n, char **a) { char b[9]; memset(b, n, sizeof b); return b[n & 7] == **a; }\n' | \
	$(CC) -Werror $(1) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -x c - -o /dev/null >/dev/null 2>&1 && echo yes)
# usable,FLAGS: those that work.
usable = $(if $(call works,$(1)),$(1),$(foreach flag,$(1),$(if $(call works,$(flag)),$(flag))))
HARDEN_ALL := $(if $(HARDEN),$(call usable,$(HARDEN_ALL)))
HARDEN_PROGRAM := $(if $(HARDEN),$(call usable,$(HARDEN_PROGRAM)))
HARDEN_LINK := $(if $(HARDEN),$(call usable,$(HARDEN_LINK)),-Wl,-z,relro,-z,now)

# An empty environment has no PATH, without which make starts nothing.
export PATH ?= /usr/local/bin:/usr/bin:/bin

# has,LIBRARY: "yes" if pkg-config knows it. NONE=1 builds the core alone.
has = $(if $(NONE),,$(shell $(PKG_CONFIG) --exists $(1) 2>/dev/null && echo yes))
# cflags,LIBRARY and libs,LIBRARY: empty if it is not there.
cflags = $(if $(call has,$(1)),$(shell $(PKG_CONFIG) --cflags $(1) 2>/dev/null))
libs = $(if $(call has,$(1)),$(shell $(PKG_CONFIG) --libs $(1) 2>/dev/null))

.PHONY: all clean help
all: ## build server/smspd and client/smsp (the default)

# The engine's first: the others stand on it, and on $(LIBSMSP).
include engine/rules.mk $(filter-out engine/rules.mk,$(sort $(wildcard */*.mk */*/*.mk)))

$(B)/%.o: %.c $(B)/.flags
	@mkdir -p $(@D)
	$(CC) $(SMSP_CFLAGS) $(HARDEN_ALL) $(HARDEN_PROGRAM) $(CPPFLAGS) $(CFLAGS) $($(notdir $*)_CFLAGS) -c $< -o $@

# Objects are made again when the compiler or its flags change.
FLAGS := $(CC) $(SMSP_CFLAGS) $(HARDEN_ALL) $(HARDEN_PROGRAM) $(HARDEN_LINK) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
$(B)/.flags: FORCE
	@command -v $(firstword $(CC)) >/dev/null || \
		{ echo "make: no compiler '$(CC)': install one (ci/deps build does) or name yours with CC="; exit 1; }
	@mkdir -p $(@D)
	@printf '%s\n' '$(FLAGS)' | cmp -s - $@ || printf '%s\n' '$(FLAGS)' >$@
FORCE:

clean: ## remove everything that make made
	rm -rf build server/smspd server/minimal/smspd-minimal client/smsp client/smsp-load $(CLEAN)

help: ## list the targets
	@ci/help $(MAKEFILE_LIST)

-include $(wildcard $(B)/*/*.d $(B)/*/*/*.d)
