/* SPDX-License-Identifier: ISC */
/* The store of a build without SQLite: state in memory only. */
#include "store.h"

#include "log.h"

const char *store_about(void)
{
    return "none (state in memory only: built without SQLite)";
}

int store_lock(const char *directory)
{
    log_line("--data %s: this smspd was built without SQLite", directory);
    return -1;
}

void store_at(const char *name)
{
    (void)name;
}

store *store_open(const char *directory, uint8_t salt_key[SMSP_KEY_LEN])
{
    (void)directory;
    (void)salt_key;
    return NULL;
}

uint32_t store_costs(store *s, uint32_t *costs, uint32_t most)
{
    (void)s;
    (void)costs;
    (void)most;
    return 0;
}

bool store_load(store *s, smsp_state *state)
{
    (void)s;
    (void)state;
    return true;
}

void store_begin(store *s)
{
    (void)s;
}

void store_apply(store *s, const smsp_effect *effect)
{
    (void)s;
    (void)effect;
}

store_result store_commit(store *s)
{
    (void)s;
    return STORE_DONE;
}

bool store_changed(store *s)
{
    (void)s;
    return false;
}

bool store_probe(store *s)
{
    (void)s;
    return true;
}

const char *store_why(const store *s)
{
    (void)s;
    return "";
}

void store_close(store *s)
{
    (void)s;
}

bool store_check(const char *directory, const smsp_limits *limits)
{
    (void)limits;
    log_line("--data %s: this smspd was built without SQLite", directory);
    return false;
}
