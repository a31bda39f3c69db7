/* SPDX-License-Identifier: ISC */
/* Unit tests of slot_entry.c and slot.c: entries there and back, hostile entries, hand-over. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slot.h"

static smsp_span span(const char *text)
{
    return (smsp_span){(const uint8_t *)text, strlen(text)};
}

static smsp_tokenized tokenized_of(smsp_verb verb)
{
    smsp_tokenized tokenized = {.verb = verb};
    bool has_name = verb != SMSP_LOGOUT && verb != SMSP_MESSAGE && verb != SMSP_DUMP;

    tokenized.username = has_name ? span("alice") : span("");
    tokenized.content = verb == SMSP_MESSAGE ? span("h\xc3\xa9llo world ") : span("");
    memset(tokenized.cookie.bytes, 1, SMSP_TOKEN_LEN);
    memset(tokenized.password.bytes, 2, SMSP_TOKEN_LEN);
    return tokenized;
}

static void assert_span(smsp_span got, smsp_span want)
{
    assert_int_equal(got.len, want.len);
    if (want.len > 0)
        assert_memory_equal(got.at, want.at, want.len);
}

static bool has_cookie(smsp_verb verb)
{
    return verb < SMSP_SALT_NEW && verb != SMSP_DUMP;
}

static void every_request_there_and_back(void **state)
{
    (void)state;
    for (unsigned verb = 0; verb <= SMSP_SALT; verb++) {
        uint8_t at[SLOT_REQUEST_MAX];
        smsp_tokenized tokenized = tokenized_of((smsp_verb)verb);
        smsp_tokenized back = {.verb = SMSP_DUMP};
        size_t len, used;
        assert_int_equal(slot_put_request(at, sizeof at, &tokenized, &len), SLOT_OK);
        assert_int_equal(slot_put_request(at, len, &tokenized, &len), SLOT_OK);
        assert_int_equal(slot_put_request(at, len - 1, &tokenized, &used), SLOT_NO_ROOM);
        assert_int_equal(slot_get_request(at, len, &back, &used), SLOT_OK);
        assert_int_equal(used, len);
        assert_int_equal(back.verb, verb);
        assert_span(back.username, tokenized.username);
        assert_span(back.content, tokenized.content);
        if (has_cookie((smsp_verb)verb))
            assert_memory_equal(&back.cookie, &tokenized.cookie, SMSP_TOKEN_LEN);
        if (verb == SMSP_REGISTER || verb == SMSP_LOGIN)
            assert_memory_equal(&back.password, &tokenized.password, SMSP_TOKEN_LEN);
    }
}

/* Each entry in a block of its own size, so that a sanitizer sees a byte read too far. */
static slot_error get_exactly(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    smsp_tokenized tokenized;
    size_t used = 0;

    assert_non_null(copy);
    memcpy(copy, bytes, len);
    slot_error error = slot_get_request(copy, len, &tokenized, &used);
    if (error == SLOT_OK)
        assert_true(used <= len);
    free(copy);
    return error;
}

static void every_cut_request_is_bad(void **state)
{
    (void)state;
    for (unsigned verb = 0; verb <= SMSP_SALT; verb++) {
        uint8_t at[SLOT_REQUEST_MAX];
        smsp_tokenized tokenized = tokenized_of((smsp_verb)verb);
        size_t len;
        assert_int_equal(slot_put_request(at, sizeof at, &tokenized, &len), SLOT_OK);
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(get_exactly(at, cut), SLOT_BAD);
        assert_int_equal(get_exactly(at, len), SLOT_OK);
    }
}

/* An entry by hand: verb, name, content, 64 bytes of tokens at most. */
static slot_error get_made(unsigned verb, const char *name, const char *content, size_t tokens)
{
    uint8_t at[4 + 2 * SMSP_TOKEN_LEN + 64 + SMSP_CONTENT_MAX + 8] = {(uint8_t)verb, (uint8_t)strlen(name)};
    uint16_t content_len = (uint16_t)strlen(content);

    memcpy(at + 2, &content_len, 2);
    memcpy(at + 4 + tokens, name, strlen(name));
    memcpy(at + 4 + tokens + strlen(name), content, content_len);
    return get_exactly(at, 4 + tokens + strlen(name) + content_len);
}

static void only_tokenized_requests_pass(void **state)
{
    static char longest[SMSP_CONTENT_MAX + 1], too_long[SMSP_CONTENT_MAX + 2];
    static const struct {
        unsigned verb;
        const char *name, *content;
        unsigned tokens;
        slot_error want;
    } cases[] = {
        {SMSP_MESSAGE, "", longest, 32, SLOT_OK},
        {SMSP_MESSAGE, "", too_long, 32, SLOT_BAD},
        {SMSP_MESSAGE, "", "", 32, SLOT_OK}, /* KO, but after the cookie */
        {SMSP_MESSAGE, "", "tab\t", 32, SLOT_BAD},
        {SMSP_MESSAGE, "", "\xff", 32, SLOT_BAD},
        {SMSP_MESSAGE, "a", "b", 32, SLOT_BAD},
        {SMSP_STORE, "a", "", 32, SLOT_OK},
        {SMSP_STORE, "", "", 32, SLOT_OK},
        {SMSP_STORE, "a", "b", 32, SLOT_BAD},
        {SMSP_STORE, "a b", "", 32, SLOT_BAD},
        {SMSP_STORE, "abcdefghijklmnopqrstuvwxyz0123456", "", 32, SLOT_BAD},
        {SMSP_LOGOUT, "a", "", 32, SLOT_BAD},
        {SMSP_SALT, "", "", 0, SLOT_BAD},
        {SMSP_REGISTER, "", "", 64, SLOT_BAD},
        {SMSP_LOGIN, "a", "", 64, SLOT_OK},
        {SMSP_DUMP, "", "x", 0, SLOT_BAD},
        {SMSP_SALT + 1, "a", "", 0, SLOT_BAD},
        {255, "a", "", 0, SLOT_BAD},
    };

    (void)state;
    memset(longest, 'x', SMSP_CONTENT_MAX);
    memset(too_long, 'x', SMSP_CONTENT_MAX + 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(get_made(cases[i].verb, cases[i].name, cases[i].content, cases[i].tokens),
                         cases[i].want);
}

/* A small generator, so that a failure repeats. */
static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static void random_bytes_never_go_past_the_end(void **state)
{
    uint32_t seed = 1;
    unsigned fine = 0;

    (void)state;
    for (unsigned turn = 0; turn < 200000; turn++) {
        uint8_t at[96] = {0};
        size_t len = next(&seed) % sizeof at;
        for (size_t i = 0; i < len; i++)
            at[i] = next(&seed) % 64 > 0 ? (uint8_t)('a' + next(&seed) % 26) : (uint8_t)next(&seed);
        if (len > 3) { /* likely verbs and lengths, so that the parts are reached too */
            at[1] = (uint8_t)next(&seed);
            at[2] = (uint8_t)next(&seed);
            at[0] %= 12;
            at[1] %= 8;
            at[2] %= 64;
            at[3] = 0;
        }
        fine += get_exactly(at, len) == SLOT_OK;
    }
    assert_true(fine > 1000);
}

static void every_reply_there_and_back(void **state)
{
    (void)state;
    for (unsigned code = 0; code <= SMSP_REPLY_AGAIN; code++) {
        uint8_t at[SLOT_REPLY_MAX];
        smsp_result result = {
            .code = (smsp_reply_code)code, .count = 77, .salt = {.bytes = {9, 8}, .cost = 5}};
        smsp_result back = {.code = SMSP_REPLY_OK};
        smsp_span text;
        size_t len, used;
        assert_int_equal(slot_put_reply(at, sizeof at, &result, span("text"), &len), SLOT_OK);
        assert_int_equal(slot_put_reply(at, len - 1, &result, span("text"), &used), SLOT_NO_ROOM);
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(slot_get_reply(at, cut, &back, &text, &used), SLOT_BAD);
        assert_int_equal(slot_get_reply(at, len, &back, &text, &used), SLOT_OK);
        assert_int_equal(used, len);
        assert_int_equal(back.code, code);
        assert_span(text, code == SMSP_REPLY_TEXT ? span("text") : span(""));
        if (code == SMSP_REPLY_COUNTED)
            assert_int_equal(back.count, 77);
        if (code == SMSP_REPLY_SALT)
            assert_memory_equal(&back.salt, &result.salt, sizeof result.salt);
    }
}

static void replies_that_are_none(void **state)
{
    static const uint8_t unknown[SLOT_TEXT_AT] = {SMSP_REPLY_AGAIN + 1};
    static const uint8_t text_of_ok[SLOT_TEXT_AT + 4] = {SMSP_REPLY_OK, 0, 4, 0};
    smsp_result result = {.code = (smsp_reply_code)(SMSP_REPLY_AGAIN + 1)};
    uint8_t at[SLOT_REPLY_MAX];
    smsp_span text;
    size_t len;

    (void)state;
    assert_int_equal(slot_get_reply(unknown, sizeof unknown, &result, &text, &len), SLOT_BAD);
    assert_int_equal(slot_get_reply(text_of_ok, sizeof text_of_ok, &result, &text, &len), SLOT_BAD);
    assert_int_equal(slot_put_reply(at, sizeof at, &result, span(""), &len), SLOT_BAD);
    result.code = SMSP_REPLY_TEXT;
    assert_int_equal(slot_put_reply(at, sizeof at, &result, (smsp_span){at, SMSP_CONTENT_MAX + 1}, &len),
                     SLOT_BAD);
}

/* ---- Hand-over ---- */

static void copy_in_checks_what_it_is_told(void **state)
{
    static const struct {
        uint32_t count, len;
        slot_error want;
    } cases[] = {{0, 0, SLOT_BAD},
                 {1, 0, SLOT_OK},
                 {SLOT_RUN_MAX, SLOT_BYTES, SLOT_OK},
                 {SLOT_RUN_MAX + 1, 4, SLOT_BAD},
                 {1, SLOT_BYTES + 1, SLOT_BAD},
                 {UINT32_MAX, UINT32_MAX, SLOT_BAD}};
    static uint8_t copy[SLOT_BYTES];
    uint32_t count, len;
    slots all;

    (void)state;
    assert_true(slots_map(&all, 1));
    slot *s = slots_at(&all, 0);
    memset(s->requests, 'r', SLOT_BYTES);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atomic_store(&s->request_count, cases[i].count);
        atomic_store(&s->request_len, cases[i].len);
        assert_int_equal(slot_copy_in(s, copy, &count, &len), cases[i].want);
    }
    assert_int_equal(copy[SLOT_BYTES - 1], 'r');
}

/* Pages of slot i that take memory. */
static unsigned pages_in_use(const slots *all, uint32_t i)
{
    uint8_t in_use[sizeof(slot) / 4096];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    unsigned count = 0;

    assert_int_equal(mincore(slots_at(all, i), sizeof(slot), in_use), 0);
    for (size_t n = 0; n < sizeof(slot) / page; n++)
        count += in_use[n] & 1u;
    return count;
}

/* In place of the C library's: some systems cannot give memory back (gVisor). */
static bool refuse_madvise;

int madvise(void *at, size_t len, int advice)
{
    return refuse_madvise ? -1 : (int)syscall(SYS_madvise, at, len, advice);
}

static void wipe_the_second_of_three(unsigned pages)
{
    slots all;

    assert_true(slots_map(&all, 3));
    for (uint32_t i = 0; i < 3; i++)
        memset(slots_at(&all, i), 'x', sizeof(slot));
    slots_wipe(&all, 1);
    assert_int_equal(pages_in_use(&all, 1), pages);
    const uint8_t *wiped = (const uint8_t *)slots_at(&all, 1);
    for (size_t i = 0; i < sizeof(slot); i++)
        assert_int_equal(wiped[i], 0);
    assert_int_equal(slots_at(&all, 0)->replies[SLOT_BYTES - 1], 'x');
    assert_int_equal(slots_at(&all, 2)->request_pad[0], 'x');
}

static void a_wiped_slot_is_zero_and_its_neighbours_are_not(void **state)
{
    (void)state;
    wipe_the_second_of_three(2); /* one for each way */
}

static void and_where_no_page_can_be_given_back(void **state)
{
    (void)state;
    refuse_madvise = true;
    wipe_the_second_of_three((unsigned)(sizeof(slot) / (size_t)sysconf(_SC_PAGESIZE)));
    refuse_madvise = false;
}

/* A worker in a process of its own hands over run after run; each comes back. */
static void exchanges_between_processes(void **state)
{
    enum { TURNS = 20000 };
    static uint8_t copy[SLOT_BYTES];
    slots all;
    int status;

    (void)state;
    assert_true(slots_map(&all, 2));
    pid_t worker = fork();
    if (worker == 0) {
        slot *mine = slots_at(&all, 1);
        slot_end end = slots_end_of(&all, 1, all.wake);
        bool fine = slots_keep_only(&all, 1);
        for (uint32_t turn = 0; turn < TURNS && fine; turn++) {
            memcpy(mine->requests, &turn, 4);
            slot_exchange(&end, 1 + turn % SLOT_RUN_MAX, 4);
            fine = mine->consumed == 1 + turn % SLOT_RUN_MAX && memcmp(mine->replies, &turn, 4) == 0;
        }
        _exit(fine ? 0 : 1);
    }
    slot *theirs = slots_at(&all, 1);
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        uint32_t count, len;
        while (!slot_is_handed_over(theirs))
            assert_int_equal(waitpid(worker, &status, WNOHANG), 0);
        assert_int_equal(slot_copy_in(theirs, copy, &count, &len), SLOT_OK);
        assert_int_equal(len, 4);
        assert_memory_equal(copy, &turn, 4);
        memcpy(theirs->replies, copy, 4);
        slot_hand_back(theirs, count, 4);
    }
    assert_int_equal(waitpid(worker, &status, 0), worker);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* What has no entry is refused whole; a worker never asks for it. */
static void what_no_entry_can_hold(void **state)
{
    static uint8_t at[SLOT_REQUEST_MAX];
    static const uint8_t text[SMSP_CONTENT_MAX + 1] = "x";
    smsp_tokenized tokenized = tokenized_of(SMSP_STORE);
    smsp_result result = {.code = SMSP_REPLY_KO};
    smsp_span back;
    size_t len = 0;

    (void)state;
    tokenized.username = (smsp_span){text, SMSP_NAME_MAX + 1};
    assert_int_equal(slot_put_request(at, sizeof at, &tokenized, &len), SLOT_BAD);
    tokenized = tokenized_of(SMSP_MESSAGE);
    tokenized.content = (smsp_span){text, SMSP_CONTENT_MAX + 1};
    assert_int_equal(slot_put_request(at, sizeof at, &tokenized, &len), SLOT_BAD);
    tokenized.verb = (smsp_verb)(SMSP_SALT + 1);
    assert_int_equal(slot_put_request(at, sizeof at, &tokenized, &len), SLOT_BAD);
    assert_int_equal(len, 0);

    uint8_t reply[SLOT_TEXT_AT + SMSP_CONTENT_MAX + 1] = {SMSP_REPLY_TEXT, 0};
    uint16_t longer = SMSP_CONTENT_MAX + 1;
    memcpy(reply + 2, &longer, 2);
    assert_int_equal(slot_get_reply(reply, sizeof reply, &result, &back, &len), SLOT_BAD);
    longer--;
    memcpy(reply + 2, &longer, 2);
    assert_int_equal(slot_get_reply(reply, sizeof reply, &result, &back, &len), SLOT_OK);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_there_and_back),
        cmocka_unit_test(every_cut_request_is_bad),
        cmocka_unit_test(only_tokenized_requests_pass),
        cmocka_unit_test(random_bytes_never_go_past_the_end),
        cmocka_unit_test(every_reply_there_and_back),
        cmocka_unit_test(replies_that_are_none),
        cmocka_unit_test(copy_in_checks_what_it_is_told),
        cmocka_unit_test(a_wiped_slot_is_zero_and_its_neighbours_are_not),
        cmocka_unit_test(and_where_no_page_can_be_given_back),
        cmocka_unit_test(what_no_entry_can_hold),
        cmocka_unit_test(exchanges_between_processes),
    };

    return cmocka_run_group_tests_name("slot", tests, NULL, NULL);
}
