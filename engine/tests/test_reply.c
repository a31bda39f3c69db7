/* SPDX-License-Identifier: ISC */
/* Formatting and parsing replies: each command with each reply. */
#include "test_support.h"

static void expect_format(const smsp_reply *reply, smsp_ending ending, const char *expected, size_t len)
{
    uint8_t out[100];
    size_t out_len = 0;

    assert_int_equal(smsp_reply_format(reply, ending, out, sizeof out, &out_len), SMSP_OK);
    assert_span_is((smsp_span){out, out_len}, expected, len);
    assert_int_equal(smsp_reply_format(reply, ending, out, len, &out_len), SMSP_OK);
    assert_int_equal(smsp_reply_format(reply, ending, out, len - 1, &out_len), SMSP_NO_ROOM);
}

#define FORMAT(reply, ending, expected) expect_format((reply), (ending), (expected), sizeof(expected) - 1)

static void every_reply(void **unused)
{
    smsp_reply reply = {.code = SMSP_REPLY_OK};

    (void)unused;
    FORMAT(&reply, SMSP_ENDS_LF, "OK\n");
    FORMAT(&reply, SMSP_ENDS_NUL, "OK\0");
    FORMAT(&reply, SMSP_ENDS_SILENCE, "OK");
    FORMAT(&reply, SMSP_ENDS_UNKNOWN, "OK\n");
    reply.code = SMSP_REPLY_KO;
    FORMAT(&reply, SMSP_ENDS_LF, "KO\n");
    reply.code = SMSP_REPLY_LOG_IN;
    FORMAT(&reply, SMSP_ENDS_LF, "You should log in first.\n");
    reply = (smsp_reply){.code = SMSP_REPLY_COUNTED, .count = 0};
    FORMAT(&reply, SMSP_ENDS_LF, "COUNTED 0\n");
    reply.text = SPAN("no part of a count");
    reply.count = UINT32_MAX;
    FORMAT(&reply, SMSP_ENDS_LF, "COUNTED 4294967295\n");
    reply = (smsp_reply){.code = SMSP_REPLY_TEXT, .text = SPAN("hello there")};
    FORMAT(&reply, SMSP_ENDS_LF, "hello there\n");
    reply = (smsp_reply){.code = SMSP_REPLY_COOKIE, .text = SPAN("0123")};
    FORMAT(&reply, SMSP_ENDS_LF, "OK 0123\n");
}

static void not_of_the_wire(void **unused)
{
    uint8_t out[100];
    size_t len = 99;

    (void)unused;
    for (int code = SMSP_REPLIES; code <= SMSP_NO_REPLY; code++) {
        smsp_reply reply = {.code = (smsp_reply_code)code};
        assert_int_equal(smsp_reply_format(&reply, SMSP_ENDS_LF, out, sizeof out, &len), SMSP_BAD_REPLY);
    }
    assert_int_equal(len, 99);
}

static smsp_error parse(smsp_verb verb, const char *line, size_t len, smsp_reply *reply)
{
    uint8_t *copy = exact(line, len);
    smsp_error error = smsp_reply_parse(verb, copy, len, reply);

    if (error == SMSP_OK && reply->text.len > 0) /* into the caller's literal, which outlives the copy */
        reply->text.at = (const uint8_t *)line + (reply->text.at - copy);
    free(copy);
    return error;
}

static smsp_reply parsed(smsp_verb verb, const char *line)
{
    smsp_reply reply = {.code = SMSP_NO_REPLY};

    assert_int_equal(parse(verb, line, strlen(line), &reply), SMSP_OK);
    return reply;
}

static smsp_error rejected(smsp_verb verb, const char *line)
{
    smsp_reply reply = {.code = SMSP_NO_REPLY};
    smsp_error error = parse(verb, line, strlen(line), &reply);

    assert_int_equal(reply.code, SMSP_NO_REPLY);
    return error;
}

static void plain_replies(void **unused)
{
    static const bool ok_possible[SMSP_VERBS] = {[SMSP_LOGOUT] = true, [SMSP_MESSAGE] = true, [SMSP_STORE] = true,
                                                 [SMSP_DELMSG] = true, [SMSP_DUMP] = true};

    (void)unused;
    for (int v = 0; v < SMSP_VERBS; v++) {
        smsp_verb verb = (smsp_verb)v;
        assert_int_equal(parsed(verb, "KO").code, SMSP_REPLY_KO);
        if (ok_possible[verb])
            assert_int_equal(parsed(verb, "OK").code, SMSP_REPLY_OK);
        else if (verb != SMSP_GETMSG)
            assert_int_equal(rejected(verb, "OK"), SMSP_BAD_REPLY);
        if (verb == SMSP_REGISTER || verb == SMSP_LOGIN || verb == SMSP_DUMP)
            assert_int_equal(rejected(verb, "You should log in first."), SMSP_BAD_REPLY);
        else
            assert_int_equal(parsed(verb, "You should log in first.").code, SMSP_REPLY_LOG_IN);
        assert_int_equal(rejected(verb, ""), SMSP_BAD_REPLY);
        assert_int_equal(rejected(verb, "\x1b[2J"), SMSP_BAD_BYTES);
        if (verb != SMSP_GETMSG)
            assert_int_equal(rejected(verb, "maybe"), SMSP_BAD_REPLY);
    }
    assert_int_equal(rejected(SMSP_SALT, "OK"), SMSP_BAD_REPLY);
    assert_int_equal(rejected(SMSP_NO_VERB, "KO"), SMSP_BAD_REPLY);
    assert_int_equal(rejected(SMSP_SALT, "KO"), SMSP_BAD_REPLY);
}

static void cookies(void **unused)
{
    char line[300];
    smsp_reply reply = parsed(SMSP_LOGIN, "OK Zm9v+/==");

    (void)unused;
    assert_int_equal(reply.code, SMSP_REPLY_COOKIE);
    assert_span_equal(reply.text, "Zm9v+/==");
    assert_int_equal(rejected(SMSP_LOGIN, "OK "), SMSP_BAD_REPLY);
    assert_int_equal(rejected(SMSP_LOGIN, "OK a b"), SMSP_BAD_REPLY);
    assert_int_equal(rejected(SMSP_LOGIN, "OKa"), SMSP_BAD_REPLY);
    assert_int_equal(rejected(SMSP_LOGIN, "ok a"), SMSP_BAD_REPLY);
    snprintf(line, sizeof line, "OK %0255d", 0);
    assert_int_equal(parsed(SMSP_REGISTER, line).text.len, 255);
    snprintf(line, sizeof line, "OK %0256d", 0);
    assert_int_equal(rejected(SMSP_REGISTER, line), SMSP_BAD_REPLY);
}

static void counts(void **unused)
{
    static const char *const bad[] = {"COUNTED",    "COUNTED ",   "COUNTED 01", "COUNTED -1",         "COUNTED +1",
                                      "COUNTED 1 ", "COUNTED 1x", "COUNTED  1", "COUNTED 4294967296", "COUNTED 99999999999",
                                      "counted 1",  "COUNTED1",   "COUNTED 0x1", "COUNTED 1/",         "COUNTED 1:"};

    (void)unused;
    assert_int_equal(parsed(SMSP_COUNT, "COUNTED 0").count, 0);
    assert_int_equal(parsed(SMSP_COUNT, "COUNTED 10").count, 10);
    assert_true(parsed(SMSP_COUNT, "COUNTED 4294967295").count == UINT32_MAX);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(rejected(SMSP_COUNT, bad[i]), SMSP_BAD_REPLY);
}

static void texts(void **unused)
{
    smsp_reply reply = parsed(SMSP_GETMSG, "OK then");

    (void)unused;
    assert_int_equal(reply.code, SMSP_REPLY_TEXT);
    assert_span_equal(reply.text, "OK then");
    assert_span_equal(parsed(SMSP_GETMSG, "OK").text, "OK");
    assert_int_equal(parsed(SMSP_GETMSG, "KO").text.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reply), cmocka_unit_test(not_of_the_wire), cmocka_unit_test(plain_replies),
        cmocka_unit_test(cookies),     cmocka_unit_test(counts),          cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
