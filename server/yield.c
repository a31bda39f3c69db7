/* SPDX-License-Identifier: ISC */
/* Gives the processor to another process while that is cheap. */
#define _GNU_SOURCE
#include "yield.h"

#include <sched.h>

#include "clock.h"

#define TURN_US      20  /* the time that a partner needs */
#define CHEAP_US     100 /* a yield of this time is cheap with any number of partners */
#define PAUSE_MIN    20000
#define PAUSE_MAX    1000000

bool yield_once(yielder *y, uint32_t partners)
{
    int64_t begin = clock_us();

    if (begin < y->not_before)
        return false;
    (void)sched_yield();
    int64_t end = clock_us();
    if (end - begin < CHEAP_US + (int64_t)partners * TURN_US) {
        y->pause = 0;
        return true;
    }
    y->pause = y->pause == 0 ? PAUSE_MIN : 2 * y->pause;
    if (y->pause > PAUSE_MAX)
        y->pause = PAUSE_MAX;
    y->not_before = end + y->pause;
    return true;
}
