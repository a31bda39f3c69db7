# The server's optional parts: each has a file that needs its library, and one
# that says what is missing. NONE=1 builds the core alone.

parts_store := $(call has,sqlite3)
parts_secret := $(call has,libsodium)
# A sanitizer needs more system calls than a filter should let pass.
parts_sandbox := $(if $(findstring -fsanitize,$(CFLAGS)),,$(call has,libseccomp))

SMSPD_STORE := $(patsubst %,store/%,$(if $(parts_store),store_sqlite store_tables store_load,store_none))
SMSPD_SECRET := secret/$(if $(parts_secret),secret_sodium,secret_none)
SMSPD_SANDBOX := sandbox/$(if $(parts_sandbox),sandbox_linux,sandbox_none)
SMSPD_LIBS := $(if $(parts_store),$(call libs,sqlite3)) $(if $(parts_secret),$(call libs,libsodium)) \
	$(if $(parts_sandbox),$(call libs,libseccomp))

store_sqlite_CFLAGS := $(call cflags,sqlite3)
store_tables_CFLAGS := $(call cflags,sqlite3)
store_load_CFLAGS := $(call cflags,sqlite3)
secret_sodium_CFLAGS := $(call cflags,libsodium)
sandbox_linux_CFLAGS := $(call cflags,libseccomp)
