/* SPDX-License-Identifier: ISC */
/* Unit tests of usage.c, permit.c and arrivals.c with a clock of the test's own. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "arrivals.h"
#include "secret/permit.h"

#define SLOTS 40u

static int64_t now_ms = 1000;

/* In place of the C library's. */
int clock_gettime(clockid_t clock, struct timespec *at)
{
    (void)clock;
    *at = (struct timespec){.tv_sec = now_ms / 1000, .tv_nsec = now_ms % 1000 * 1000000};
    return 0;
}

static smsp_span span(const char *text)
{
    return (smsp_span){(const uint8_t *)text, strlen(text)};
}

/* ---- Usage ---- */

static void usage_halves_each_second(void **unused)
{
    static address_usage all;

    (void)unused;
    assert_int_equal(usage_of(&all, 7, 1000), 0);
    for (unsigned i = 0; i < 8; i++)
        usage_add(&all, 7, 1000);
    assert_int_equal(usage_of(&all, 7, 1999), 8 * 16);
    assert_int_equal(usage_of(&all, 7, 2000), 4 * 16);
    assert_int_equal(usage_of(&all, 7, 3000), 2 * 16);
    assert_int_equal(usage_of(&all, 7, 1000000), 0);
    usage_add(&all, 7, 3000);
    assert_int_equal(usage_of(&all, 7, 3999), 3 * 16);
    assert_int_equal(usage_of(&all, 8, 3999), 0);
}

/* ---- Permits ---- */

static permits gate;

static void new_gate(uint32_t most, uint32_t least_ms)
{
    static login_info slots[SLOTS];
    static uint32_t queues[2 * SLOTS];

    memset(slots, 0, sizeof slots);
    permits_init(&gate, most, least_ms, slots, queues, SLOTS);
}

/* The slot whose reply goes now, or -1. */
static int next(void)
{
    uint32_t slot;

    return permits_next(&gate, &slot) ? (int)slot : -1;
}

/* A whole login of a slot that gets its permit at once; true if its reply waits. */
static bool log_in(uint32_t slot, uint64_t origin, login_outcome outcome)
{
    permits_request(&gate, slot, span("alice"), origin);
    assert_int_equal(next(), slot);
    permits_run_begins(&gate, slot);
    assert_true(permits_allow(&gate, slot, span("alice")));
    return permits_run_ends(&gate, slot, outcome);
}

static void so_many_at_a_time(void **unused)
{
    (void)unused;
    new_gate(2, 0);
    for (uint32_t slot = 0; slot < 4; slot++)
        permits_request(&gate, slot, span("alice"), 1);
    assert_int_equal(next(), 0);
    assert_int_equal(next(), 1);
    assert_int_equal(next(), -1);
    permits_run_begins(&gate, 1);
    assert_int_equal(next(), 2);
    assert_int_equal(next(), -1);
    permits_forget(&gate, 0);
    assert_int_equal(next(), 3);
    assert_int_equal(next(), -1);
}

static void a_permit_is_for_one_login_of_one_name(void **unused)
{
    (void)unused;
    new_gate(2, 0);
    assert_false(permits_allow(&gate, 0, span("alice")));
    permits_request(&gate, 0, span("alice"), 1);
    assert_false(permits_allow(&gate, 0, span("alice")));
    assert_int_equal(next(), 0);
    assert_false(permits_allow(&gate, 0, span("alicf")));
    assert_false(permits_allow(&gate, 0, span("alic")));
    assert_false(permits_allow(&gate, 1, span("alice")));
    permits_run_begins(&gate, 0);
    assert_true(permits_allow(&gate, 0, span("alice")));
    assert_false(permits_run_ends(&gate, 0, LOGIN_DONE));
    assert_false(permits_allow(&gate, 0, span("alice")));
}

static void a_cookie_is_drawn_again_so_many_times(void **unused)
{
    (void)unused;
    new_gate(2, 0);
    permits_request(&gate, 0, span("alice"), 1);
    assert_int_equal(next(), 0);
    for (unsigned draws = 0; draws < SMSP_DRAWS_MAX; draws++) {
        assert_true(permits_allow(&gate, 0, span("alice")));
        assert_false(permits_run_ends(&gate, 0, LOGIN_AGAIN));
    }
    assert_false(permits_allow(&gate, 0, span("alice")));
}

static void failures_are_free_three_times(void **unused)
{
    (void)unused;
    new_gate(2, 0);
    for (unsigned i = 0; i < 3; i++)
        assert_false(log_in(5, 1, LOGIN_FAILED));
    assert_true(log_in(5, 1, LOGIN_FAILED));
    assert_int_equal(next(), -1);
    assert_int_equal(permits_timeout(&gate), 1000);
    now_ms += 999;
    assert_int_equal(next(), -1);
    assert_int_equal(permits_timeout(&gate), 1);
    now_ms += 1;
    assert_int_equal(next(), 5);
    assert_false(log_in(5, 1, LOGIN_DONE));
    assert_true(log_in(5, 1, LOGIN_FAILED));
    permits_forget(&gate, 5);
    now_ms += 1000;
    assert_int_equal(next(), -1);
    assert_false(log_in(5, 1, LOGIN_FAILED));
}

/* 30 clients of one address wait; one of another comes last and is first. */
static void an_address_that_used_little_comes_first(void **unused)
{
    (void)unused;
    new_gate(1, 0);
    for (uint32_t slot = 0; slot < 30; slot++)
        permits_request(&gate, slot, span("alice"), 1);
    assert_int_equal(next(), 0);
    permits_request(&gate, 39, span("bob"), 2);
    permits_run_begins(&gate, 0);
    assert_int_equal(next(), 39);
    permits_run_begins(&gate, 39);
    assert_int_equal(next(), 1);
}

/* Of one address, the connection that used fewest permits is first. */
static void a_connection_that_used_little_comes_first(void **unused)
{
    (void)unused;
    new_gate(1, 0);
    for (uint32_t slot = 0; slot < 10; slot++)
        assert_false(log_in(slot, 1, LOGIN_FAILED));
    for (uint32_t slot = 0; slot < 10; slot++)
        permits_request(&gate, slot, span("alice"), 1);
    permits_request(&gate, 39, span("bob"), 1);
    assert_int_equal(next(), 39);
    permits_run_begins(&gate, 39);
    assert_int_equal(next(), 0);
}

/* A permit that is held for much longer than usual does not count, and its holder is behind. */
static void a_permit_that_is_not_used_expires(void **unused)
{
    (void)unused;
    new_gate(1, 0);
    for (unsigned i = 0; i < 100; i++) {
        permits_request(&gate, 1, span("alice"), 1);
        assert_int_equal(next(), 1);
        now_ms += 50;
        permits_run_begins(&gate, 1);
        assert_false(permits_run_ends(&gate, 1, LOGIN_DONE));
    }
    permits_request(&gate, 2, span("alice"), 1);
    assert_int_equal(next(), 2);
    permits_request(&gate, 3, span("alice"), 1);
    assert_int_equal(next(), -1);
    int wait = permits_timeout(&gate);
    assert_in_range(wait, 300, 500);
    now_ms += wait;
    assert_int_equal(next(), 3);
    assert_true(permits_allow(&gate, 2, span("alice"))); /* it was only slow, perhaps */
    permits_run_begins(&gate, 3);
    assert_false(permits_run_ends(&gate, 3, LOGIN_ABSENT));
    assert_false(permits_allow(&gate, 3, span("alice")));
    permits_request(&gate, 3, span("alice"), 1);
    permits_request(&gate, 4, span("alice"), 1);
    assert_int_equal(next(), 4);
}

static void a_connection_gets_no_more_than_a_client_could_use(void **unused)
{
    unsigned count = 0;

    (void)unused;
    new_gate(4, 10);
    for (int64_t end = now_ms + 1000; now_ms < end; now_ms++) {
        if (gate.waiting_count == 0)
            permits_request(&gate, 0, span("alice"), 1);
        if (next() == 0) {
            count++;
            permits_run_begins(&gate, 0);
            assert_false(permits_run_ends(&gate, 0, LOGIN_DONE));
        }
    }
    assert_int_equal(count, 100);
}

/* ---- Arrivals ---- */

static arrivals crowd;

static arrival from(int client, uint64_t origin)
{
    arrival made = {.client = client, .origin = origin};

    made.from.bytes[0] = (uint8_t)origin;
    return made;
}

static void the_address_with_fewest_workers_is_next(void **unused)
{
    arrival made;

    (void)unused;
    assert_true(arrivals_init(&crowd, 100));
    for (int client = 0; client < 50; client++) {
        made = from(client, 1);
        assert_int_equal(arrivals_add(&crowd, &made, now_ms), -1);
    }
    assert_int_equal(arrivals_next(&crowd, now_ms).client, 0);
    made = from(50, 2);
    assert_int_equal(arrivals_add(&crowd, &made, now_ms), -1);
    assert_int_equal(arrivals_from(&crowd, &made.from), 1);
    assert_int_equal(arrivals_next(&crowd, now_ms).client, 50);
    assert_int_equal(arrivals_next(&crowd, now_ms).client, 1);
    assert_int_equal(arrivals_next(&crowd, now_ms).client, 2);
    assert_int_equal(crowd.count, 47);
}

static void of_a_full_crowd_the_greediest_is_refused(void **unused)
{
    arrival made;

    (void)unused;
    assert_true(arrivals_init(&crowd, 3));
    for (int client = 0; client < 3; client++) {
        made = from(client, 11);
        assert_int_equal(arrivals_add(&crowd, &made, now_ms), -1);
    }
    made = from(3, 11);
    assert_int_equal(arrivals_add(&crowd, &made, now_ms), 3);
    assert_int_equal(arrivals_next(&crowd, now_ms).client, 0);
    assert_int_equal(arrivals_add(&crowd, &made, now_ms), -1);
    made = from(4, 12);
    assert_int_equal(arrivals_add(&crowd, &made, now_ms), 3);
    assert_int_equal(arrivals_next(&crowd, now_ms).client, 4);
    assert_int_equal(arrivals_next(&crowd, now_ms).client, 1);
    assert_int_equal(arrivals_next(&crowd, now_ms).client, 2);
    assert_int_equal(crowd.count, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(usage_halves_each_second),
        cmocka_unit_test(so_many_at_a_time),
        cmocka_unit_test(a_permit_is_for_one_login_of_one_name),
        cmocka_unit_test(a_cookie_is_drawn_again_so_many_times),
        cmocka_unit_test(failures_are_free_three_times),
        cmocka_unit_test(an_address_that_used_little_comes_first),
        cmocka_unit_test(a_connection_that_used_little_comes_first),
        cmocka_unit_test(a_permit_that_is_not_used_expires),
        cmocka_unit_test(a_connection_gets_no_more_than_a_client_could_use),
        cmocka_unit_test(the_address_with_fewest_workers_is_next),
        cmocka_unit_test(of_a_full_crowd_the_greediest_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
