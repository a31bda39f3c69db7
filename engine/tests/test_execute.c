/* SPDX-License-Identifier: ISC */
/* Every command of the document with every reply of PROTOCOL.md, sections 5 and 6. */
#include "state.h"
#include "test_support.h"

#define NOBODY "00000000000000000000000000000000"

static void register_and_login(void **data)
{
    world *w = *data;
    cookie_text first, second, third;

    enter(w, "REGISTER", "alice", first); /* REG-1 */
    assert_int_equal(w->what.effect.kind, SMSP_EFFECT_ACCOUNT);
    assert_string_equal(say(w, "COUNT alice %s", first), "COUNTED 0"); /* REG-3, REG-4 */
    assert_string_equal(say(w, "REGISTER alice other"), KO);           /* REG-6 */
    assert_string_equal(say(w, "COUNT alice %s", first), "COUNTED 0");
    assert_string_equal(say(w, "LOGIN alice other"), KO);    /* LGI-5 */
    assert_string_equal(say(w, "LOGIN nobody password"), KO); /* LGI-4 */
    assert_string_equal(say(w, "COUNT alice %s", first), "COUNTED 0"); /* LGI-6 */
    enter(w, "LOGIN", "alice", second); /* LGI-1 */
    assert_int_equal(w->what.effect.kind, SMSP_EFFECT_SESSION);
    assert_string_not_equal(first, second); /* LGI-2 */
    assert_string_equal(say(w, "COUNT alice %s", first), LOG_IN); /* LGI-3 */
    assert_string_equal(say(w, "COUNT alice %s", second), "COUNTED 0");
    enter(w, "REGISTER", "bob", third);
    assert_string_equal(say(w, "COUNT alice %s", third), "COUNTED 0"); /* CNT-3 */
}

static void malformed_accounts(void **data)
{
    world *w = *data;

    assert_string_equal(say(w, "REGISTER a-b password"), KO); /* REG-7 */
    assert_string_equal(say(w, "REGISTER alice "), KO);       /* REG-8 */
    assert_string_equal(say(w, "LOGIN a-b password"), KO);
    assert_int_equal(smsp_state_counts(w->state).accounts, 0);
    assert_int_equal(w->drawn, 0);
}

static void account_limit(void **data)
{
    world *w = *data;
    cookie_text cookie;

    enter(w, "REGISTER", "a", cookie);
    enter(w, "REGISTER", "b", cookie);
    enter(w, "REGISTER", "c", cookie);
    enter(w, "REGISTER", "d", cookie);
    assert_string_equal(say(w, "REGISTER e password"), KO); /* REG-9 */
    assert_string_equal(say(w, "COUNT d %s", cookie), "COUNTED 0");
}

/* REG-5: the source of randomness gives the same 16 bytes again and again. */
static void duplicate_cookie_is_drawn_again(void **data)
{
    static const uint8_t repeating[] = "same sixteen bytsame sixteen bytsame sixteen bytother 16 bytes!!";
    world *w = *data;
    cookie_text alice, bob;

    w->scripted = repeating;
    w->scripted_left = 16 * 4;
    enter(w, "REGISTER", "alice", alice);
    assert_int_equal(w->drawn, 1);
    enter(w, "REGISTER", "bob", bob);
    assert_int_equal(w->drawn, 4);
    assert_string_not_equal(alice, bob);
    assert_string_equal(say(w, "COUNT bob %s", bob), "COUNTED 0");
    /* LOGIN too, and one's own old cookie counts as assigned. */
    w->scripted = repeating;
    w->scripted_left = 16 * 3;
    enter(w, "LOGIN", "alice", bob);
    assert_int_equal(w->drawn, 8);
    assert_string_not_equal(alice, bob);
    /* After LOGOUT it may be assigned again: it has left AC (LGO-1). */
    assert_string_equal(say(w, "LOGOUT %s", bob), "OK");
    w->scripted = repeating;
    w->scripted_left = 16;
    enter(w, "LOGIN", "alice", bob);
    assert_string_equal(alice, bob);
}

static void broken_randomness(void **data)
{
    static uint8_t same[16 * (SMSP_DRAWS_MAX + 10)];
    world *w = *data;
    cookie_text cookie;

    w->scripted = same;
    w->scripted_left = sizeof same;
    enter(w, "REGISTER", "alice", cookie);
    assert_string_equal(say(w, "REGISTER bob password"), KO);
    assert_int_equal(w->drawn, 1 + SMSP_DRAWS_MAX);
    w->scripted_left = 0;
    w->no_randomness = true;
    assert_string_equal(say(w, "REGISTER bob password"), KO);
    w->no_randomness = false;
    w->no_hashing = true;
    assert_string_equal(say(w, "LOGIN alice password"), KO);
    assert_int_equal(smsp_state_counts(w->state).accounts, 1);
}

static void logout(void **data)
{
    world *w = *data;
    cookie_text alice, bob;

    enter(w, "REGISTER", "alice", alice);
    enter(w, "REGISTER", "bob", bob);
    assert_string_equal(say(w, "LOGOUT"), KO);
    assert_string_equal(say(w, "LOGOUT " NOBODY), KO); /* LGO-3 */
    assert_string_equal(say(w, "LOGOUT %s x", alice), KO);
    assert_string_equal(say(w, "LOGOUT %s", alice), "OK"); /* LGO-1, LGO-2 */
    assert_int_equal(w->what.effect.kind, SMSP_EFFECT_LOGOUT);
    assert_span_equal(w->what.effect.username, "alice");
    assert_string_equal(say(w, "LOGOUT %s", alice), KO);
    assert_string_equal(say(w, "COUNT alice %s", alice), LOG_IN);
    assert_string_equal(say(w, "COUNT alice %s", bob), "COUNTED 0"); /* LGO-5 */
    assert_int_equal(smsp_state_counts(w->state).sessions, 1);
    enter(w, "LOGIN", "alice", alice);
    assert_string_equal(say(w, "COUNT alice %s", alice), "COUNTED 0");
}

/* STORE takes the most recent message (STO-1), the mailbox returns the oldest (GET-1, DEL-1). */
static void store_is_lifo_mailbox_is_fifo(void **data)
{
    world *w = *data;
    cookie_text alice, bob;

    enter(w, "REGISTER", "alice", alice);
    enter(w, "REGISTER", "bob", bob);
    assert_string_equal(say(w, "MESSAGE one %s", alice), "OK");
    assert_string_equal(say(w, "MESSAGE two %s", bob), "OK");
    assert_string_equal(say(w, "STORE bob %s", alice), "OK");
    assert_string_equal(say(w, "STORE bob %s", alice), "OK");
    assert_string_equal(say(w, "STORE bob %s", alice), KO); /* STO-4 */
    assert_string_equal(say(w, "COUNT bob %s", alice), "COUNTED 2");
    assert_string_equal(say(w, "GETMSG bob %s", bob), "two");
    assert_string_equal(say(w, "GETMSG bob %s", bob), "two"); /* GET-2 */
    assert_string_equal(say(w, "DELMSG bob %s", bob), "OK");
    assert_string_equal(say(w, "GETMSG bob %s", bob), "one");
    assert_string_equal(say(w, "DELMSG bob %s", bob), "OK");
    assert_string_equal(say(w, "GETMSG bob %s", bob), KO); /* GET-3 */
    assert_string_equal(say(w, "DELMSG bob %s", bob), KO); /* DEL-2 */
    assert_string_equal(say(w, "COUNT bob %s", bob), "COUNTED 0");
    assert_int_equal(smsp_state_counts(w->state).blocks, 0);
}

static void unknown_cookies_and_users(void **data)
{
    static const char *const with_user[] = {"STORE", "COUNT", "DELMSG", "GETMSG"};
    world *w = *data;
    cookie_text alice;

    enter(w, "REGISTER", "alice", alice);
    assert_string_equal(say(w, "MESSAGE hello " NOBODY), LOG_IN); /* MSG-2 */
    assert_string_equal(say(w, "MESSAGE hello"), LOG_IN);
    assert_string_equal(say(w, "MESSAGE hello %s", alice), "OK");
    for (size_t i = 0; i < 4; i++) {
        const char *verb = with_user[i];
        assert_string_equal(say(w, "%s alice " NOBODY, verb), LOG_IN);
        assert_string_equal(say(w, "%s alice", verb), LOG_IN);
        assert_string_equal(say(w, "%s nobody nothing", verb), LOG_IN); /* REQ-6: the cookie first */
        assert_string_equal(say(w, "%s nobody %s", verb, alice), KO);
        assert_string_equal(say(w, "%s no-body %s", verb, alice), KO);
    }
    assert_int_equal(smsp_state_counts(w->state).imq, 1); /* STO-3 */
}

static void another_users_mailbox(void **data)
{
    world *w = *data;
    cookie_text alice, bob;

    enter(w, "REGISTER", "alice", alice);
    enter(w, "REGISTER", "bob", bob);
    (void)say(w, "MESSAGE hello %s", alice);
    (void)say(w, "STORE bob %s", alice);
    assert_string_equal(say(w, "GETMSG bob %s", alice), KO); /* GET-4 */
    assert_string_equal(say(w, "DELMSG bob %s", alice), KO); /* DEL-3 */
    assert_string_equal(say(w, "COUNT bob %s", alice), "COUNTED 1");
}

static void shared_mailboxes(void **unused)
{
    world w;
    cookie_text alice, bob;

    (void)unused;
    world_open(&w, small_limits());
    free(w.memory);
    w.config.shared_mailboxes = true;
    w.state = new_state(&w.config, &w.memory);
    enter(&w, "REGISTER", "alice", alice);
    enter(&w, "REGISTER", "bob", bob);
    (void)say(&w, "MESSAGE hello %s", alice);
    (void)say(&w, "STORE bob %s", alice);
    assert_string_equal(say(&w, "GETMSG bob %s", alice), "hello");
    assert_string_equal(say(&w, "DELMSG bob %s", alice), "OK");
    assert_string_equal(say(&w, "GETMSG nobody %s", alice), KO);
    assert_string_equal(say(&w, "DELMSG nobody %s", alice), KO);
    world_close(&w);
}

static void contents(void **data)
{
    world *w = *data;
    cookie_text alice;
    char text[SMSP_CONTENT_MAX + 1];

    enter(w, "REGISTER", "alice", alice);
    assert_string_equal(say(w, "MESSAGE  %s", alice), KO); /* MSG-4 */
    assert_string_equal(say(w, "MESSAGE  a  b  %s", alice), "OK");
    assert_string_equal(say(w, "STORE alice %s", alice), "OK");
    assert_string_equal(say(w, "GETMSG alice %s", alice), " a  b "); /* MSG-3, MSG-6 */
    (void)say(w, "DELMSG alice %s", alice);
    /* Around the sizes of a first block (50) and of further ones (60). */
    for (size_t len = 1; len <= SMSP_CONTENT_MAX; len += len < 240 ? 1 : 857) {
        for (size_t i = 0; i < len; i++)
            text[i] = (char)('a' + i % 26);
        text[len] = '\0';
        assert_string_equal(say(w, "MESSAGE %s %s", text, alice), "OK");
        assert_string_equal(say(w, "STORE alice %s", alice), "OK");
        assert_string_equal(say(w, "GETMSG alice %s", alice), text);
        assert_string_equal(say(w, "DELMSG alice %s", alice), "OK");
    }
    assert_int_equal(smsp_state_counts(w->state).blocks, 0);
}

/* Requests that smsp_tokenize never makes, but a hostile worker can. */
static void hostile_tokenized_requests(void **data)
{
    static const uint8_t text[SMSP_CONTENT_MAX + 1] = "x";
    world *w = *data;
    cookie_text alice;
    smsp_tokenized tokenized = {.verb = SMSP_MESSAGE};
    smsp_result result;

    enter(w, "REGISTER", "alice", alice);
    test_cookie(NULL, (smsp_span){(const uint8_t *)alice, SMSP_COOKIE_LEN}, &tokenized.cookie);
    tokenized.content = (smsp_span){text, sizeof text};
    assert_int_equal(smsp_execute(w->state, &tokenized, &result), SMSP_OK);
    assert_int_equal(result.code, SMSP_REPLY_KO);
    tokenized.verb = (smsp_verb)(SMSP_SALT + 1);
    assert_int_equal(smsp_execute(w->state, &tokenized, &result), SMSP_OK);
    assert_int_equal(result.code, SMSP_REPLY_KO);
    tokenized.verb = SMSP_COUNT;
    tokenized.username = (smsp_span){text, SMSP_NAME_MAX + 1};
    assert_int_equal(smsp_execute(w->state, &tokenized, &result), SMSP_OK);
    assert_int_equal(result.code, SMSP_REPLY_KO);
    tokenized.verb = SMSP_REGISTER;
    tokenized.username.len = 0;
    assert_int_equal(smsp_execute(w->state, &tokenized, &result), SMSP_OK);
    assert_int_equal(result.code, SMSP_REPLY_KO);
    assert_int_equal(result.effect.kind, SMSP_EFFECT_NONE);
}

/* The sender's share of the IMQ: a quarter of 8. */
static void imq_share(void **data)
{
    world *w = *data;
    cookie_text alice, bob;

    enter(w, "REGISTER", "alice", alice);
    enter(w, "REGISTER", "bob", bob);
    assert_string_equal(say(w, "MESSAGE 1 %s", alice), "OK");
    assert_string_equal(say(w, "MESSAGE 2 %s", alice), "OK");
    assert_string_equal(say(w, "MESSAGE 3 %s", alice), KO); /* MSG-5 */
    assert_string_equal(say(w, "MESSAGE 4 %s", bob), "OK");
    assert_string_equal(say(w, "STORE bob %s", bob), "OK"); /* takes bob's own */
    assert_string_equal(say(w, "MESSAGE 5 %s", alice), KO);
    assert_string_equal(say(w, "STORE bob %s", bob), "OK");
    assert_string_equal(say(w, "MESSAGE 6 %s", alice), "OK");
}

static void mailbox_limit(void **data)
{
    world *w = *data;
    cookie_text alice;

    enter(w, "REGISTER", "alice", alice);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(say(w, "MESSAGE m%d %s", i, alice), "OK");
        assert_string_equal(say(w, "STORE alice %s", alice), "OK");
    }
    assert_string_equal(say(w, "MESSAGE m3 %s", alice), "OK");
    assert_string_equal(say(w, "STORE alice %s", alice), KO); /* STO-5 */
    assert_int_equal(smsp_state_counts(w->state).imq, 1);
    assert_string_equal(say(w, "DELMSG alice %s", alice), "OK");
    assert_string_equal(say(w, "STORE alice %s", alice), "OK");
    assert_string_equal(say(w, "GETMSG alice %s", alice), "m1");
}

/* Each of the three limits on messages, at the limit and one over. */
static void message_limits(void **unused)
{
    static const struct {
        smsp_limits limits;
        uint32_t fit;
    } cases[] = {
        {{.accounts = 1, .messages = 3, .text = 64 * 9, .mailbox = 9, .imq = 9, .share = 9, .journal = 9}, 3},
        {{.accounts = 1, .messages = 9, .text = 64 * 4, .mailbox = 9, .imq = 9, .share = 9, .journal = 9}, 4},
        {{.accounts = 1, .messages = 9, .text = 64 * 9, .mailbox = 9, .imq = 5, .share = 9, .journal = 9}, 5},
        {{.accounts = 1, .messages = 9, .text = 64 * 9, .mailbox = 9, .imq = 1, .share = 9, .journal = 9}, 1},
        {{.accounts = 1, .messages = 9, .text = 64 * 9, .mailbox = 9, .imq = 9, .share = 6, .journal = 9}, 6},
    };

    (void)unused;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        world w;
        cookie_text alice;
        world_open(&w, cases[c].limits);
        enter(&w, "REGISTER", "alice", alice);
        for (uint32_t i = 0; i < cases[c].fit; i++)
            assert_string_equal(say(&w, "MESSAGE m %s", alice), "OK");
        assert_string_equal(say(&w, "MESSAGE m %s", alice), KO);
        assert_int_equal(smsp_state_counts(w.state).imq, cases[c].fit);
        world_close(&w);
    }
}

/* A text of two blocks does not fit into one, and takes no block. */
static void text_all_or_nothing(void **unused)
{
    smsp_limits limits = small_limits();
    world w;
    cookie_text alice;

    (void)unused;
    limits.text = 64 * 2;
    world_open(&w, limits);
    enter(&w, "REGISTER", "alice", alice);
    assert_string_equal(say(&w, "MESSAGE m %s", alice), "OK");
    assert_string_equal(say(&w, "MESSAGE %051d %s", 0, alice), KO);
    assert_int_equal(smsp_state_counts(w.state).blocks, 1);
    assert_string_equal(say(&w, "MESSAGE %050d %s", 0, alice), "OK");
    world_close(&w);
}

static void read_only(void **data)
{
    static const char *const lines[] = {"REGISTER bob password", "LOGIN alice password", "LOGOUT %s",
                                        "MESSAGE again %s",      "STORE alice %s",       "DELMSG alice %s"};
    world *w = *data;
    cookie_text alice;

    enter(w, "REGISTER", "alice", alice);
    (void)say(w, "MESSAGE one %s", alice);
    (void)say(w, "STORE alice %s", alice);
    (void)say(w, "MESSAGE two %s", alice);
    uint64_t before = smsp_state_digest(w->state);
    smsp_state_read_only(w->state, true);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char line[100];
        const char *place = strstr(lines[i], "%s");
        snprintf(line, sizeof line, "%.*s%s", place ? (int)(place - lines[i]) : 99, lines[i], place ? alice : "");
        assert_string_equal(say_bytes(w, (const uint8_t *)line, strlen(line)), KO);
        assert_int_equal(w->what.effect.kind, SMSP_EFFECT_NONE);
    }
    assert_true(smsp_state_digest(w->state) == before);
    assert_string_equal(say(w, "GETMSG alice %s", alice), "one");
    assert_string_equal(say(w, "COUNT alice %s", alice), "COUNTED 1");
    assert_string_equal(say(w, "MESSAGE again " NOBODY), LOG_IN);
    smsp_state_read_only(w->state, false);
    assert_string_equal(say(w, "LOGOUT %s", alice), "OK");
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(register_and_login),
        test(malformed_accounts),
        test(account_limit),
        test(duplicate_cookie_is_drawn_again),
        test(broken_randomness),
        test(logout),
        test(store_is_lifo_mailbox_is_fifo),
        test(unknown_cookies_and_users),
        test(another_users_mailbox),
        cmocka_unit_test(shared_mailboxes),
        test(contents),
        test(hostile_tokenized_requests),
        test(imq_share),
        test(mailbox_limit),
        cmocka_unit_test(message_limits),
        cmocka_unit_test(text_all_or_nothing),
        test(read_only),
    };
    return cmocka_run_group_tests_name("execute", tests, NULL, NULL);
}
