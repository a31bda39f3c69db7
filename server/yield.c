/* SPDX-License-Identifier: ISC */
/* Gives the processor to another process while that is cheap. */
#define _GNU_SOURCE
#include "yield.h"

#include <sched.h>

#include "clock.h"

/* A partner needs some 20 us for its turn; a time slice is 1,000 us and more. */
#define EXPENSIVE_US 1000
#define PAUSE_MIN    20000
#define PAUSE_MAX    1000000

bool yield_once(yielder *y)
{
    int64_t begin = clock_us();

    if (begin < y->not_before)
        return false;
    (void)sched_yield();
    int64_t end = clock_us();
    if (end - begin < EXPENSIVE_US) {
        y->pause = 0;
        return true;
    }
    y->pause = y->pause == 0 ? PAUSE_MIN : 2 * y->pause;
    if (y->pause > PAUSE_MAX)
        y->pause = PAUSE_MAX;
    y->not_before = end + y->pause;
    return true;
}
