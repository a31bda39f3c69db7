/* SPDX-License-Identifier: ISC */
/* UTF-8, usernames and cookies against their definitions; results; SipHash. */
#include "test_support.h"

static bool ok(const void *at, size_t len)
{
    uint8_t *copy = exact(at, len);
    bool result = smsp_text_ok(copy, len);

    free(copy);
    return result;
}

/* From the table of code points of RFC 3629, one character at a time. */
static size_t naive_character(const uint8_t *at, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = at[0] < 0x80 ? 1 : at[0] >> 5 == 6 ? 2 : at[0] >> 4 == 14 ? 3 : at[0] >> 3 == 30 ? 4 : 0;
    uint32_t code = at[0] & (len == 1 ? 0x7fu : 0xffu >> (len + 1));

    if (len == 0 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (at[i] >> 6 != 2)
            return 0;
        code = code << 6 | (at[i] & 0x3fu);
    }
    bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
    bool surrogate = code >= 0xd800 && code < 0xe000;
    return code < least[len] || code > 0x10ffff || control || surrogate ? 0 : len;
}

static bool naive_ok(const uint8_t *at, size_t len)
{
    size_t i = 0;

    while (i < len) {
        size_t step = naive_character(at + i, len - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

static void every_pair_of_bytes(void **unused)
{
    (void)unused;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            uint8_t pair[2] = {(uint8_t)first, (uint8_t)second};
            assert_int_equal(ok(pair, 1), naive_ok(pair, 1));
            assert_int_equal(ok(pair, 2), naive_ok(pair, 2));
        }
    }
}

static void every_lead_with_boundary_continuations(void **unused)
{
    static const uint8_t edge[] = {0x00, 0x20, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    enum { N = sizeof edge };

    (void)unused;
    for (unsigned first = 0xc0; first < 256; first++) {
        for (unsigned i = 0; i < N * N * N; i++) {
            uint8_t four[4] = {(uint8_t)first, edge[i % N], edge[i / N % N], edge[i / N / N]};
            assert_int_equal(ok(four, 3), naive_ok(four, 3));
            assert_int_equal(ok(four, 4), naive_ok(four, 4));
        }
    }
}

/* A bad byte or a long character at each offset around the blocks of the fast path. */
static void every_place_in_long_text(void **unused)
{
    static const char *const pieces[] = {"\x1f", "\x7f", "\x80", "\xc2\x9f", "\xc2\xa0", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    uint8_t text[150];

    (void)unused;
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        size_t n = strlen(pieces[p]);
        for (size_t at = 0; at + n <= sizeof text; at++) {
            memset(text, 'x', sizeof text);
            memcpy(text + at, pieces[p], n);
            assert_int_equal(ok(text, sizeof text), naive_ok(text, sizeof text));
            assert_int_equal(ok(text, at + n), naive_ok(text, at + n));
            assert_int_equal(ok(text, at + n - 1), naive_ok(text, at + n - 1));
            for (size_t len = at + n + 1; len < at + n + 34 && len <= sizeof text; len++) /* over a block */
                assert_int_equal(ok(text, len), naive_ok(text, len));
        }
    }
}

static void empty_text(void **unused)
{
    (void)unused;
    assert_true(smsp_text_ok(NULL, 0));
}

static void names(void **unused)
{
    static const char good[] = "azAZ09";
    uint8_t longest[SMSP_NAME_MAX + 1];

    (void)unused;
    memset(longest, 'n', sizeof longest);
    assert_true(smsp_name_ok((const uint8_t *)good, 6));
    assert_false(smsp_name_ok(longest, 0));
    assert_true(smsp_name_ok(longest, SMSP_NAME_MAX - 1));
    assert_true(smsp_name_ok(longest, SMSP_NAME_MAX));
    assert_false(smsp_name_ok(longest, SMSP_NAME_MAX + 1));
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t name[3] = {'a', (uint8_t)byte, 'b'};
        bool expected = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
        assert_int_equal(smsp_name_ok(name, 3), expected);
    }
}

static void cookies(void **unused)
{
    uint8_t cookie[SMSP_COOKIE_LEN + 1];

    (void)unused;
    memset(cookie, '0', sizeof cookie);
    assert_true(smsp_cookie_ok(cookie, SMSP_COOKIE_LEN));
    assert_false(smsp_cookie_ok(cookie, SMSP_COOKIE_LEN - 1));
    assert_false(smsp_cookie_ok(cookie, SMSP_COOKIE_LEN + 1));
    for (unsigned byte = 0; byte < 256; byte++) {
        bool expected = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
        for (size_t place = 0; place < SMSP_COOKIE_LEN; place++) {
            cookie[place] = (uint8_t)byte;
            assert_int_equal(smsp_cookie_ok(cookie, SMSP_COOKIE_LEN), expected);
            cookie[place] = '0';
        }
    }
}

static void every_error_has_its_own_sentence(void **unused)
{
    (void)unused;
    for (int i = 0; i < SMSP_ERROR_COUNT; i++) {
        assert_string_not_equal(smsp_strerror((smsp_error)i), "unknown error");
        for (int k = 0; k < i; k++)
            assert_string_not_equal(smsp_strerror((smsp_error)i), smsp_strerror((smsp_error)k));
    }
    assert_string_equal(smsp_strerror(SMSP_ERROR_COUNT), "unknown error");
    assert_string_equal(smsp_strerror((smsp_error)99), "unknown error");
}

/* The first values of the reference implementation's table (key 00 01 ... 0f). */
static void siphash_reference_values(void **unused)
{
    static const uint64_t expected[] = {0x726fdb47dd0e0e31u, 0x74f839c593dc67fdu, 0x0d6c8009d9a94f5au,
                                        0x85676696d7fb7e2du, 0xcf2794e0277187b7u, 0x18765564cd99a68du,
                                        0xcbc9466e58fee3ceu, 0xab0200f58b01d137u, 0x93f5f5799a932462u};
    uint8_t key[SMSP_KEY_LEN];
    uint8_t input[16];

    (void)unused;
    for (uint8_t i = 0; i < SMSP_KEY_LEN; i++)
        key[i] = input[i] = i;
    for (size_t len = 0; len < sizeof expected / sizeof expected[0]; len++)
        assert_true(smsp_siphash(key, input, len) == expected[len]);
    assert_true(smsp_siphash(key, input, 15) == 0xa129ca6149be45e5u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_bytes),
        cmocka_unit_test(every_lead_with_boundary_continuations),
        cmocka_unit_test(every_place_in_long_text),
        cmocka_unit_test(empty_text),
        cmocka_unit_test(names),
        cmocka_unit_test(cookies),
        cmocka_unit_test(every_error_has_its_own_sentence),
        cmocka_unit_test(siphash_reference_values),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
