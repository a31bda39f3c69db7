#include "store.h"

const char *store_about(void)
{
    return "none (state in memory only)";
}

bool store_open(smsp_state *state)
{
    (void)state;
    return true;
}

void store_begin(void)
{
}

void store_apply(const smsp_effect *effect)
{
    (void)effect;
}

store_result store_commit(void)
{
    return STORE_DONE;
}
