/* SPDX-License-Identifier: ISC */
/* Mutators that know the format of a target's inputs. A target is linked with one of them. */
#ifndef MUTATOR_H
#define MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* Changes the input in place, up to max bytes, and returns its new length. The same seed gives
 * the same change. 0: the mutator cannot change this input. */
size_t mutate_input(uint8_t *data, size_t size, size_t max, uint32_t seed);

/* The next pseudorandom number below n, which is not 0. */
static inline uint32_t mutator_number(uint32_t *seed, uint32_t n)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % n;
}

#endif
