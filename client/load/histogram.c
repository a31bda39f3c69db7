/* SPDX-License-Identifier: ISC */
/* Counts times in buckets and computes quantiles. */
#include "histogram.h"

/* Values below HISTOGRAM_FINE have a bucket each; above, the top six bits after
 * the leading one choose among the buckets of that power of two. */
static unsigned bucket_of(uint64_t value)
{
    unsigned shift = 0;

    while (value >> shift >= 2 * HISTOGRAM_FINE)
        shift++;
    uint64_t bucket = value < HISTOGRAM_FINE ? value : shift * HISTOGRAM_FINE + (value >> shift);
    return bucket < HISTOGRAM_BUCKETS ? (unsigned)bucket : HISTOGRAM_BUCKETS - 1;
}

/* The largest value that falls into the bucket. */
static uint64_t top_of(unsigned bucket)
{
    if (bucket < 2 * HISTOGRAM_FINE)
        return bucket;
    unsigned shift = bucket / HISTOGRAM_FINE - 1;
    uint64_t base = HISTOGRAM_FINE + bucket % HISTOGRAM_FINE;
    return ((base + 1) << shift) - 1;
}

void histogram_add(histogram *h, uint64_t nanoseconds)
{
    h->buckets[bucket_of(nanoseconds)]++;
    h->sum += nanoseconds;
    if (h->count == 0 || nanoseconds < h->least)
        h->least = nanoseconds;
    if (nanoseconds > h->most)
        h->most = nanoseconds;
    h->count++;
}

uint64_t histogram_quantile(const histogram *h, double share)
{
    uint64_t seen = 0;
    double wanted = share * (double)h->count;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen > 0 && (double)seen >= wanted)
            return top_of(i) < h->most ? top_of(i) : h->most;
    }
    return h->most;
}
