# smsp-load, the load generator, and its tests.

LOAD_OBJ := $(patsubst %,$(B)/client/load/%.o,histogram load_main load_others load_run load_smsp load_wire) $(B)/client/standard_fds.o
LOAD_BIN := $(if $(filter release,$(VARIANT)),client/smsp-load,$(B)/smsp-load)
HISTOGRAM_TEST := $(B)/client/tests/test_histogram

$(LOAD_OBJ): CPPFLAGS += -D_GNU_SOURCE

$(LOAD_BIN): $(LOAD_OBJ) $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lm -o $@

$(HISTOGRAM_TEST): %: %.o $(B)/client/load/histogram.o
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcmocka -o $@

.PHONY: load check-load check-histogram
load: $(LOAD_BIN) ## build client/smsp-load, the load generator
all: $(LOAD_BIN)
tested: $(LOAD_BIN) $(HISTOGRAM_TEST)

check-histogram: $(HISTOGRAM_TEST)
	@$(HISTOGRAM_TEST)

check-load: check-histogram ## test the load generator
	@ci/deps unit
	@$(MAKE) --no-print-directory -s $(LOAD_BIN) $(SMSPD)
	@SMSP_LOAD=$(LOAD_BIN) SMSPD=$(SMSPD) bats client/tests/test_load.bats

$(HISTOGRAM_TEST).o: CPPFLAGS += -Iclient/load
