# smsp, the client, its tests and the demo.

CLIENT_EDIT := $(if $(call has,libedit),edit_libedit,edit_none)
CLIENT_SRC := account call commands cookies interactive lines mail main output password session standard_fds terminal $(CLIENT_EDIT)
CLIENT_OBJ := $(CLIENT_SRC:%=$(B)/client/%.o)
CLIENT_LIBS := $(if $(filter edit_libedit,$(CLIENT_EDIT)),$(call libs,libedit))
SMSP := $(if $(filter release,$(VARIANT)),client/smsp,$(B)/smsp)
edit_libedit_CFLAGS := $(call cflags,libedit)

# A change of parts makes it link again.
$(B)/client/.parts: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CLIENT_EDIT)' | cmp -s - $@ || printf '%s\n' '$(CLIENT_EDIT)' >$@

$(SMSP): $(CLIENT_OBJ) $(LIBSMSP) $(B)/client/.parts
	$(CC) $(CFLAGS) $(LDFLAGS) $(HARDEN_LINK) $(CLIENT_OBJ) $(LIBSMSP) $(CLIENT_LIBS) -o $@

all: $(SMSP)
tested: $(SMSP)

# The client without libedit, under the sanitizers; the tests run both.
PLAIN_VARIANT ?= client-san
PLAIN_CFLAGS ?= -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
CLIENT_PLAIN := build/$(PLAIN_VARIANT)/smsp

.PHONY: demo check-client
# A bare system has no compiler; with one, the core is enough.
demo: ## run a server and watch two users exchange mail
	@command -v $(firstword $(CC)) >/dev/null || ci/deps build
	@$(MAKE) --no-print-directory -s client/smsp server/smspd
	@client/demo

check-client: ## test the client, and the demo
	@ci/deps unit
	@$(MAKE) --no-print-directory -s $(SMSP) $(SMSPD) $(LOAD_BIN) $(FAULT_CALLS)
	+@$(MAKE) --no-print-directory -s VARIANT=$(PLAIN_VARIANT) NONE=1 CFLAGS="$(PLAIN_CFLAGS)" $(CLIENT_PLAIN)
	@SMSP=$(CLIENT_PLAIN) SMSPD=$(SMSPD) client/tests/check "bats client/tests/test_connection.bats" "bats client/tests/test_commands.bats" \
		"bats client/tests/test_options.bats client/tests/test_batch.bats client/tests/test_demo.bats" \
		"client/tests/test_terminal.py $(SMSP) $(CLIENT_PLAIN)" \
		"env SMSP=$(SMSP) SMSP_LOAD=$(LOAD_BIN) FAULT_CALLS_SO=$(FAULT_CALLS) client/tests/test_faults.py"
