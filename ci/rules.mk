# Tests, lint and installation.

INSTALL ?= install
# exec: through a shell, which finds sed in an empty environment too.
VERSION := $(shell exec sed -n 's/^.define SMSP_VERSION "\(.*\)"/\1/p' engine/smsp.h)
MAN1 := $(wildcard client/*.1 client/load/*.1)
MAN8 := $(wildcard server/*.8)
INSTALLED := bin/smsp sbin/smspd include/smsp.h lib/libsmsp.a lib/pkgconfig/smsp.pc \
	$(patsubst %,share/man/man1/%,$(notdir $(MAN1))) $(MAN8:server/%=share/man/man8/%)
# below,FILES: where they go, quoted.
below = $(foreach file,$(1),"$(DESTDIR)$(PREFIX)/$(file)")

# The usual build says at its end which parts are in, as the programs themselves tell it.
ifeq ($(VARIANT),release)
all: $(B)/.told
$(B)/.told: server/smspd client/smsp
	@for program in $^; do $$program --version || echo "$$program does not run on this machine"; done
	@touch $@
endif

# What several jobs of a test run build: here once, before they run side by side.
TEST_PROGRAMS = tested load replay minimal $(MINIMAL_DAMAGED) $(ENGINE_TESTS) $(BENCH_ECHO) $(BENCH_ENGINE)

.PHONY: test check lint install uninstall check-ci check-build check-install
test: ## run every test: units, sanitizers, conformance, fuzz smoke, lint; JOBS="lint check-server" for some
	@ci/deps test
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory -s $(TEST_PROGRAMS)
	@ci/test $(JOBS)

check: ## the quick tests, for each change: units, transcripts in one process, lint of what differs from git's last commit
	@ci/deps unit lint conformance
	@$(MAKE) --no-print-directory -s all
	@ci/test --jobs ci/jobs-quick

# The packages come before the build: a bare system has no compiler.
lint: ## check style, static analysis and the project's own rules
	@ci/deps lint
	@$(MAKE) --no-print-directory -s $(B)/libsmsp.a
	@ci/lint

check-ci: ## test ci/deps, ci/test and the lint themselves
	@ci/deps unit lint coverage conformance
	@$(MAKE) --no-print-directory -s replay
	@bats ci/tests/test_deps.bats ci/tests/test_runner.bats ci/tests/test_rules.bats ci/tests/test_coverage.bats ci/tests/test_engine_tools.bats ci/tests/test_programs.bats ci/tests/test_places.bats

check-build: ## test the build: incremental, with both compilers, with the core alone
	@ci/deps unit fuzz
	@bats ci/tests/test_build.bats

check-install: ## test make install and make uninstall, and the manual pages
	@ci/deps unit
	@$(MAKE) --no-print-directory -s all
	@bats ci/tests/test_install.bats ci/tests/test_manual.bats

# What the tests of server/ and client/ run.
.PHONY: coverage coverage-programs tested
coverage: ## measure lines, branches and MC/DC of engine/, and fail if any is not reached; pages in build/coverage/html
	@ci/deps coverage conformance
	@ci/coverage

coverage-programs: ## measure lines and branches of server/ and client/, and fail below 95 %; pages in build/coverage-programs/html
	@ci/deps coverage chaos
	@ci/coverage_programs

.PHONY: check-portable analyse
check-portable: ## build and test engine and server across compilers, word sizes, byte orders and C libraries
	@ci/deps portable unit conformance
	@$(MAKE) --no-print-directory -s replay
	@status=0; ci/portable || status=1; ci/portable-server || status=1; exit $$status

analyse: ## run the analysers that take minutes: gcc -fanalyzer, scan-build, sparse, clang -Weverything
	@ci/deps analyse
	@ci/analyse

.PHONY: pictures
pictures: all ## draw the pictures of README.md from real output into .github/pictures
	@ci/deps pictures
	@ci/pictures

.PHONY: footprint mutation
footprint: ## write engine/FOOTPRINT.md: code, stack and state in bytes, and no recursion
	@ci/deps unit lint
	@ci/footprint

# SAMPLE mutants of the choice SEED.
SAMPLE ?= 500
SEED ?= 1
mutation: ## change the engine in SAMPLE (500) small ways and check that the tests detect each
	@ci/deps unit conformance
	@$(MAKE) --no-print-directory -s replay
	@ci/mutation --sample $(SAMPLE) --seed $(SEED)

install: all ## install programs, library, header and manual below PREFIX (/usr/local), in DESTDIR if given
	$(INSTALL) -d $(call below,$(sort $(dir $(INSTALLED))))
	$(INSTALL) -m 755 client/smsp $(call below,bin/smsp)
	$(INSTALL) -m 755 server/smspd $(call below,sbin/smspd)
	$(INSTALL) -m 644 engine/smsp.h $(call below,include/smsp.h)
	$(INSTALL) -m 644 $(LIBSMSP) $(call below,lib/libsmsp.a)
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' ci/smsp.pc.in >$(B)/smsp.pc
	$(INSTALL) -m 644 $(B)/smsp.pc $(call below,lib/pkgconfig/smsp.pc)
	$(if $(MAN1),$(INSTALL) -m 644 $(MAN1) $(call below,share/man/man1))
	$(if $(MAN8),$(INSTALL) -m 644 $(MAN8) $(call below,share/man/man8))

uninstall: ## remove what make install put there
	rm -f $(call below,$(INSTALLED))
