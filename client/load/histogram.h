/* SPDX-License-Identifier: ISC */
/* A histogram of times. The width of a bucket is 1.6 % of its value, from 1 ns to
 * hours, in 20 KiB. */
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

/* The quantile: `share` (0 to 1) of all values are at most this large. It is the upper
 * end of a bucket, or the largest value if that is less. 0: there are no values. */
uint64_t histogram_quantile(const histogram *h, double share);

#endif
