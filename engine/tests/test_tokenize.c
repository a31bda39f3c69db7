/* SPDX-License-Identifier: ISC */
/* Tokenizing: the next step of each request, the tokens, drawing cookies, and failures. */
#include "test_support.h"

#define COOKIE "0123456789abcdef0123456789abcdef"

/* Parses and tokenizes the line; returns the next step. */
static smsp_next_step next_step(world *w, const char *line, smsp_tokenized *tokenized, smsp_reply_code *code)
{
    smsp_request request;

    *code = SMSP_NO_REPLY;
    assert_int_equal(smsp_request_parse((const uint8_t *)line, strlen(line), &request), SMSP_OK);
    return smsp_tokenize(&w->secrets, &request, tokenized, code);
}

static void expect_reply(world *w, const char *line, smsp_reply_code expected)
{
    smsp_tokenized tokenized;
    smsp_reply_code code;

    assert_int_equal(next_step(w, line, &tokenized, &code), SMSP_NEXT_REPLY);
    assert_int_equal(code, expected);
}

static void next_steps(void **data)
{
    world *w = *data;
    smsp_tokenized tokenized;
    smsp_reply_code code;
    smsp_token expected;

    assert_int_equal(next_step(w, "DUMP", &tokenized, &code), SMSP_NEXT_EXECUTE);
    assert_int_equal(tokenized.verb, SMSP_DUMP);
    assert_int_equal(next_step(w, "LOGIN alice password", &tokenized, &code), SMSP_NEXT_SALT);
    assert_int_equal(tokenized.verb, SMSP_SALT);
    assert_span_equal(tokenized.username, "alice");
    assert_int_equal(next_step(w, "REGISTER bob password", &tokenized, &code), SMSP_NEXT_SALT);
    assert_int_equal(tokenized.verb, SMSP_SALT_NEW);
    assert_span_equal(tokenized.username, "bob");
    assert_int_equal(next_step(w, "MESSAGE hello " COOKIE, &tokenized, &code), SMSP_NEXT_EXECUTE);
    assert_int_equal(tokenized.verb, SMSP_MESSAGE);
    assert_span_equal(tokenized.content, "hello");
    test_cookie(NULL, SPAN(COOKIE), &expected);
    assert_memory_equal(&tokenized.cookie, &expected, sizeof expected);
    expect_reply(w, "REGISTER a-b password", SMSP_REPLY_KO); /* REG-7 */
    expect_reply(w, "LOGIN alice ", SMSP_REPLY_KO);          /* LGI-4, LGI-5 */
    expect_reply(w, "LOGOUT nothing", SMSP_REPLY_KO);        /* LGO-3 */
    expect_reply(w, "COUNT alice", SMSP_REPLY_LOG_IN);       /* REQ-5 */
}

/* The verb of a line that did not parse is SMSP_NO_VERB, not SMSP_SALT; neither is executed. */
static void no_verb_is_answered_ko(void **data)
{
    world *w = *data;
    smsp_request request;
    smsp_tokenized tokenized;
    smsp_reply_code code = SMSP_NO_REPLY;

    assert_int_equal(smsp_request_parse((const uint8_t *)"SALT alice", 10, &request), SMSP_BAD_VERB);
    assert_int_equal(request.verb, SMSP_NO_VERB);
    for (int verb = SMSP_SALT_NEW; verb <= SMSP_NO_VERB; verb++) {
        request.verb = (smsp_verb)verb;
        assert_int_equal(smsp_tokenize(&w->secrets, &request, &tokenized, &code), SMSP_NEXT_REPLY);
        assert_int_equal(code, SMSP_REPLY_KO);
        code = SMSP_NO_REPLY;
    }
}

static void tokenized_login_has_no_content(void **data)
{
    world *w = *data;
    smsp_request request = {.verb = SMSP_LOGIN, .username = SPAN("alice"), .password = SPAN("password")};
    smsp_salt salt = {.cost = 7};
    smsp_tokenized tokenized = {.content = SPAN("what was there before")};
    smsp_cookie candidate;

    assert_int_equal(smsp_tokenize_login(&w->secrets, &request, &salt, &tokenized, &candidate), SMSP_OK);
    assert_span_equal(tokenized.username, "alice");
    assert_span_equal(tokenized.content, "");
}

/* A cookie is the drawn bytes in hexadecimal, and its token is that of these digits. */
static void cookies_are_hexadecimal(void **data)
{
    static const uint8_t drawn[SMSP_COOKIE_BYTES] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                                     0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    world *w = *data;
    smsp_tokenized tokenized;
    smsp_cookie cookie;
    smsp_token expected;

    w->scripted = drawn;
    w->scripted_left = sizeof drawn;
    assert_int_equal(smsp_draw_cookie(&w->secrets, &tokenized, &cookie), SMSP_OK);
    assert_memory_equal(cookie.hex, COOKIE, SMSP_COOKIE_LEN);
    test_cookie(NULL, SPAN(COOKIE), &expected);
    assert_memory_equal(&tokenized.cookie, &expected, sizeof expected);
}

static void failed_callbacks(void **data)
{
    world *w = *data;
    smsp_request request = {.verb = SMSP_LOGIN, .username = SPAN("alice"), .password = SPAN("password")};
    const smsp_salt salt = {.cost = 0};
    smsp_tokenized tokenized;
    smsp_cookie cookie;

    w->no_hashing = true;
    assert_int_equal(smsp_tokenize_login(&w->secrets, &request, &salt, &tokenized, &cookie), SMSP_BAD_SECRET);
    w->no_hashing = false;
    w->no_randomness = true;
    assert_int_equal(smsp_tokenize_login(&w->secrets, &request, &salt, &tokenized, &cookie), SMSP_BAD_SECRET);
    assert_int_equal(smsp_draw_cookie(&w->secrets, &tokenized, &cookie), SMSP_BAD_SECRET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(next_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(no_verb_is_answered_ko, setup, teardown),
        cmocka_unit_test_setup_teardown(tokenized_login_has_no_content, setup, teardown),
        cmocka_unit_test_setup_teardown(cookies_are_hexadecimal, setup, teardown),
        cmocka_unit_test_setup_teardown(failed_callbacks, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
