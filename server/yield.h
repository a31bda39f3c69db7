/* SPDX-License-Identifier: ISC */
/* Yields the processor while that is cheap.
 *
 * A yield lets a partner on the same processor run, which is cheaper than to sleep and be
 * woken. Beside a busy process that is no partner, one yield costs a whole time slice. */
#ifndef YIELD_H
#define YIELD_H

#include <stdbool.h>
#include <stdint.h>

/* Zero at first. */
typedef struct yielder {
    int64_t not_before; /* us: no yield until then */
    int64_t pause;      /* us: how long not_before was put off last time */
} yielder;

/* Yields once. partners: how many processes may use the turn. False: a yield took longer
 * than they need, lately, so it did nothing. */
bool yield_once(yielder *y, uint32_t partners);

#endif
