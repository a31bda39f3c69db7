/* SPDX-License-Identifier: ISC */
/* smsp_answer, what DUMP prints, and smsp_state_init. */
#include "test_support.h"

/* ---- DUMP ---- */

typedef struct {
    char text[1000];
    size_t len;
    size_t pieces_left;
} paper;

static bool print(void *context, const uint8_t *at, size_t len)
{
    paper *p = context;

    if (p->pieces_left == 0)
        return false;
    p->pieces_left--;
    assert_true(p->len + len < sizeof p->text);
    memcpy(p->text + p->len, at, len);
    p->len += len;
    p->text[p->len] = '\0';
    return true;
}

static void dump(void **data)
{
    static const char expected[] = "IMQ: 2\n"
                                   "  1: the older one\n"
                                   "  2: 123456789 123456789 123456789 123456789 123456789 12345\n"
                                   "MBX: 3\n"
                                   "  zoe: 2\n"
                                   "    1: first\n"
                                   "    2: zoe: 3\n"
                                   "  alice: 0\n"
                                   "  bob: 0\n";
    world *w = *data;
    cookie_text zoe;
    size_t pieces;

    assert_string_equal(say(w, "DUMP"), "OK");
    assert_true(w->what.dump);
    enter(w, "REGISTER", "zoe", zoe);
    assert_false(w->what.dump);
    (void)say(w, "REGISTER alice pass1");
    (void)say(w, "REGISTER bob pass2");
    (void)say(w, "MESSAGE first %s", zoe);
    (void)say(w, "STORE zoe %s", zoe);
    (void)say(w, "MESSAGE zoe: 3 %s", zoe);
    (void)say(w, "STORE zoe %s", zoe);
    (void)say(w, "MESSAGE the older one %s", zoe);
    (void)say(w, "MESSAGE 123456789 123456789 123456789 123456789 123456789 12345 %s", zoe);
    assert_string_equal(say(w, "DUMP any words %s", zoe), "OK"); /* DMP-3 */
    assert_true(w->what.dump);
    paper p = {.pieces_left = 1000};
    assert_int_equal(smsp_dump(w->state, print, &p), SMSP_OK);
    assert_string_equal(p.text, expected); /* DMP-5, DMP-6 */
    pieces = 1000 - p.pieces_left;
    for (size_t stop = 0; stop < pieces; stop++) {
        p = (paper){.pieces_left = stop};
        assert_int_equal(smsp_dump(w->state, print, &p), SMSP_STOPPED);
        assert_memory_equal(p.text, expected, p.len);
    }
}

static void dump_of_the_longest_name(void **data)
{
    world *w = *data;

    assert_memory_equal(say(w, "REGISTER %0*d password", (int)SMSP_NAME_MAX, 7), "OK ", 3);
    paper p = {.pieces_left = 3};
    assert_int_equal(smsp_dump(w->state, print, &p), SMSP_OK);
    char expected[100];
    snprintf(expected, sizeof expected, "IMQ: 0\nMBX: 1\n  %0*d: 0\n", (int)SMSP_NAME_MAX, 7);
    assert_string_equal(p.text, expected);
}

/* ---- smsp_answer ---- */

static void answers(void **data)
{
    world *w = *data;
    uint8_t out[SMSP_REPLY_MAX + 1];
    smsp_line too_long = {SPAN("DUMP"), true, SMSP_ENDS_LF};
    smsp_line dump = {SPAN("DUMP"), false, SMSP_ENDS_NUL};

    assert_int_equal(smsp_answer(w->state, &w->secrets, &too_long, out, sizeof out, &w->what), SMSP_OK);
    assert_span_is((smsp_span){out, w->what.len}, "KO\n", 3); /* FRM-7 */
    assert_false(w->what.dump);
    assert_int_equal(smsp_answer(w->state, &w->secrets, &dump, out, sizeof out, &w->what), SMSP_OK);
    assert_span_is((smsp_span){out, w->what.len}, "OK\0", 3);
    assert_true(w->what.dump);
    assert_int_equal(smsp_answer(w->state, &w->secrets, &dump, out, SMSP_REPLY_MAX, &w->what), SMSP_NO_ROOM);
    assert_string_equal(say(w, ""), KO);        /* REQ-2 */
    assert_string_equal(say(w, "DUMPLING"), KO); /* REQ-3 */
    assert_string_equal(say(w, "STORE a b c"), KO); /* REQ-4 */
    assert_string_equal(say(w, "DUMP \x7f"), KO);   /* REQ-1 */
}

/* ---- smsp_state_init ---- */

static void limits_of_a_state(void **unused)
{
    smsp_limits good = small_limits();
    smsp_config config = {.limits = good};
    smsp_state *state = NULL;
    size_t size = smsp_state_size(&good);
    uint8_t *memory = malloc(size + 1);

    (void)unused;
    assert_non_null(memory);
    assert_int_equal(smsp_state_init(memory, size - 1, &config, &state), SMSP_NO_ROOM);
    assert_int_equal(smsp_state_init(memory + 1, size, &config, &state), SMSP_NO_ROOM);
    assert_int_equal(smsp_state_init(NULL, size, &config, &state), SMSP_NO_ROOM);
    assert_null(state);
    for (int field = 0; field < 8; field++) {
        smsp_limits bad = good;
        bad.accounts = field == 0 ? 0 : field == 1 ? UINT32_MAX : good.accounts;
        bad.messages = field == 2 ? 0 : good.messages;
        bad.text = field == 3 ? 63 : field == 4 ? UINT64_MAX : good.text;
        bad.mailbox = field == 5 ? 0 : good.mailbox;
        bad.journal = field == 6 ? 0 : good.journal;
        config.limits = bad;
        assert_int_equal(smsp_state_size(&bad) == 0, field < 7);
        if (field < 7)
            assert_int_equal(smsp_state_init(memory, size, &config, &state), SMSP_BAD_LIMITS);
    }
    free(memory);
}

/* Text memory is counted in whole blocks of 64 bytes. */
static void size_of_text(void **unused)
{
    smsp_limits limits = small_limits();
    size_t size = smsp_state_size(&limits);

    (void)unused;
    limits.text += 6400;
    assert_int_equal(smsp_state_size(&limits), size + 6400);
    limits.text += 63 - limits.text % 64;
    assert_int_equal(smsp_state_size(&limits), size + 6400);
}

/* The limits of 32 bits in the tables; a size_t of 32 bits is too small for each of them. */
static void largest_limits(void **unused)
{
    const bool fits = SIZE_MAX > UINT32_MAX;
    smsp_limits limits = small_limits();

    (void)unused;
    limits.text = 64 * (uint64_t)UINT32_MAX - 1;
    assert_int_equal(smsp_state_size(&limits) > 0, fits);
    limits.text++;
    assert_int_equal(smsp_state_size(&limits), 0);
    limits = small_limits();
    limits.accounts = UINT32_C(1) << 31;
    assert_int_equal(smsp_state_size(&limits) > 0, fits);
    limits.accounts++;
    assert_int_equal(smsp_state_size(&limits), 0);
}

/* PROTOCOL.md, section 8 */
static void default_limits(void **unused)
{
    smsp_limits good = smsp_limits_default();

    (void)unused;
    assert_int_equal(good.accounts, 100000);
    assert_int_equal(good.messages, 1000000);
    assert_int_equal(good.text, 256 * 1024 * 1024);
    assert_int_equal(good.mailbox, 100000);
    assert_int_equal(good.imq, 0); /* the same as messages */
    assert_int_equal(good.share, 0); /* a quarter */
    assert_int_equal(good.journal, 16384);
    assert_in_range(smsp_state_size(&good), (size_t)256 << 20, (size_t)320 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(dump, setup, teardown),
        cmocka_unit_test_setup_teardown(dump_of_the_longest_name, setup, teardown),
        cmocka_unit_test_setup_teardown(answers, setup, teardown),
        cmocka_unit_test(limits_of_a_state),
        cmocka_unit_test(size_of_text),
        cmocka_unit_test(largest_limits),
        cmocka_unit_test(default_limits),
    };
    return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
