/* SPDX-License-Identifier: ISC */
/* A histogram of times with buckets that grow with the value, so that any time
 * from 1 ns to hours is kept to within 1.6 %, in 20 KiB. */
#ifndef SMSP_HISTOGRAM_H
#define SMSP_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_FINE    64u /* buckets for each power of two */
#define HISTOGRAM_BUCKETS (HISTOGRAM_FINE * 40u)

typedef struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t count;
    uint64_t sum;
    uint64_t least;
    uint64_t most;
} histogram;

void histogram_add(histogram *h, uint64_t nanoseconds);

/* The value that `share` (0 to 1) of all values do not exceed, to within a
 * bucket, but never more than the largest value; 0 if there are none. */
uint64_t histogram_quantile(const histogram *h, double share);

#endif
