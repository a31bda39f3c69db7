# Builds libsmsp.a and its unit tests, and runs the proofs.

ENGINE_SRC := $(wildcard engine/*.c)
# Freestanding: it calls nothing but the functions of string.h.
$(B)/engine/%.o: HARDEN_PROGRAM :=
ENGINE_OBJ := $(ENGINE_SRC:%.c=$(B)/%.o)
LIBSMSP := $(B)/libsmsp.a

$(LIBSMSP): $(ENGINE_OBJ)
	rm -f $@
	$(AR) rcs $@ $^

all: $(LIBSMSP)

ENGINE_TESTS := $(patsubst %.c,$(B)/%,$(wildcard engine/tests/test_*.c))

$(ENGINE_TESTS): %: %.o $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcmocka -o $@

ENGINE_EXAMPLE := $(B)/engine/tests/example

$(ENGINE_EXAMPLE): %: %.o $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

.PHONY: check-engine check-engine-san
check-engine: $(ENGINE_TESTS) $(ENGINE_EXAMPLE) ## run the engine's unit tests
	@status=0; for t in $(ENGINE_TESTS) "engine/tests/check_example $(ENGINE_EXAMPLE)" engine/tests/check_command; do $$t || status=1; done; exit $$status

check-engine-san: ## run them under AddressSanitizer and UndefinedBehaviorSanitizer
	+$(MAKE) VARIANT=san CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" check-engine

.PHONY: prove check-prove
prove: ## prove with Frama-C and Z3 that framing, parsing and decoding are correct and have no undefined behaviour
	@ci/deps prove
	@engine/proof/prove

check-prove: ## check that the proof of wrong parsers fails
	@ci/deps prove
	@engine/proof/prove --wrong

.PHONY: prove-eva check-prove-eva
prove-eva: ## analyse the state machine under arbitrary calls with Frama-C's Eva: no alarm without an explanation
	@ci/deps prove
	@engine/proof/eva

check-prove-eva: ## check that wrong state machines give an alarm
	@ci/deps prove
	@engine/proof/eva --wrong
