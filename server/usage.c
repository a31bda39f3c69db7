/* SPDX-License-Identifier: ISC */
/* Counters of what each address used lately. */
#include "usage.h"

#define UNIT       16u
#define HALF_MS    1000
#define UNITS_MOST (UINT32_MAX / 2)

uint32_t usage_of(const address_usage *all, uint64_t origin, int64_t now)
{
    uint32_t units = all->counters[origin % USAGE_COUNTERS].units;
    int64_t halvings = (now - all->counters[origin % USAGE_COUNTERS].at) / HALF_MS;

    return halvings < 32 ? units >> halvings : 0;
}

void usage_add(address_usage *all, uint64_t origin, int64_t now)
{
    uint32_t units = usage_of(all, origin, now);

    if (units != all->counters[origin % USAGE_COUNTERS].units || units == 0)
        all->counters[origin % USAGE_COUNTERS].at = now;
    if (units < UNITS_MOST)
        all->counters[origin % USAGE_COUNTERS].units = units + UNIT;
}
