# smspd, the server, and its tests.

SMSPD := $(if $(filter release,$(VARIANT)),server/smspd,$(B)/smspd)
SMSPD_STORE := store_none
SMSPD_SECRET := secret_none
SMSPD_SANDBOX := sandbox_none
SMSPD_CORE := main supervisor listener refusal worker keeper dump slot options log
SMSPD_OBJ := $(patsubst %,$(B)/server/%.o,$(SMSPD_CORE) $(SMSPD_STORE) $(SMSPD_SECRET) $(SMSPD_SANDBOX))

$(SMSPD): $(SMSPD_OBJ) $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

all: $(SMSPD)

# The same with a store that refuses on demand, for the tests.
SMSPD_REFUSING := $(B)/smspd-refusing

$(SMSPD_REFUSING): $(filter-out $(B)/server/$(SMSPD_STORE).o,$(SMSPD_OBJ)) $(B)/server/test_store_refusing.o $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

$(B)/server/test_slot: $(B)/server/test_slot.o $(B)/server/slot.o $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -lcmocka -o $@

SMSPD_TESTED := SMSPD=$(CURDIR)/$(SMSPD) SMSPD_REFUSING=$(CURDIR)/$(SMSPD_REFUSING)

.PHONY: check-server check-server-san check-server-long
check-server: $(SMSPD) $(SMSPD_REFUSING) $(B)/server/test_slot ## test the server: slots, options, processes, limits
	@status=0; $(B)/server/test_slot || status=1; \
		$(SMSPD_TESTED) bats server/test_options.bats server/test_server.bats || status=1; exit $$status

check-server-san: ## the same under AddressSanitizer and UndefinedBehaviorSanitizer
	+$(MAKE) VARIANT=san CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" check-server

check-server-long: $(SMSPD) ## 20,000 connections, 200 killed workers, 16,000 rounds of pairs
	@$(SMSPD_TESTED) bats server/test_long.bats
