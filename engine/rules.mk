# libsmsp.a, and its unit tests.

ENGINE_SRC := $(filter-out engine/test_%.c,$(wildcard engine/*.c))
ENGINE_OBJ := $(ENGINE_SRC:%.c=$(B)/%.o)
LIBSMSP := $(B)/libsmsp.a

$(LIBSMSP): $(ENGINE_OBJ)
	rm -f $@
	$(AR) rcs $@ $^

all: $(LIBSMSP)
