/* SPDX-License-Identifier: ISC */
/* Mutators that know the inputs' languages; one of them is linked with a target. */
#ifndef MUTATOR_H
#define MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* Changes the input in place, within max bytes; its new length. Repeatable for
 * the same seed. 0: this mutator has nothing to do here. */
size_t mutate_input(uint8_t *data, size_t size, size_t max, uint32_t seed);

/* The next of a series of numbers, below n; n is not 0. */
static inline uint32_t mutator_number(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % n;
}

#endif
