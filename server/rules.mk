# smspd, the server, and its tests.

SMSPD := $(if $(filter release,$(VARIANT)),server/smspd,$(B)/smspd)
SMSPD_CORE := main options supervisor listener arrivals refusal worker worker_input worker_collect worker_answer worker_login reply_buffer keeper persist dump slot slot_entry yield usage log \
	secret/permit sandbox/confine sandbox/root
# Headers of the core are found from every room of server/.
$(B)/server/%.o: CPPFLAGS += -Iserver

SMSPD_OBJ := $(patsubst %,$(B)/server/%.o,$(SMSPD_CORE) $(SMSPD_STORE) $(SMSPD_SECRET) $(SMSPD_SANDBOX))

# All symbols are bound before the first fork, and read-only then: a worker that binds
# its own takes 11 page faults more (ci/bench/LOG.md).
$(SMSPD): $(SMSPD_OBJ) $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $(HARDEN_LINK) $^ $(SMSPD_LIBS) -o $@

all: $(SMSPD)

# The whole idea in one file, to be read first.
MINIMAL := $(if $(filter release,$(VARIANT)),server/minimal/smspd-minimal,$(B)/smspd-minimal)

$(MINIMAL): $(B)/server/minimal/smspd-minimal.o $(SMSPD_SECRET:%=$(B)/server/%.o) $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $(HARDEN_LINK) $^ $(SMSPD_LIBS) -lpthread -o $@

.PHONY: minimal check-minimal
minimal: $(MINIMAL) ## build server/minimal/smspd-minimal, the server in one file

# The same for a test, with a check that always finds the state damaged.
MINIMAL_DAMAGED := $(B)/smspd-minimal-damaged
$(B)/server/tests/minimal_damaged.o: server/minimal/smspd-minimal.c
$(MINIMAL_DAMAGED): $(B)/server/tests/minimal_damaged.o $(SMSPD_SECRET:%=$(B)/server/%.o) $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(SMSPD_LIBS) -lpthread -o $@

check-minimal: $(MINIMAL) $(MINIMAL_DAMAGED) ## test the minimal server: conformance, and a process killed with the lock
	@ci/deps conformance
	@SMSPD_MINIMAL="$$PWD/$(MINIMAL)" SMSPD_MINIMAL_DAMAGED="$$PWD/$(MINIMAL_DAMAGED)" bats server/tests/test_minimal.bats

# The same with a store that refuses on demand, for the tests.
SMSPD_REFUSING := $(B)/smspd-refusing

$(SMSPD_REFUSING): $(filter-out $(SMSPD_STORE:%=$(B)/server/%.o),$(SMSPD_OBJ)) $(B)/server/tests/test_store_refusing.o $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(SMSPD_LIBS) -o $@

$(B)/server/tests/test_slot: $(B)/server/tests/test_slot.o $(B)/server/slot.o $(B)/server/slot_entry.o $(B)/server/yield.o $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcmocka -o $@

$(B)/server/tests/test_yield: $(B)/server/tests/test_yield.o $(B)/server/yield.o
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcmocka -o $@

$(B)/server/tests/test_fair: $(patsubst %,$(B)/server/%.o,tests/test_fair usage arrivals secret/permit)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcmocka -o $@

$(B)/server/tests/test_listener: $(B)/server/tests/test_listener.o $(B)/server/listener.o $(B)/server/log.o
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcmocka -o $@

# A disk that fails on command, for SQLite in the server (LD_PRELOAD).
FAULT_DISK := $(B)/fault_disk.so
fault_disk_CFLAGS := -fPIC

# Calls that fail on command, in any of our programs (LD_PRELOAD).
FAULT_CALLS := $(B)/fault_calls.so
fault_calls_CFLAGS := -fPIC

# One call that this system refuses, always (LD_PRELOAD).
REFUSED_CALLS := $(B)/refused_calls.so
refused_calls_CFLAGS := -fPIC

$(FAULT_DISK) $(FAULT_CALLS) $(REFUSED_CALLS): $(B)/%.so: $(B)/server/tests/%.o
	$(CC) $(CFLAGS) $(LDFLAGS) -shared $^ -o $@

STORE_TEST_OBJ := $(patsubst %,$(B)/server/%.o,tests/store_fixture tests/fault_disk log $(SMSPD_STORE))
$(B)/server/tests/test_store $(B)/server/tests/test_store_refused: %: %.o $(STORE_TEST_OBJ) $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(SMSPD_LIBS) -lcmocka -o $@

$(B)/server/tests/test_sandbox: $(B)/server/tests/test_sandbox.o $(SMSPD_SANDBOX:%=$(B)/server/%.o)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ $(SMSPD_LIBS) -lcmocka -o $@

# Parts that are not in have no tests.
SMSPD_UNIT := $(B)/server/tests/test_slot $(B)/server/tests/test_yield $(B)/server/tests/test_fair \
	$(B)/server/tests/test_listener \
	$(if $(parts_store),$(B)/server/tests/test_store $(B)/server/tests/test_store_refused) \
	$(if $(parts_sandbox),$(B)/server/tests/test_sandbox)

# The folder may have any name, so the shell writes it, in quotes.
SMSPD_TESTED := SMSPD="$$PWD/$(SMSPD)" SMSPD_REFUSING="$$PWD/$(SMSPD_REFUSING)" \
	SMSPD_FAULTS="$$PWD/$(FAULT_DISK)" SMSPD_REFUSALS="$$PWD/$(REFUSED_CALLS)" FAULT_CALLS_SO="$$PWD/$(FAULT_CALLS)" \
	$(if $(parts_sandbox),SMSPD_SANDBOX_TEST="$$PWD/$(B)/server/tests/test_sandbox")

SMSPD_BATS := $(patsubst %,server/tests/test_%.bats,options server store access places root sandbox chaos)

tested: $(SMSPD) $(SMSPD_REFUSING) $(FAULT_DISK) $(FAULT_CALLS) $(REFUSED_CALLS) $(SMSPD_UNIT)

RUN_SMSPD_UNIT := status=0; for t in $(SMSPD_UNIT); do $$t || status=1; done

.PHONY: check-server check-server-units check-server-san check-server-faults check-server-long
check-server: $(SMSPD) $(SMSPD_REFUSING) $(FAULT_DISK) $(REFUSED_CALLS) $(SMSPD_UNIT) ## test the server: slots, options, processes, limits
	@$(RUN_SMSPD_UNIT); $(SMSPD_TESTED) bats $(SMSPD_BATS) || status=1; exit $$status

check-server-units: $(SMSPD_UNIT) ## run the server's unit tests alone
	@$(RUN_SMSPD_UNIT); exit $$status

# Started by root, the server gives up /proc, which the search for leaks reads: it is off then.
check-server-san: export ASAN_OPTIONS = $(if $(filter 0,$(shell id -u)),detect_leaks=0)
check-server-san: ## run the server's tests under AddressSanitizer and UndefinedBehaviorSanitizer
	+$(MAKE) VARIANT=san CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" check-server

check-server-faults: $(SMSPD) $(FAULT_CALLS) ## let each system call of the server fail once; lose a permit to hash a password
	@ci/deps chaos
	@$(SMSPD_TESTED) bats $(if $(FAULTS),-f "$(FAULTS)") server/tests/test_faults.bats

check-server-long: $(SMSPD) ## long tests of the server: 20,000 connections, 200 killed workers, 16,000 pairs of MESSAGE and STORE
	@$(SMSPD_TESTED) bats server/tests/test_long.bats

# The seed repeats a run's decisions; without one it is random and printed.
CHAOS_TIME ?= 60

.PHONY: chaos
chaos: $(SMSPD) $(FAULT_DISK) ## kill, stop and starve a server under load, and count what is lost: CHAOS_TIME=60 CHAOS_SEED=
	@ci/deps chaos
	@$(SMSPD_TESTED) /usr/bin/python3 server/tests/chaos.py --time $(CHAOS_TIME) $(if $(CHAOS_SEED),--seed $(CHAOS_SEED))

.PHONY: bench-durable
bench-durable: $(SMSPD) load ## compare smspd --data with bare SQLite commits and redis-server --appendfsync always
	@ci/deps bench
	@$(SMSPD_TESTED) /usr/bin/python3 server/tests/durable_bench.py

.PHONY: attacks
attacks: $(SMSPD) ## measure how long an innocent client waits during each attack: ATTACK_CLIENTS="64 500"
	@ci/deps chaos
	@$(SMSPD_TESTED) server/tests/attacks.py 3 $(ATTACK_CLIENTS)
