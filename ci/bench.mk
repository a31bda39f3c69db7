# Benchmarks: see bench/README.md.

BENCH_ECHO := $(B)/bench/echo
BENCH_ENGINE := $(B)/bench/engine
BENCH_ENGINE_OBJ := $(patsubst %,$(B)/ci/bench/%.o,engine engine_state engine_wire parse_strtok parse_re2c)

engine_CFLAGS := $(if $(wildcard /usr/include/valgrind/callgrind.h),-DBENCH_CALLGRIND)

$(BENCH_ECHO): $(B)/ci/bench/echo.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $(HARDEN_LINK) $^ -o $@

$(BENCH_ENGINE): $(BENCH_ENGINE_OBJ) $(LIBSMSP)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

$(B)/ci/bench/parse_re2c.c: ci/bench/parse_re2c.re
	@mkdir -p $(@D)
	re2c -W --no-debug-info -o $@ $<

$(B)/ci/bench/parse_re2c.o: $(B)/ci/bench/parse_re2c.c
	$(CC) $(SMSP_CFLAGS) -Ici/bench $(CPPFLAGS) $(CFLAGS) -c $< -o $@

.PHONY: bench bench-short bench-engine check-bench

bench: ## compare smspd with Redis, beanstalkd and others, about 15 minutes; results go to ci/bench/
	@ci/deps bench fuzz
	@$(MAKE) --no-print-directory -s all $(BENCH_ECHO) $(BENCH_ENGINE)
	@ci/bench/run --out ci/bench

bench-short: ## check that the benchmark runs and its counters add up; the figures mean nothing
	@ci/deps bench
	@$(MAKE) --no-print-directory -s all $(BENCH_ECHO) $(BENCH_ENGINE)
	@ci/bench/run --short

bench-engine: ## measure the engine alone, with instruction counts, about 3 minutes
	@ci/deps bench
	@$(MAKE) --no-print-directory -s all $(BENCH_ENGINE)
	@ci/bench/run --engine --out ci/bench

check-bench: ## test the benchmark: it runs, and its counters add up
	@ci/deps bench
	@$(MAKE) --no-print-directory -s all $(BENCH_ECHO) $(BENCH_ENGINE)
	@bats ci/bench/test_bench.bats
