/* SPDX-License-Identifier: ISC */
/* smsp_state_check detects an error in each field of a state. */
#include "state.h"
#include "test_support.h"

static void check_finds(world *w, const char *part)
{
    const char *found = smsp_state_check(w->state);

    assert_non_null(found);
    if (strstr(found, part) == NULL)
        assert_string_equal(found, part);
}

#define CORRUPT(field, value, part)                                                                            \
    do {                                                                                                     \
        const size_t size = sizeof(s->field);                                                                \
        uint8_t kept[sizeof(s->field)];                                                                      \
        memcpy(kept, &s->field, size);                                                                       \
        s->field = (value);                                                                                  \
        check_finds(&w, (part));                                                                             \
        memcpy(&s->field, kept, size);                                                                       \
        assert_null(smsp_state_check(s));                                                                    \
    } while (0)

/* Accounts, a mailbox, the IMQ, a free block, and a deletion that waits for its commit. */
static void open_busy_world(world *w)
{
    cookie_text alice, bob;

    world_open(w, small_limits());
    enter(w, "REGISTER", "alice", alice);
    enter(w, "REGISTER", "bob", bob);
    (void)say(w, "MESSAGE %0100d %s", 1, alice); /* blocks 0 and 1 */
    (void)say(w, "STORE alice %s", alice);
    (void)say(w, "MESSAGE two %s", bob); /* block 2 */
    (void)say(w, "STORE alice %s", alice);
    (void)say(w, "MESSAGE three %s", alice); /* block 3, on the IMQ */
    (void)say(w, "MESSAGE four %s", alice);
    (void)say(w, "STORE bob %s", bob);
    (void)say(w, "DELMSG bob %s", bob); /* block 4 is free */
    smsp_begin(w->state);
    (void)say(w, "DELMSG alice %s", alice); /* blocks 0 and 1 wait for commit */
}

static void check_finds_corrupted_counts_and_accounts(void **unused)
{
    world w;

    (void)unused;
    open_busy_world(&w);
    smsp_state *s = w.state;
    CORRUPT(account_count, 5, "limit");
    CORRUPT(session_count, 3, "limit");
    CORRUPT(message_count, 9, "limit");
    CORRUPT(imq_count, 9, "limit");
    CORRUPT(journal_count, 101, "limit");
    CORRUPT(deleted_count, 2, "limit");
    CORRUPT(pool.used, 6, "limit");
    CORRUPT(pool.fresh, 81, "limit");
    CORRUPT(pool.total, 79, "limit");
    CORRUPT(imq[s->config.limits.imq], 0, "gap");
    CORRUPT(config.limits.mailbox, 0, "gap"); /* no such layout */
    CORRUPT(account_count, 3, "usernames");
    CORRUPT(by_name.next[1], 0, "usernames");
    CORRUPT(by_name.heads[0], 7, "usernames");
    CORRUPT(session_count, 1, "cookies");
    CORRUPT(accounts[0].name[0], 'b', "account");
    CORRUPT(accounts[0].name[0], '-', "account");
    CORRUPT(accounts[0].name_len, 0, "account");
    CORRUPT(accounts[0].cookie.bytes[0], (uint8_t)(s->accounts[0].cookie.bytes[0] ^ 1), "account");
    CORRUPT(accounts[0].has_session, false, "account");
    smsp_commit(s);
    world_close(&w);
}

static void check_finds_corrupted_messages_and_blocks(void **unused)
{
    world w;

    (void)unused;
    open_busy_world(&w);
    smsp_state *s = w.state;
    CORRUPT(accounts[0].first, 99, "message");
    CORRUPT(accounts[0].last, 3, "message");
    CORRUPT(accounts[0].count, 2, "message");
    CORRUPT(accounts[0].count, 0, "message");
    CORRUPT(accounts[0].count, 4, "message");
    CORRUPT(accounts[0].on_imq, 0, "message");
    CORRUPT(imq[0], 99, "message");
    CORRUPT(imq[0], 0, "message");
    CORRUPT(message_count, 3, "message");
    CORRUPT(message_count, 0, "message");
    CORRUPT(deleted_count, 0, "message");
    CORRUPT(journal[0].message, 99, "message");
    CORRUPT(pool.blocks[2].first.length, 0, "message");
    CORRUPT(pool.blocks[2].first.length, SMSP_CONTENT_MAX + 1, "message");
    CORRUPT(pool.blocks[2].first.length, 60, "message");
    CORRUPT(pool.blocks[2].first.sender, 2, "message");
    CORRUPT(pool.blocks[2].first.text[0], 0x1b, "message");
    CORRUPT(pool.blocks[2].first.next, 3, "message");
    CORRUPT(pool.blocks[2].first.more, 3, "message");
    CORRUPT(pool.blocks[2].first.more, 99, "message");
    CORRUPT(pool.used, 3, "message");
    CORRUPT(pool.free, SMSP_NIL, "block");
    CORRUPT(pool.free, 99, "block");
    CORRUPT(pool.blocks[4].further.more, 4, "block");
    CORRUPT(pool.fresh, 6, "block");
    smsp_commit(w.state);
    world_close(&w);
}

/* The longest message with a length that is one too large, for which its last block has room:
 * every reader rejects it, and none writes past an end. */
static void overlong_message_is_rejected(void **unused)
{
    world w;
    cookie_text alice;
    smsp_limits limits = small_limits();
    uint8_t out[SMSP_REPLY_MAX + 1];
    char line[64];

    (void)unused;
    limits.text = 64 * 100;
    world_open(&w, limits);
    enter(&w, "REGISTER", "alice", alice);
    assert_string_equal(say(&w, "MESSAGE %0*d %s", (int)SMSP_CONTENT_MAX, 1, alice), "OK");
    assert_string_equal(say(&w, "STORE alice %s", alice), "OK");
    uint64_t digest = smsp_state_digest(w.state);
    smsp_first_block *first = smsp_pool_message(&w.state->pool, w.state->accounts[0].first);
    assert_int_equal(smsp_pool_blocks(SMSP_CONTENT_MAX), smsp_pool_blocks(SMSP_CONTENT_MAX + 1));
    first->length++;
    check_finds(&w, "message");
    assert_int_equal(smsp_state_digest(w.state), 0);
    int line_len = snprintf(line, sizeof line, "GETMSG alice %s", alice);
    smsp_line in = {{(uint8_t *)line, (size_t)line_len}, false, SMSP_ENDS_LF};
    w.what.len = 0;
    assert_int_equal(smsp_answer(w.state, &w.secrets, &in, out, sizeof out, &w.what), SMSP_NO_ROOM);
    assert_int_equal(w.what.len, 0);
    first->length--;
    assert_int_equal(smsp_state_digest(w.state), digest);
    world_close(&w);
}

/* A state with an invalid name has no digest. */
static void digest_of_a_corrupted_name(void **unused)
{
    world w;

    (void)unused;
    open_busy_world(&w);
    w.state->accounts[0].name[0] = '-';
    assert_int_equal(smsp_state_digest(w.state), 0);
    w.state->accounts[0].name[0] = 'a';
    assert_int_not_equal(smsp_state_digest(w.state), 0);
    smsp_commit(w.state);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_finds_corrupted_counts_and_accounts),
        cmocka_unit_test(check_finds_corrupted_messages_and_blocks),
        cmocka_unit_test(overlong_message_is_rejected),
        cmocka_unit_test(digest_of_a_corrupted_name),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
