/* SPDX-License-Identifier: ISC */
/* A store for the tests: it keeps nothing, and refuses each batch in which a
 * MESSAGE says "refuse". */
#include <string.h>

#include "store/store.h"

struct store {
    bool refused;
};

static const char word[] = "refuse";
static store only;

const char *store_about(void)
{
    return "one that refuses (for tests)";
}

int store_lock(const char *directory)
{
    (void)directory;
    return 0; /* standard input will do */
}

void store_at(const char *name)
{
    (void)name;
}

store *store_open(const char *directory, uint8_t salt_key[SMSP_KEY_LEN])
{
    (void)directory;
    (void)salt_key;
    return &only;
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
    return s != NULL && state != NULL;
}

void store_begin(store *s)
{
    s->refused = false;
}

void store_apply(store *s, const smsp_effect *effect)
{
    if (effect->kind == SMSP_EFFECT_MESSAGE && effect->content.len == strlen(word) &&
        memcmp(effect->content.at, word, strlen(word)) == 0)
        s->refused = true;
}

store_result store_commit(store *s)
{
    return s->refused ? STORE_REFUSED : STORE_DONE;
}

bool store_changed(store *s)
{
    return s == NULL;
}

bool store_probe(store *s)
{
    return s != NULL;
}

const char *store_why(const store *s)
{
    return s->refused ? "a test wants it so" : "";
}

void store_close(store *s)
{
    if (s != NULL)
        s->refused = false;
}

bool store_check(const char *directory, const smsp_limits *limits)
{
    (void)directory;
    (void)limits;
    return false;
}
