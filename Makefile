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

# For programs that fork for each client.
BIND_NOW := -Wl,-z,relro,-z,now

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
	$(CC) $(SMSP_CFLAGS) $(CPPFLAGS) $(CFLAGS) $($(notdir $*)_CFLAGS) -c $< -o $@

# Objects are made again when the compiler or its flags change.
FLAGS := $(CC) $(SMSP_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS)
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
