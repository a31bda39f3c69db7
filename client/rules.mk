# smsp, the client.

CLIENT_EDIT := $(if $(call has,libedit),edit_libedit,edit_none)
CLIENT_SRC := account call cookies interactive lines mail main password session show verbs $(CLIENT_EDIT)
CLIENT_OBJ := $(CLIENT_SRC:%=$(B)/client/%.o)
CLIENT_BIN := $(if $(filter release,$(VARIANT)),client/smsp,$(B)/smsp)
edit_libedit_CFLAGS := $(call cflags,libedit)

# The list of objects changes with the parts that are there, and then it is linked again.
$(B)/client/.parts: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CLIENT_OBJ)' | cmp -s - $@ || printf '%s\n' '$(CLIENT_OBJ)' >$@

$(CLIENT_BIN): $(CLIENT_OBJ) $(LIBSMSP) $(B)/client/.parts
	$(CC) $(CFLAGS) $(LDFLAGS) $(CLIENT_OBJ) $(LIBSMSP) $(if $(filter edit_libedit,$(CLIENT_EDIT)),$(call libs,libedit)) -o $@

all: $(CLIENT_BIN)

