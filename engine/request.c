#include "bytes.h"

/* What follows the verb. */
typedef enum {
    NAME_PASSWORD,
    NAME_COOKIE,
    CONTENT_COOKIE,
    COOKIE,
    ANYTHING /* and none of it matters */
} parts;

static const struct {
    const char *word;
    size_t len;
    parts parts;
} verbs[SMSP_VERBS] = {
    [SMSP_REGISTER] = {"REGISTER", 8, NAME_PASSWORD}, [SMSP_LOGIN] = {"LOGIN", 5, NAME_PASSWORD},
    [SMSP_LOGOUT] = {"LOGOUT", 6, COOKIE},            [SMSP_MESSAGE] = {"MESSAGE", 7, CONTENT_COOKIE},
    [SMSP_STORE] = {"STORE", 5, NAME_COOKIE},         [SMSP_COUNT] = {"COUNT", 5, NAME_COOKIE},
    [SMSP_DELMSG] = {"DELMSG", 6, NAME_COOKIE},       [SMSP_GETMSG] = {"GETMSG", 6, NAME_COOKIE},
    [SMSP_DUMP] = {"DUMP", 4, ANYTHING},
};

const char *smsp_verb_name(smsp_verb verb)
{
    return (unsigned)verb < SMSP_VERBS ? verbs[verb].word : "?";
}

/* ---- Parse ---- */

/* The first space in the span, or its length. */
static size_t first_space(smsp_span span)
{
    size_t i = 0;

    while (i < span.len && span.at[i] != ' ')
        i++;
    return i;
}

/* The last space in the span, or its length if it has none. */
static size_t last_space(smsp_span span)
{
    for (size_t i = span.len; i > 0; i--)
        if (span.at[i - 1] == ' ')
            return i - 1;
    return span.len;
}

/* Splits at the space at place `at`: before it, and after it. False, with all
 * of the span before, if it has no space there. */
static bool split(smsp_span span, size_t at, smsp_span *before, smsp_span *after)
{
    *before = (smsp_span){span.at, at};
    if (at == span.len) {
        *after = (smsp_span){span.at + at, 0};
        return false;
    }
    *after = (smsp_span){span.at + at + 1, span.len - at - 1};
    return true;
}

static smsp_span if_ok(bool ok, smsp_span span)
{
    return ok ? span : (smsp_span){span.at, 0};
}

static smsp_span username(smsp_span span)
{
    return if_ok(smsp_name_ok(span.at, span.len), span);
}

static smsp_span cookie(smsp_span span)
{
    return if_ok(smsp_cookie_ok(span.at, span.len), span);
}

static smsp_error parse_name_password(smsp_span rest, smsp_request *request)
{
    smsp_span name;
    smsp_span password;

    if (!split(rest, first_space(rest), &name, &password))
        return SMSP_BAD_PARTS;
    if (first_space(password) < password.len)
        return SMSP_BAD_PARTS;
    request->username = username(name);
    request->password = if_ok(password.len <= SMSP_PASSWORD_MAX, password);
    return SMSP_OK;
}

static smsp_error parse_name_cookie(smsp_span rest, smsp_request *request)
{
    smsp_span name;
    smsp_span last;

    (void)split(rest, first_space(rest), &name, &last); /* none: a missing cookie, REQ-5 */
    if (first_space(last) < last.len)
        return SMSP_BAD_PARTS;
    request->username = username(name);
    request->cookie = cookie(last);
    return SMSP_OK;
}

static smsp_error parse_content_cookie(smsp_span rest, smsp_request *request)
{
    smsp_span last;

    (void)split(rest, last_space(rest), &request->content, &last);
    request->cookie = cookie(last);
    return SMSP_OK;
}

static bool find_verb(smsp_span word, smsp_verb *verb)
{
    for (unsigned i = 0; i < SMSP_VERBS; i++) {
        if (smsp_same(word.at, word.len, (const uint8_t *)verbs[i].word, verbs[i].len)) {
            *verb = (smsp_verb)i;
            return true;
        }
    }
    return false;
}

smsp_error smsp_request_parse(const uint8_t *line, size_t len, smsp_request *request)
{
    const smsp_span all = {line, len};
    smsp_request parsed = {.verb = SMSP_DUMP};
    smsp_span word;
    smsp_span rest;
    smsp_error error = SMSP_OK;

    if (len > SMSP_REQUEST_MAX)
        return SMSP_TOO_LONG;
    if (len == 0)
        return SMSP_BAD_VERB; /* REQ-2 */
    if (!smsp_text_ok(line, len))
        return SMSP_BAD_BYTES;
    bool has_rest = split(all, first_space(all), &word, &rest);
    if (!find_verb(word, &parsed.verb))
        return SMSP_BAD_VERB;
    parts expected = verbs[parsed.verb].parts;
    if (!has_rest && expected != COOKIE && expected != ANYTHING)
        return SMSP_BAD_PARTS;
    if (expected == NAME_PASSWORD)
        error = parse_name_password(rest, &parsed);
    else if (expected == NAME_COOKIE)
        error = parse_name_cookie(rest, &parsed);
    else if (expected == CONTENT_COOKIE)
        error = parse_content_cookie(rest, &parsed);
    else if (expected == COOKIE)
        parsed.cookie = cookie(rest); /* LGO-3: all of the rest */
    if (error == SMSP_OK)
        *request = parsed;
    return error;
}

/* ---- Format ---- */

/* Adds a space and the part. */
static smsp_error put_part(smsp_writer *w, smsp_span part, bool spaces)
{
    if (part.len == 0 || (!spaces && first_space(part) < part.len))
        return SMSP_BAD_PARTS;
    if (!smsp_text_ok(part.at, part.len))
        return SMSP_BAD_BYTES;
    smsp_put_byte(w, ' ');
    smsp_put_span(w, part);
    return SMSP_OK;
}

smsp_error smsp_request_format(const smsp_request *request, uint8_t *out, size_t size, size_t *len)
{
    smsp_writer w = {out, size, 0, false};
    smsp_error error = SMSP_OK;

    if ((unsigned)request->verb >= SMSP_VERBS)
        return SMSP_BAD_VERB;
    parts needed = verbs[request->verb].parts;
    smsp_put(&w, (const uint8_t *)verbs[request->verb].word, verbs[request->verb].len);
    if (needed == NAME_PASSWORD || needed == NAME_COOKIE)
        error = put_part(&w, request->username, false);
    else if (needed == CONTENT_COOKIE)
        error = put_part(&w, request->content, true);
    if (error == SMSP_OK && needed == NAME_PASSWORD)
        error = put_part(&w, request->password, false);
    else if (error == SMSP_OK && needed != ANYTHING)
        error = put_part(&w, request->cookie, false);
    if (error != SMSP_OK)
        return error;
    if (w.full)
        return SMSP_NO_ROOM;
    *len = w.len;
    return SMSP_OK;
}
