/* SPDX-License-Identifier: ISC */
/* Yields the processor while that is cheap.
 *
 * A yield lets a partner on the same processor run, which is cheaper than to sleep and be
 * woken. If another busy process shares the processor, one yield costs a whole time slice. */
#ifndef YIELD_H
#define YIELD_H

#include <stdbool.h>
#include <stdint.h>

/* Zero at first. */
typedef struct yielder {
    int64_t not_before; /* us: no yield until then */
    int64_t pause;      /* us: how long not_before was put off last time */
} yielder;

/* Yields once. partners: how many processes may use the turn. False: it did nothing,
 * because a recent yield took longer than they need. */
bool yield_once(yielder *y, uint32_t partners);

#endif
