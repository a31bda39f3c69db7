/* SPDX-License-Identifier: ISC */
/* Unit tests of the histogram. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "histogram.h"

static histogram h;

static int clean(void **state)
{
    (void)state;
    memset(&h, 0, sizeof h);
    return 0;
}

static void assert_within(uint64_t found, uint64_t expected)
{
    assert_true(found >= expected);
    assert_true(found - expected <= expected / HISTOGRAM_FINE + 1);
}

static void empty(void **state)
{
    (void)state;
    assert_int_equal(histogram_quantile(&h, 0.5), 0);
}

static void one_value_is_every_quantile(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < UINT64_C(3) << 40; value = value * 3 + 1) {
        memset(&h, 0, sizeof h);
        histogram_add(&h, value);
        assert_int_equal(histogram_quantile(&h, 0), value);
        assert_int_equal(histogram_quantile(&h, 0.5), value);
        assert_int_equal(histogram_quantile(&h, 1), value);
        assert_int_equal(h.least, value);
        assert_int_equal(h.most, value);
    }
}

/* Each value from below a bucket to above it, in two sizes of bucket. */
static void every_bucket_keeps_its_values(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < 100000; value++) {
        memset(&h, 0, sizeof h);
        histogram_add(&h, value);
        histogram_add(&h, UINT64_C(1) << 50);
        assert_within(histogram_quantile(&h, 0.5), value);
    }
}

static void quantiles_of_a_line(void **state)
{
    (void)state;
    for (uint64_t value = 1; value <= 100000; value++)
        histogram_add(&h, value);
    assert_within(histogram_quantile(&h, 0.5), 50000);
    assert_within(histogram_quantile(&h, 0.9), 90000);
    assert_within(histogram_quantile(&h, 0.999), 99900);
    assert_int_equal(histogram_quantile(&h, 1), 100000);
    assert_int_equal(h.count, 100000);
    assert_int_equal(h.sum, UINT64_C(50000) * 100001);
}

static void what_is_too_large_counts_as_the_largest(void **state)
{
    (void)state;
    histogram_add(&h, UINT64_MAX);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.buckets[HISTOGRAM_BUCKETS - 1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(empty, clean),
        cmocka_unit_test_setup(one_value_is_every_quantile, clean),
        cmocka_unit_test_setup(every_bucket_keeps_its_values, clean),
        cmocka_unit_test_setup(quantiles_of_a_line, clean),
        cmocka_unit_test_setup(what_is_too_large_counts_as_the_largest, clean),
    };

    return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
