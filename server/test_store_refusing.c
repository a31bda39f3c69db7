/* A store for the tests: it keeps nothing, and refuses each batch in which a
 * MESSAGE says "refuse". */
#include <string.h>

#include "store.h"

static const char word[] = "refuse";
static bool refused;

const char *store_about(void)
{
    return "one that refuses (for tests)";
}

bool store_open(smsp_state *state)
{
    (void)state;
    return true;
}

void store_begin(void)
{
    refused = false;
}

void store_apply(const smsp_effect *effect)
{
    if (effect->kind == SMSP_EFFECT_MESSAGE && effect->content.len == strlen(word) &&
        memcmp(effect->content.at, word, strlen(word)) == 0)
        refused = true;
}

store_result store_commit(void)
{
    return refused ? STORE_REFUSED : STORE_DONE;
}
