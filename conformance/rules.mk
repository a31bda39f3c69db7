# The conformance suite, and its own tests.

# Programs that are tested by default. Another server: SERVER='command {host} {port}', or ADDRESS=host:port.
SMSP_PROGRAMS := server/smspd client/smsp
# A value from the command line as one word of the shell.
quote = '$(subst ','\'',$(1))'
option = $(if $($(1)),$(2) $(call quote,$($(1))))

# Without SERVER and ADDRESS it is our own server, which is held to its own choices too.
CONFORMANCE_OURS = $(if $(SERVER)$(ADDRESS),,yes)
CONFORMANCE_ARGS = $(call option,SERVER,--server) $(call option,ADDRESS,--address) $(call option,NAME,--name) \
	$(call option,FRAMING,--framing) $(call option,CONNECTION,--connection) $(call option,LIMITS,--limits) \
	$(call option,TIMEOUT,--timeout) $(call option,DELIVERY,--delivery) $(call option,CASES,--cases) \
	$(call option,SKIP,--skip) $(call option,EXPECT_FAIL,--expect-fail) $(call option,JOBS,--jobs) \
	$(call option,JUNIT,--junit) $(call option,JSON,--json) \
	$(if $(LEVEL),--level $(call quote,$(LEVEL)),$(if $(CONFORMANCE_OURS),--level choice)) \
	--html $(if $(HTML),$(call quote,$(HTML)),conformance/report.html)

# A misspelt variable would have another server tested than was meant, or all of it.
CONFORMANCE_WORDS := SERVER ADDRESS NAME FRAMING CONNECTION LIMITS TIMEOUT DELIVERY CASES SKIP EXPECT_FAIL JOBS \
	JUNIT JSON HTML LEVEL
BUILD_WORDS := CC CFLAGS CPPFLAGS LDFLAGS AR VARIANT PREFIX DESTDIR PKG_CONFIG WERROR NONE FULL EXAMPLES EXPLORE
CONFORMANCE_STRANGE = $(filter-out $(CONFORMANCE_WORDS) $(BUILD_WORDS),$(foreach name,$(.VARIABLES), \
	$(if $(findstring command line,$(origin $(name))),$(name))))

.PHONY: conformance
conformance: ## play every transcript against our server, or SERVER='cmd {host} {port}' or ADDRESS=host:port
	@$(if $(CONFORMANCE_STRANGE),echo 'make conformance: $(firstword $(CONFORMANCE_STRANGE)) is no variable of it;' \
		'known: $(CONFORMANCE_WORDS)' >&2; exit 2)
	@ci/deps conformance || $(if $(CONFORMANCE_OURS),exit 3,echo "make conformance: going on without what is lacking" >&2)
	@$(if $(CONFORMANCE_OURS),$(MAKE) --no-print-directory -s all)
	@conformance/smsp-conformance $(if $(CONFORMANCE_OURS),--bats) $(CONFORMANCE_ARGS)

CLEAN += conformance/report.html

# ---- The transcripts against the engine alone, in one process

REPLAY := $(B)/conformance/replay
FLAT := build/flat

$(REPLAY): $(B)/conformance/replay.o $(B)/conformance/replay_server.o $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

# Written anew when a case or what writes it has changed; a folder's date tells of cases that are gone.
$(FLAT)/LEFT-OUT: $(shell exec find conformance/cases conformance/runner -name __pycache__ -prune -o -print)
	@rm -rf $(FLAT)
	@conformance/smsp-conformance --export $(FLAT) >$(FLAT).log || { cat $(FLAT).log; exit 1; }

.PHONY: replay conformance-replay
replay: $(REPLAY) $(FLAT)/LEFT-OUT

conformance-replay: ## play the transcripts against the engine in one process, without sockets
	@ci/deps build conformance
	@$(MAKE) --no-print-directory -s replay
	@$(REPLAY) $(FLAT)/*.flat

# ---- The suite's own tests

# Each 40th mutant against the cases that notice it, beside the tests; all of them with conformance-mutants.
.PHONY: check-conformance-servers
check-conformance-servers: ## test the suite with whole servers: ours and the reference in every style, a class of them
	@ci/deps conformance report random
	@$(MAKE) --no-print-directory -s all
	@conformance/tests/run test_servers test_batch

.PHONY: check-conformance-long
check-conformance-long: ## diagnose every habit and broken server of the suite's tests, some minutes
	@ci/deps conformance report random
	@$(MAKE) --no-print-directory -s all
	@SMSP_LONG=1 conformance/tests/run test_habits test_behaviour test_broken test_right test_wrong

.PHONY: check-conformance conformance-mutants conformance-random conformance-coverage gradescope
check-conformance: ## test the conformance suite itself
	@ci/deps conformance report random
	@$(MAKE) --no-print-directory -s all
	@conformance/tests/run -test_servers -test_batch
	@conformance/mutants/check --every 40
	@conformance/random/compare --examples 20

# FULL=1 plays all cases against all mutants, which takes long, and writes mutants/caught.txt.
conformance-mutants: ## run the suite against known-bad servers, each of which it must notice (FULL=1: with all cases)
	@ci/deps conformance
	@$(MAKE) --no-print-directory -s all
	@conformance/mutants/check $(if $(FULL),--full)

# Each style is a run of its own with the server's default options; DELIVERY=all takes eight times as long.
STYLES := lf-keep lf-each crlf-keep crlf-each nul-keep nul-each none-keep none-each
.PHONY: conformance-styles $(STYLES:%=conformance-style-%)
conformance-styles: $(STYLES:%=conformance-style-%) ## all cases against our server under every framing and connection style
$(STYLES:%=conformance-style-%): conformance-style-%:
	@ci/deps conformance && $(MAKE) --no-print-directory -s all
	@conformance/smsp-conformance --tap --level choice --delivery $(or $(DELIVERY),whole) \
		--framing $(firstword $(subst -, ,$*)) --connection $(lastword $(subst -, ,$*)) --timeout 5

# For so many seconds; then EXAMPLES more against the reference server, whose choices and DUMPs are ours.
conformance-random: ## drive our server with random requests, judged by the model (EXPLORE=60 seconds, EXAMPLES=40)
	@ci/deps conformance random
	@$(MAKE) --no-print-directory -s all
	@conformance/smsp-conformance --explore $(or $(EXPLORE),60)
	@conformance/random/compare --examples $(or $(EXAMPLES),40)

conformance-coverage: ## say which lines of the transcript runner its own tests reach
	@ci/deps conformance report
	@$(MAKE) --no-print-directory -s all
	@conformance/tests/run --coverage

gradescope: ## pack the autograder for Gradescope (build/gradescope.zip)
	@mkdir -p build
	@conformance/gradescope/pack build/gradescope.zip
	@echo build/gradescope.zip
