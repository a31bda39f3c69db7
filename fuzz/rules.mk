# Fuzzing: the targets and their builds. See fuzz/README.md.

# The target store needs SQLite, which is not compiled with MemorySanitizer: its writes would count as unwritten.
FUZZ_STORE := $(if $(filter fuzz-msan%,$(VARIANT)),,$(if $(call has,sqlite3),store))
FUZZ_TARGETS := parser frame session ops reply effect slot limits memory $(FUZZ_STORE)
FUZZ_TIME ?= 60

# Builds (VARIANT=fuzz-...); -tiny has limits so small that a few bytes reach each of them.
#   fuzz-replay  no fuzzer, any compiler; counts the engine's basic blocks
#   fuzz-san     libFuzzer, AddressSanitizer, UndefinedBehaviorSanitizer
#   fuzz-msan    libFuzzer, MemorySanitizer
#   fuzz-plain   libFuzzer without sanitizers
#   fuzz-afl     AFL++; fuzz-afl-san: with the sanitizers of fuzz-san; fuzz-afl-cmplog: the
#                second program, for CMPLOG (logs the operands of comparisons)
#   fuzz-cov     no fuzzer, for coverage reports
FUZZ_LIMITS := $(if $(filter %-tiny,$(VARIANT)),-DSMSP_NAME_MAX=4u -DSMSP_PASSWORD_MAX=5u \
	-DSMSP_CONTENT_MAX=56u -DSMSP_COOKIE_BYTES=1u)
FUZZ_SAN := -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=
FUZZ_KIND := $(patsubst %-tiny,%,$(filter fuzz-%,$(VARIANT)))
FUZZ_CC_fuzz-replay := $(CC)
FUZZ_CFLAGS_fuzz-replay := -O1 -g
FUZZ_CC_fuzz-san := clang
FUZZ_CFLAGS_fuzz-san := -O2 -g $(FUZZ_SAN)fuzzer-no-link,address,undefined
FUZZ_CC_fuzz-msan := clang
FUZZ_CFLAGS_fuzz-msan := -O2 -g $(FUZZ_SAN)fuzzer-no-link,memory
FUZZ_CC_fuzz-plain := clang
FUZZ_CFLAGS_fuzz-plain := -O2 -g -fsanitize=fuzzer-no-link
FUZZ_CC_fuzz-afl := afl-clang-fast
FUZZ_CFLAGS_fuzz-afl := -O2 -g
FUZZ_CC_fuzz-afl-san := afl-clang-fast
FUZZ_CFLAGS_fuzz-afl-san := -O2 -g $(FUZZ_SAN)address,undefined
FUZZ_CC_fuzz-afl-cmplog := afl-clang-fast
FUZZ_CFLAGS_fuzz-afl-cmplog := -O2 -g
FUZZ_CC_fuzz-cov := clang
FUZZ_CFLAGS_fuzz-cov := -O0 -g -fprofile-instr-generate -fcoverage-mapping

ifneq ($(FUZZ_KIND),)
override CC := $(FUZZ_CC_$(FUZZ_KIND))
override CFLAGS := $(FUZZ_CFLAGS_$(FUZZ_KIND))
override CPPFLAGS += $(FUZZ_LIMITS)
ifeq ($(FUZZ_KIND),fuzz-afl-cmplog)
export AFL_LLVM_CMPLOG := 1
endif
FUZZ_SELF := $(filter fuzz-replay fuzz-cov,$(FUZZ_KIND))
endif
FUZZ_ENGINE := -fsanitize=fuzzer
ifeq ($(FUZZ_KIND),fuzz-replay)
$(ENGINE_OBJ): override CFLAGS += -fsanitize-coverage=trace-pc
FUZZ_WORK := -DCOUNT_WORK
endif

FUZZ_COMMON := model model_wire oracle transcript world
FUZZ_COMMON_OBJ := $(FUZZ_COMMON:%=$(B)/fuzz/common/%.o) $(B)/server/slot_entry.o $(B)/client/output.o \
	$(if $(FUZZ_SELF),$(B)/fuzz/common/replay.o)
# The format of the target's inputs, if one of our mutators knows it.
FUZZ_LANGUAGE_session := session
FUZZ_LANGUAGE_frame := session
FUZZ_LANGUAGE_ops := ops
fuzz_mutator = $(if $(FUZZ_LANGUAGE_$(1)),$(B)/fuzz/common/mutator_$(FUZZ_LANGUAGE_$(1)).o \
	$(B)/fuzz/common/mutator_libfuzzer.o)

# The target store contains the server's loader.
FUZZ_STORE_OBJ := $(patsubst %,$(B)/%.o,fuzz/common/database $(patsubst %,server/%,store/store_sqlite store/store_tables store/store_load log))
# As in server/rules.mk, which the copies of find-bugs do not have.
$(FUZZ_STORE_OBJ): override CPPFLAGS += -Iserver
$(B)/fuzz/store: override LDFLAGS += -Wl,--wrap=write
$(B)/fuzz/store: LDLIBS += $(call libs,sqlite3)
fuzz_store_CFLAGS := $(call cflags,sqlite3)
database_CFLAGS := $(fuzz_store_CFLAGS)

# The checks are compiled without instrumentation: they must not guide the fuzzer, and are faster.
ifneq ($(filter fuzz-san fuzz-msan fuzz-plain fuzz-afl%,$(FUZZ_KIND)),)
FUZZ_QUIET := $(patsubst %,$(B)/fuzz/common/%.o,$(FUZZ_COMMON) database) $(FUZZ_TARGETS:%=$(B)/fuzz/targets/fuzz_%.o) \
	$(B)/engine/check.o $(B)/engine/snapshot.o $(B)/engine/siphash.o
$(FUZZ_QUIET): override CC := clang
$(FUZZ_QUIET): override CFLAGS := -O2 -g $(if $(filter fuzz-msan,$(FUZZ_KIND)),$(FUZZ_SAN)memory)
# No tracing of comparisons: fuzz/dict and our mutators know the words that the engine compares.
FUZZ_BLIND := $(filter-out $(FUZZ_QUIET),$(ENGINE_OBJ))
$(FUZZ_BLIND): override CFLAGS += $(if $(filter fuzz-afl%,$(FUZZ_KIND)),,-fno-sanitize-coverage=trace-cmp)
# The target memory tests smsp_state_check itself, so it is linked with an instrumented copy. Without
# the check of bool: in overwritten memory a bool may hold any value.
FUZZ_CHECK := $(B)/fuzz/check.o
$(FUZZ_CHECK): engine/check.c $(B)/.flags
	@mkdir -p $(@D)
	$(CC) $(SMSP_CFLAGS) $(CPPFLAGS) $(CFLAGS) $(if $(findstring undefined,$(CFLAGS)),-fno-sanitize=bool) -c $< -o $@
endif

# Some flags are only in this file, which is therefore a prerequisite.
$(if $(FUZZ_KIND),$(ENGINE_OBJ) $(FUZZ_COMMON_OBJ)) $(FUZZ_CHECK) $(B)/fuzz/.rules: fuzz/rules.mk

$(B)/fuzz/%.o: override CPPFLAGS += -D_POSIX_C_SOURCE=200809L -Ifuzz/common -Iserver -Iclient $(FUZZ_WORK)

FUZZ_PROGRAMS := $(FUZZ_TARGETS:%=$(B)/fuzz/%) $(B)/fuzz/selftest
.SECONDEXPANSION:
$(FUZZ_PROGRAMS): $(B)/fuzz/%: $(B)/fuzz/targets/fuzz_%.o $(FUZZ_COMMON_OBJ) $$(if $$(filter store,$$*),$(FUZZ_STORE_OBJ)) \
		$$(if $$(filter memory,$$*),$(FUZZ_CHECK)) $(LIBSMSP) \
		$$(if $$(FUZZ_SELF)$$(filter fuzz-afl%,$$(FUZZ_KIND)),,$$(call fuzz_mutator,$$*))
	$(CC) $(CFLAGS) $(if $(FUZZ_SELF),,$(FUZZ_ENGINE)) $(LDFLAGS) $^ $(LDLIBS) -o $@

# The mutators as libraries for AFL++.
$(B)/fuzz/mutator-%.so: fuzz/common/mutator_%.c fuzz/common/mutator_afl.c fuzz/common/mutator.h
	@mkdir -p $(@D)
	cc -std=c11 $(WARNINGS) -O2 -fPIC -shared $(filter %.c,$^) -o $@

# The unpacked corpora. The stamp is beside the folder, which contains only inputs.
build/corpus/%.ok: fuzz/corpus/%.zip fuzz/corpora.py
	@fuzz/corpora.py unpack $< build/corpus/$*
	@touch $@

.PHONY: fuzz-programs fuzz-inputs
fuzz-programs: $(FUZZ_PROGRAMS) fuzz-inputs

fuzz-inputs: $(FUZZ_TARGETS:%=build/corpus/%.ok) ## unpack the corpora to build/corpus/TARGET

-include $(wildcard $(B)/fuzz/*/*.d)

# ---- Commands ----

.PHONY: fuzz $(FUZZ_TARGETS:%=fuzz-%) $(FUZZ_TARGETS:%=afl-%) fuzz-corpus fuzz-bugs fuzz-cov fuzz-server fuzz-speed check-fuzz check-fuzz-long
fuzz: ## fuzz every target with libFuzzer, FUZZ_TIME=60 seconds each
	@ci/deps fuzz
	@fuzz/campaign --time $(FUZZ_TIME)

fuzz-parser: ## fuzz one target for FUZZ_TIME=60 seconds (fuzz-frame, fuzz-session, fuzz-ops, fuzz-reply, fuzz-effect, fuzz-slot, fuzz-limits, fuzz-memory, fuzz-store)
$(FUZZ_TARGETS:%=fuzz-%): fuzz-%:
	@ci/deps fuzz
	@fuzz/campaign --time $(FUZZ_TIME) $*

afl-session: ## fuzz one target with AFL++ (afl-parser and so on), FUZZ_TIME=60 seconds
$(FUZZ_TARGETS:%=afl-%): afl-%:
	@ci/deps fuzz
	@fuzz/afl --time $(FUZZ_TIME) $*

fuzz-corpus: ## minimise the corpora in fuzz/corpus, with new seeds and the inputs that campaigns found
	@ci/deps fuzz conformance
	@fuzz/minimise

fuzz-bugs: ## plant the bugs of fuzz/bugs one by one, and check that each is found
	@ci/deps fuzz
	@fuzz/find-bugs

fuzz-cov: ## measure the coverage of the engine by the conformance transcripts, the corpora, and both
	@ci/deps fuzz conformance
	@fuzz/coverage

fuzz-speed: ## measure the runs per CPU second of each target in each build
	@ci/deps fuzz
	@fuzz/speed

fuzz-server: ## fuzz the forking server over loopback, FUZZ_TIME=60 seconds
	@ci/deps fuzz
	@fuzz/fuzz-server --time $(FUZZ_TIME)

check-fuzz: ## run all corpora and regressions, fuzz for some seconds, test the fuzzing scripts
	@ci/deps fuzz
	@bats fuzz/tests/test_fuzz.bats

check-fuzz-long: ## test what takes minutes: AFL++, MemorySanitizer, the forking server, a planted bug
	@ci/deps fuzz
	@bats fuzz/tests/test_fuzz_long.bats
