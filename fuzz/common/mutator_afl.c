/* SPDX-License-Identifier: ISC */
/* The mutator as a library for AFL++ (AFL_CUSTOM_MUTATOR_LIBRARY), which uses it in addition
 * to its own mutations. */
#include "mutator.h"

#include <stdlib.h>
#include <string.h>

typedef struct afl_state afl_state;

typedef struct mutator {
    uint32_t seed;
    uint8_t *out;
    size_t room;
} mutator;

void *afl_custom_init(afl_state *afl, unsigned seed);
size_t afl_custom_fuzz(mutator *m, const uint8_t *data, size_t size, uint8_t **out, const uint8_t *other,
                       size_t other_size, size_t max);
void afl_custom_deinit(mutator *m);

void *afl_custom_init(afl_state *afl, unsigned seed)
{
    mutator *m = calloc(1, sizeof *m);

    (void)afl;
    if (m != NULL)
        m->seed = seed;
    return m;
}

size_t afl_custom_fuzz(mutator *m, const uint8_t *data, size_t size, uint8_t **out, const uint8_t *other,
                       size_t other_size, size_t max)
{
    (void)other;
    (void)other_size;
    if (m->room < max) {
        free(m->out);
        m->out = malloc(max);
        m->room = m->out != NULL ? max : 0;
    }
    if (m->room < max || size > max)
        return 0; /* AFL++ skips this mutation */
    memcpy(m->out, data, size);
    *out = m->out;
    for (uint32_t times = 1 + mutator_number(&m->seed, 3); times > 0; times--) {
        size_t made = mutate_input(m->out, size, max, mutator_number(&m->seed, UINT32_MAX));
        size = made > 0 ? made : size;
    }
    return size;
}

void afl_custom_deinit(mutator *m)
{
    free(m->out);
    free(m);
}
