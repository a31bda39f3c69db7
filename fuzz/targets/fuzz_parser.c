/* SPDX-License-Identifier: ISC */
/* The request parser. An input is one line. The result must follow the grammar, its spans
 * must lie within the line, and format must give the line back. */
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "oracle.h"
#include "smsp.h"
#include "target.h"
#include "transcript.h"
#include "world.h"

const char target_name[] = "parser";

static const char *const verbs[] = {"REGISTER", "LOGIN", "LOGOUT", "MESSAGE", "STORE",
                                    "COUNT",    "DELMSG", "GETMSG", "DUMP"};

static size_t count_spaces(const uint8_t *line, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += line[i] == ' ';
    return count;
}

static size_t verb_number(const uint8_t *line, size_t len)
{
    for (size_t n = 0; n < SMSP_VERBS; n++) {
        size_t word = strlen(verbs[n]);
        if (len >= word && memcmp(line, verbs[n], word) == 0 && (len == word || line[word] == ' '))
            return n;
    }
    return SMSP_VERBS;
}

/* What sections 2 and 4 of PROTOCOL.md say about the line. */
static smsp_error expected(const uint8_t *line, size_t len, size_t *verb)
{
    size_t spaces = count_spaces(line, len);

    *verb = verb_number(line, len);
    if (len > SMSP_REQUEST_MAX)
        return SMSP_TOO_LONG;
    if (len > 0 && !model_is_text(line, len))
        return SMSP_BAD_BYTES;
    if (*verb == SMSP_VERBS)
        return SMSP_BAD_VERB;
    if (*verb == SMSP_DUMP || *verb == SMSP_LOGOUT)
        return SMSP_OK;
    if (*verb == SMSP_REGISTER || *verb == SMSP_LOGIN)
        return spaces == 2 ? SMSP_OK : SMSP_BAD_PARTS;
    if (*verb == SMSP_MESSAGE)
        return spaces >= 1 ? SMSP_OK : SMSP_BAD_PARTS;
    return spaces == 1 || spaces == 2 ? SMSP_OK : SMSP_BAD_PARTS;
}

static void check_span(const uint8_t *line, size_t len, smsp_span span)
{
    ORACLE("span", span.len == 0 || (span.at >= line && span.at + span.len <= line + len),
           "a part lies outside the line");
}

static void check_shapes(const smsp_request *r)
{
    model_limits limits = world_model_limits(false);

    ORACLE("shape", r->username.len == 0 || model_is_name(&limits, r->username.at, r->username.len), "a username");
    ORACLE("shape", r->cookie.len == 0 || model_is_cookie(&limits, r->cookie.at, r->cookie.len), "a cookie");
    ORACLE("shape", r->password.len <= SMSP_PASSWORD_MAX, "a password of %zu bytes", r->password.len);
    ORACLE("shape", r->content.len + 8 <= SMSP_REQUEST_MAX, "a content of %zu bytes", r->content.len);
}

/* Whether the parser has kept all parts: then format must give the line back. */
static bool is_whole(const smsp_request *r, size_t len)
{
    size_t parts = r->username.len + r->password.len + r->content.len + r->cookie.len;
    size_t spaces = r->verb == SMSP_LOGOUT ? 1 : r->verb == SMSP_DUMP ? 0 : 2;

    return len == strlen(verbs[r->verb]) + spaces + parts;
}

static bool has_password(smsp_verb verb)
{
    return verb == SMSP_REGISTER || verb == SMSP_LOGIN;
}

static bool has_username(smsp_verb verb)
{
    return verb != SMSP_LOGOUT && verb != SMSP_MESSAGE && verb != SMSP_DUMP;
}

static bool has_cookie(smsp_verb verb)
{
    return !has_password(verb) && verb != SMSP_DUMP;
}

/* Parts that the verb does not have are empty. */
static void check_absent_parts(const smsp_request *r)
{
    ORACLE("parts", has_username(r->verb) || r->username.len == 0, "a username of %zu bytes", r->username.len);
    ORACLE("parts", has_password(r->verb) || r->password.len == 0, "a password of %zu bytes", r->password.len);
    ORACLE("parts", r->verb == SMSP_MESSAGE || r->content.len == 0, "a content of %zu bytes", r->content.len);
    ORACLE("parts", has_cookie(r->verb) || r->cookie.len == 0, "a cookie of %zu bytes", r->cookie.len);
}

/* LOGOUT's cookie is everything after the first space, or empty (LGO-3). */
static void check_logout(const uint8_t *line, size_t len, const smsp_request *r)
{
    model_limits limits = world_model_limits(false);
    size_t at = strlen("LOGOUT ");
    bool valid = len > at && model_is_cookie(&limits, line + at, len - at);

    ORACLE("parts", r->cookie.len == (valid ? len - at : 0), "the cookie of LOGOUT has %zu bytes", r->cookie.len);
}

/* A part may only be empty if it is malformed, empty or missing in the line. */
static void check_parts(const uint8_t *line, size_t len, const smsp_request *r)
{
    model_limits limits = world_model_limits(false);
    const uint8_t *last = line + len;
    size_t tail = 0;

    while (tail < len && last[-1 - (ptrdiff_t)tail] != ' ')
        tail++;
    last -= tail;
    if (has_password(r->verb))
        ORACLE("parts", r->password.len == (tail <= SMSP_PASSWORD_MAX ? tail : 0), "the password");
    else if (r->verb == SMSP_LOGOUT)
        check_logout(line, len, r);
    else if (r->verb != SMSP_DUMP && count_spaces(line, len) >= 2)
        ORACLE("parts", (r->cookie.len > 0) == model_is_cookie(&limits, last, tail), "the cookie");
    if (r->verb == SMSP_MESSAGE && count_spaces(line, len) >= 2)
        ORACLE("parts", r->content.len == len - tail - 9, "the content");
    if (has_username(r->verb)) {
        const uint8_t *name = line + strlen(verbs[r->verb]) + 1;
        size_t name_len = 0;
        while (name + name_len < line + len && name[name_len] != ' ')
            name_len++;
        ORACLE("parts", (r->username.len > 0) == model_is_name(&limits, name, name_len), "the username");
    }
}

static void check_round_trip(const uint8_t *line, size_t len, const smsp_request *r)
{
    uint8_t out[SMSP_REQUEST_MAX + 1];
    size_t written = 0;

    if (!is_whole(r, len))
        return;
    smsp_error error = smsp_request_format(r, out, len, &written);
    bool parts_missing = (has_cookie(r->verb) && r->cookie.len == 0) ||
                         (r->verb == SMSP_MESSAGE && r->content.len == 0) ||
                         (has_username(r->verb) && r->username.len == 0) ||
                         (has_password(r->verb) && r->password.len == 0);
    ORACLE("round-trip", error == (parts_missing ? SMSP_BAD_PARTS : SMSP_OK), "format: %s", smsp_strerror(error));
    if (error != SMSP_OK)
        return;
    oracle_same_bytes("round-trip", "format(parse(line))", line, len, out, written);
    if (len > 0)
        ORACLE("round-trip", smsp_request_format(r, out, len - 1, &written) == SMSP_NO_ROOM, "it fits into one byte less");
}

/* Formats a request that has the input as each of its parts: format rejects what cannot be
 * sent, and the parser accepts the rest. The length selects the verb. */
static void check_format(const uint8_t *part, size_t len)
{
    static uint8_t out[16000];
    smsp_span span = {part, len};
    smsp_request r = {(smsp_verb)(len % (SMSP_VERBS + 1)), span, span, span, span}, again;
    bool text = model_is_text(part, len), spaces = count_spaces(part, len) > 0;
    smsp_error wanted = SMSP_OK;
    size_t written = 0;

    if (len > sizeof out / 3)
        return;
    if ((unsigned)r.verb >= SMSP_VERBS)
        wanted = SMSP_BAD_VERB;
    else if (r.verb != SMSP_DUMP && (len == 0 || (spaces && (text || r.verb != SMSP_MESSAGE))))
        wanted = SMSP_BAD_PARTS;
    else if (r.verb != SMSP_DUMP && !text)
        wanted = SMSP_BAD_BYTES;
    smsp_error error = smsp_request_format(&r, out, sizeof out, &written);
    ORACLE("round-trip", error == wanted, "parts of %zu bytes: %s", len, smsp_strerror(error));
    if (error == SMSP_OK && written <= SMSP_REQUEST_MAX)
        ORACLE("round-trip", smsp_request_parse(out, written, &again) == SMSP_OK && again.verb == r.verb,
               "the parser rejects what format made of parts of %zu bytes", len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    smsp_request request = {.verb = SMSP_DUMP};
    uint8_t *line = exact_copy(data, size);
    size_t verb;

    work_reset();
    engine_enters();
    smsp_error error = smsp_request_parse(line, size, &request);
    engine_leaves();
    ORACLE("work", work_done() <= 200 + 12 * size, "%llu blocks for %zu bytes", (unsigned long long)work_done(), size);
    if (oracles() == ORACLES_ALL) {
        smsp_error wanted = expected(line, size, &verb);
        ORACLE("grammar", error == wanted, "%s; the grammar: %s", smsp_strerror(error), smsp_strerror(wanted));
        ORACLE("grammar", request.verb == (error == SMSP_OK ? (smsp_verb)verb : SMSP_NO_VERB), "verb %d",
               (int)request.verb);
        check_format(line, size);
    }
    if (error == SMSP_OK && oracles() != ORACLES_NONE) {
        check_span(line, size, request.username);
        check_span(line, size, request.password);
        check_span(line, size, request.content);
        check_span(line, size, request.cookie);
        check_shapes(&request);
        check_absent_parts(&request);
        check_parts(line, size, &request);
        check_round_trip(line, size, &request);
    }
    free(line);
    return 0;
}

void target_show(const uint8_t *data, size_t size, FILE *to)
{
    smsp_request r = {.verb = SMSP_NO_VERB};
    smsp_error error = smsp_request_parse(data, size, &r);

    show_bytes(to, data, size);
    fprintf(to, "\n%s%s", error == SMSP_OK ? "" : smsp_strerror(error), error == SMSP_OK ? "" : "\n");
    if (error != SMSP_OK)
        return;
    fprintf(to, "%s, username '%.*s', password %zu bytes, content %zu bytes, cookie '%.*s'\n",
            smsp_verb_name(r.verb), (int)r.username.len, (const char *)r.username.at, r.password.len,
            r.content.len, (int)r.cookie.len, (const char *)r.cookie.at);
}
