# smspd, the server, and its tests.

SMSPD := $(if $(filter release,$(VARIANT)),server/smspd,$(B)/smspd)
SMSPD_SRC := main supervisor listener refusal worker keeper dump slot options log store_none secret_none sandbox_none
SMSPD_OBJ := $(SMSPD_SRC:%=$(B)/server/%.o)

$(SMSPD): $(SMSPD_OBJ) $(LIBSMSP)
	$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@

all: $(SMSPD)
