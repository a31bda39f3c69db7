/* SPDX-License-Identifier: ISC */
/* Unit tests of yield.c with a clock and a scheduler of the test's own. */
#define _GNU_SOURCE
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "yield.h"

#define PARTNERS 10u /* a turn of 100 + 10 * 20 us is cheap */

static int64_t now_us = 1000000;
static int64_t yield_takes_us;
static unsigned yields;

/* In place of the C library's. */
int clock_gettime(clockid_t clock, struct timespec *at)
{
    (void)clock;
    *at = (struct timespec){.tv_sec = now_us / 1000000, .tv_nsec = now_us % 1000000 * 1000};
    return 0;
}

int sched_yield(void)
{
    yields++;
    now_us += yield_takes_us;
    return 0;
}

static bool yields_now(yielder *y, int64_t takes_us)
{
    unsigned before = yields;

    yield_takes_us = takes_us;
    bool said = yield_once(y, PARTNERS);
    assert_int_equal(said, yields - before);
    return said;
}

static void cheap_yields_go_on(void **unused)
{
    yielder y = {0};

    (void)unused;
    for (int i = 0; i < 1000; i++)
        assert_true(yields_now(&y, 299));
}

static void an_expensive_yield_is_followed_by_a_pause(void **unused)
{
    yielder y = {0};

    (void)unused;
    assert_true(yields_now(&y, 300));
    now_us += 19999;
    assert_false(yields_now(&y, 5));
    now_us += 1;
    assert_true(yields_now(&y, 5));
    assert_true(yields_now(&y, 5));
}

static void pauses_double_up_to_a_second_and_a_cheap_yield_ends_that(void **unused)
{
    static const int64_t pauses[] = {20000, 40000, 80000, 160000, 320000, 640000, 1000000, 1000000};
    yielder y = {0};

    (void)unused;
    for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
        assert_true(yields_now(&y, 4000));
        now_us += pauses[i] - 1;
        assert_false(yields_now(&y, 4000));
        now_us += 1;
    }
    assert_true(yields_now(&y, 5));
    assert_true(yields_now(&y, 4000));
    now_us += 20000;
    assert_true(yields_now(&y, 5));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(cheap_yields_go_on),
        cmocka_unit_test(an_expensive_yield_is_followed_by_a_pause),
        cmocka_unit_test(pauses_double_up_to_a_second_and_a_cheap_yield_ends_that),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
