/* SPDX-License-Identifier: ISC */
/* Parsing and formatting requests: parts, limits, bytes. */
#include "test_support.h"

static smsp_error parse(const char *line, size_t len, smsp_request *request, uint8_t **copy)
{
    *copy = exact(line, len);
    return smsp_request_parse(*copy, len, request);
}

#define COOKIE "0123456789abcdef0123456789abcdef"

static void expect_error(const char *line, size_t len, smsp_error expected)
{
    smsp_request request = {.verb = SMSP_DUMP};
    uint8_t *copy;

    assert_int_equal(parse(line, len, &request, &copy), expected);
    assert_int_equal(request.verb, SMSP_NO_VERB);
    free(copy);
}

#define ERROR(line, expected) expect_error((line), sizeof(line) - 1, (expected))

/* Parses, compares the parts, and formats it back. */
static void expect_parts(const char *line, size_t len, smsp_verb verb, const char *name, const char *password,
                         const char *content, const char *cookie, bool back)
{
    smsp_request request;
    uint8_t *copy;
    uint8_t out[SMSP_REQUEST_MAX];
    size_t out_len = 0;

    assert_int_equal(parse(line, len, &request, &copy), SMSP_OK);
    assert_int_equal(request.verb, verb);
    assert_span_is(request.username, name, strlen(name));
    assert_span_is(request.password, password, strlen(password));
    assert_span_is(request.content, content, strlen(content));
    assert_span_is(request.cookie, cookie, strlen(cookie));
    if (back) {
        assert_int_equal(smsp_request_format(&request, out, sizeof out, &out_len), SMSP_OK);
        assert_span_is((smsp_span){out, out_len}, line, len);
        if (len > 0)
            assert_int_equal(smsp_request_format(&request, out, len - 1, &out_len), SMSP_NO_ROOM);
    }
    free(copy);
}

#define PARTS(line, verb, name, password, content, cookie)                                                   \
    expect_parts((line), sizeof(line) - 1, (verb), (name), (password), (content), (cookie), true)
#define EMPTIED(line, verb, name, password, content, cookie)                                                 \
    expect_parts((line), sizeof(line) - 1, (verb), (name), (password), (content), (cookie), false)

static void every_command(void **unused)
{
    (void)unused;
    PARTS("REGISTER alice secret", SMSP_REGISTER, "alice", "secret", "", "");
    PARTS("LOGIN alice s\xc3\xa9""cret", SMSP_LOGIN, "alice", "s\xc3\xa9""cret", "", "");
    PARTS("LOGOUT " COOKIE, SMSP_LOGOUT, "", "", "", COOKIE);
    PARTS("MESSAGE hello " COOKIE, SMSP_MESSAGE, "", "", "hello", COOKIE);
    PARTS("STORE bob " COOKIE, SMSP_STORE, "bob", "", "", COOKIE);
    PARTS("COUNT bob " COOKIE, SMSP_COUNT, "bob", "", "", COOKIE);
    PARTS("DELMSG bob " COOKIE, SMSP_DELMSG, "bob", "", "", COOKIE);
    PARTS("GETMSG bob " COOKIE, SMSP_GETMSG, "bob", "", "", COOKIE);
    PARTS("DUMP", SMSP_DUMP, "", "", "", "");
    EMPTIED("DUMP ", SMSP_DUMP, "", "", "", "");
    EMPTIED("DUMP it  all " COOKIE, SMSP_DUMP, "", "", "", "");
}

/* MSG-3: everything between the first and the last space. */
static void content_with_spaces(void **unused)
{
    (void)unused;
    PARTS("MESSAGE a b  c " COOKIE, SMSP_MESSAGE, "", "", "a b  c", COOKIE);
    PARTS("MESSAGE   a  " COOKIE, SMSP_MESSAGE, "", "", "  a ", COOKIE);
    PARTS("MESSAGE   " COOKIE, SMSP_MESSAGE, "", "", " ", COOKIE);
    PARTS("MESSAGE caf\xc3\xa9 \xf0\x9f\x93\xac " COOKIE, SMSP_MESSAGE, "", "", "caf\xc3\xa9 \xf0\x9f\x93\xac", COOKIE);
    EMPTIED("MESSAGE  " COOKIE, SMSP_MESSAGE, "", "", "", COOKIE);
    EMPTIED("MESSAGE hello", SMSP_MESSAGE, "", "", "hello", "");
    EMPTIED("MESSAGE hello ", SMSP_MESSAGE, "", "", "hello", "");
    EMPTIED("MESSAGE ", SMSP_MESSAGE, "", "", "", "");
}

/* REQ-5: malformed or missing. */
static void malformed_parts(void **unused)
{
    (void)unused;
    EMPTIED("STORE bob", SMSP_STORE, "bob", "", "", "");
    EMPTIED("STORE bob ", SMSP_STORE, "bob", "", "", "");
    EMPTIED("STORE ", SMSP_STORE, "", "", "", "");
    EMPTIED("STORE  " COOKIE, SMSP_STORE, "", "", "", COOKIE);
    EMPTIED("STORE b-b " COOKIE, SMSP_STORE, "", "", "", COOKIE);
    EMPTIED("COUNT bob 0123456789abcdef0123456789abcde", SMSP_COUNT, "bob", "", "", "");
    EMPTIED("COUNT bob 0123456789ABCDEF0123456789ABCDEF", SMSP_COUNT, "bob", "", "", "");
    EMPTIED("LOGOUT", SMSP_LOGOUT, "", "", "", "");
    EMPTIED("LOGOUT ", SMSP_LOGOUT, "", "", "", "");
    EMPTIED("LOGOUT a b", SMSP_LOGOUT, "", "", "", "");
    EMPTIED("REGISTER a\xc3\xa9 pw", SMSP_REGISTER, "", "pw", "", "");
    EMPTIED("REGISTER  pw", SMSP_REGISTER, "", "pw", "", "");
    EMPTIED("REGISTER alice ", SMSP_REGISTER, "alice", "", "", "");
}

static void wrong_number_of_parts(void **unused)
{
    (void)unused;
    ERROR("REGISTER", SMSP_BAD_PARTS);
    ERROR("REGISTER alice", SMSP_BAD_PARTS);
    ERROR("REGISTER alice two words", SMSP_BAD_PARTS);
    ERROR("REGISTER alice secret ", SMSP_BAD_PARTS);
    ERROR("LOGIN alice", SMSP_BAD_PARTS);
    ERROR("MESSAGE", SMSP_BAD_PARTS);
    ERROR("STORE", SMSP_BAD_PARTS);
    ERROR("STORE bob  " COOKIE, SMSP_BAD_PARTS);
    ERROR("STORE bob " COOKIE " ", SMSP_BAD_PARTS);
    ERROR("GETMSG a b " COOKIE, SMSP_BAD_PARTS);
}

static void verbs(void **unused)
{
    static const char *const names[SMSP_VERBS] = {"REGISTER", "LOGIN", "LOGOUT", "MESSAGE", "STORE",
                                                  "COUNT", "DELMSG", "GETMSG", "DUMP"};

    (void)unused;
    ERROR("", SMSP_BAD_VERB);
    ERROR(" ", SMSP_BAD_VERB);
    ERROR(" DUMP", SMSP_BAD_VERB);
    ERROR("dump", SMSP_BAD_VERB);
    ERROR("DUMPLING", SMSP_BAD_VERB);
    ERROR("DUM", SMSP_BAD_VERB);
    ERROR("STORES bob " COOKIE, SMSP_BAD_VERB);
    ERROR("QUIT", SMSP_BAD_VERB);
    for (size_t i = 0; i < SMSP_VERBS; i++)
        assert_string_equal(smsp_verb_name((smsp_verb)i), names[i]);
    assert_int_equal(SMSP_VERBS, 9);
    assert_string_equal(smsp_verb_name(SMSP_SALT), "?");
    assert_string_equal(smsp_verb_name(SMSP_NO_VERB), "?");
    assert_string_equal(smsp_verb_name((smsp_verb)77), "?");
}

static void bytes(void **unused)
{
    (void)unused;
    ERROR("\x7f", SMSP_BAD_BYTES); /* checked before the verb */
    ERROR("DUMP\t", SMSP_BAD_BYTES);
    ERROR("DUMP \x1b[2J", SMSP_BAD_BYTES);
    ERROR("MESSAGE a\rb " COOKIE, SMSP_BAD_BYTES);
    ERROR("MESSAGE a\0b " COOKIE, SMSP_BAD_BYTES);
    ERROR("MESSAGE \xff " COOKIE, SMSP_BAD_BYTES);
    ERROR("MESSAGE \xc2\x9b " COOKIE, SMSP_BAD_BYTES);
}

/* N-1, N, N+1 of every length on the wire. */
static void limits(void **unused)
{
    char line[SMSP_REQUEST_MAX + 2];
    smsp_request request;
    int len;

    (void)unused;
    for (unsigned n = SMSP_NAME_MAX - 1; n <= SMSP_NAME_MAX + 1; n++) {
        len = snprintf(line, sizeof line, "STORE %.*s " COOKIE, (int)n, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn");
        assert_int_equal(smsp_request_parse((uint8_t *)line, (size_t)len, &request), SMSP_OK);
        assert_int_equal(request.username.len, n <= SMSP_NAME_MAX ? n : 0);
    }
    for (unsigned n = SMSP_PASSWORD_MAX - 1; n <= SMSP_PASSWORD_MAX + 1; n++) {
        len = snprintf(line, sizeof line, "LOGIN bob %0*d", (int)n, 0);
        assert_int_equal(smsp_request_parse((uint8_t *)line, (size_t)len, &request), SMSP_OK);
        assert_int_equal(request.password.len, n <= SMSP_PASSWORD_MAX ? n : 0);
    }
    for (unsigned n = SMSP_CONTENT_MAX - 1; n <= SMSP_CONTENT_MAX + 1; n++) {
        len = snprintf(line, sizeof line, "MESSAGE %0*d " COOKIE, (int)n, 0);
        smsp_error error = smsp_request_parse((uint8_t *)line, (size_t)len, &request);
        assert_int_equal(error, n <= SMSP_CONTENT_MAX ? SMSP_OK : SMSP_TOO_LONG);
    }
}

/* ---- Format ---- */

static smsp_error format(const smsp_request *request)
{
    uint8_t out[100];
    size_t len;

    return smsp_request_format(request, out, sizeof out, &len);
}

static void format_rejects(void **unused)
{
    smsp_request r = {.verb = SMSP_STORE, .username = SPAN("bob"), .cookie = SPAN("ABC+/=")};

    (void)unused;
    assert_int_equal(format(&r), SMSP_OK); /* another server's cookie */
    r.verb = SMSP_SALT;
    assert_int_equal(format(&r), SMSP_BAD_VERB);
    r.verb = SMSP_STORE;
    r.cookie = SPAN("");
    assert_int_equal(format(&r), SMSP_BAD_PARTS);
    r.cookie = SPAN("a b");
    assert_int_equal(format(&r), SMSP_BAD_PARTS);
    r.cookie = SPAN("c");
    r.username = SPAN("");
    assert_int_equal(format(&r), SMSP_BAD_PARTS);
    r.username = SPAN("b\nob");
    assert_int_equal(format(&r), SMSP_BAD_BYTES);
    r = (smsp_request){.verb = SMSP_MESSAGE, .content = SPAN(" a b "), .cookie = SPAN("c")};
    assert_int_equal(format(&r), SMSP_OK);
    r.content = SPAN("a\x1b");
    assert_int_equal(format(&r), SMSP_BAD_BYTES);
    r.content = SPAN("");
    assert_int_equal(format(&r), SMSP_BAD_PARTS);
    r = (smsp_request){.verb = SMSP_LOGIN, .username = SPAN("bob"), .password = SPAN("two words")};
    assert_int_equal(format(&r), SMSP_BAD_PARTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command),         cmocka_unit_test(content_with_spaces),
        cmocka_unit_test(malformed_parts),       cmocka_unit_test(wrong_number_of_parts),
        cmocka_unit_test(verbs),                 cmocka_unit_test(bytes),
        cmocka_unit_test(limits),                cmocka_unit_test(format_rejects),
    };
    return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
