# smsp-load, the load generator.

LOAD_OBJ := $(patsubst %,$(B)/client/%.o,histogram load_main load_peers load_run load_smsp)
LOAD_BIN := $(if $(filter release,$(VARIANT)),client/smsp-load,$(B)/smsp-load)

$(LOAD_OBJ): CPPFLAGS += -D_GNU_SOURCE

$(LOAD_BIN): $(LOAD_OBJ) $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lm -o $@

.PHONY: load
load: $(LOAD_BIN) ## build client/smsp-load, the load generator
all: $(LOAD_BIN)
