/* SPDX-License-Identifier: ISC */
/* Parsing and formatting requests (REQ-1 to REQ-5, MSG-3). */
#include "bytes.h"
#include "commands.h"

#ifdef __FRAMAC__
#include "proof/request_contracts.h"
#endif

const char *smsp_verb_name(smsp_verb verb)
{
    return (unsigned)verb < SMSP_VERBS ? (const char *)commands[verb].word : "?";
}

/* ---- Parse ---- */

/* Returns the offset of the first space, or the length. */
static size_t first_space(smsp_span span)
{
    size_t i = 0;

    /*@ loop invariant 0 <= i <= span.len;
        loop invariant word(span.at, span.len) == i + word(span.at + i, span.len - i);
        loop assigns i;
        loop variant span.len - i;
    */
    while (i < span.len && span.at[i] != ' ')
        i++;
    return i;
}

/* Returns the offset of the last space, or the length. A cookie at the end is skipped,
 * because vector code recognizes it faster than a search finds its beginning. */
static size_t last_space(smsp_span span)
{
    size_t i = span.len;

    if (i >= SMSP_COOKIE_LEN && smsp_cookie_ok(span.at + i - SMSP_COOKIE_LEN, SMSP_COOKIE_LEN)) {
        //@ ghost cookie_has_no_space(span.at, i);
        i -= SMSP_COOKIE_LEN;
    }
    /*@ loop invariant 0 <= i <= span.len;
        loop invariant until_last(span.at, span.len, span.len) == until_last(span.at, i, span.len);
        loop assigns i;
        loop variant i;
    */
    for (; i > 0; i--)
        if (span.at[i - 1] == ' ')
            return i - 1;
    return span.len;
}

/* Splits the span at the space at offset `at`. Returns false if there is no space, which means
 * that `at` is the length; then everything is in *before. */
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

    (void)split(rest, first_space(rest), &name, &last); /* without a space the cookie is missing, REQ-5 */
    request->cookie = cookie(last);
    if (request->cookie.len == 0 && first_space(last) < last.len)
        return SMSP_BAD_PARTS;
    //@ ghost if (request->cookie.len != 0) cookie_is_a_word(last.at, last.len);
    request->username = username(name);
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
    if (word.len > sizeof commands[0].word)
        return false;
    /*@ loop invariant 0 <= i <= SMSP_VERBS;
        loop invariant \forall integer v; 0 <= v < i ==> !is_verb(word.at, word.len, v);
        loop assigns i;
        loop variant SMSP_VERBS - i;
    */
    for (unsigned i = 0; i < SMSP_VERBS; i++) {
        if (word.len > 0 && commands[i].word[0] != word.at[0])
            continue; /* saves a call for most of the table */
        if (smsp_same(word.at, word.len, commands[i].word, commands[i].len)) {
            *verb = (smsp_verb)i;
            return true;
        }
    }
    return false;
}

static smsp_error parse_parts(smsp_verb verb, bool has_rest, smsp_span rest, smsp_request *request)
{
    smsp_parts expected = commands[verb].parts;

    if (!has_rest && expected <= SMSP_PARTS_CONTENT_COOKIE) /* these kinds have two parts */
        return SMSP_BAD_PARTS;
    if (expected == SMSP_PARTS_NAME_PASSWORD)
        return parse_name_password(rest, request);
    if (expected == SMSP_PARTS_NAME_COOKIE)
        return parse_name_cookie(rest, request);
    if (expected == SMSP_PARTS_CONTENT_COOKIE)
        return parse_content_cookie(rest, request);
    if (expected == SMSP_PARTS_COOKIE)
        request->cookie = cookie(rest); /* all of the rest, LGO-3 */
    return SMSP_OK;
}

smsp_error smsp_request_parse(const uint8_t *line, size_t len, smsp_request *request)
{
    const smsp_span all = {line, len};
    smsp_span word;
    smsp_span rest;
    smsp_verb verb;

    request->verb = SMSP_NO_VERB;
    request->username = request->password = request->content = request->cookie = (smsp_span){line, 0};
    if (len > SMSP_REQUEST_MAX)
        return SMSP_TOO_LONG;
    if (len == 0)
        return SMSP_BAD_VERB; /* REQ-2 */
    if (!smsp_text_ok(line, len))
        return SMSP_BAD_BYTES;
    bool has_rest = split(all, first_space(all), &word, &rest);
    if (!find_verb(word, &verb))
        return SMSP_BAD_VERB;
    smsp_error error = parse_parts(verb, has_rest, rest, request);
    /*@ assert inside(rest.at, rest.len, line, len); */
    /*@ assert error == SMSP_OK ==> username_of(request, line, len); */
    /*@ assert error == SMSP_OK ==> password_of(request, line, len); */
    /*@ assert error == SMSP_OK ==> content_of(request, line, len); */
    /*@ assert error == SMSP_OK ==> cookie_of(request, line, len); */
    if (error == SMSP_OK)
        request->verb = verb;
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
    smsp_parts needed = commands[request->verb].parts;
    smsp_put(&w, commands[request->verb].word, commands[request->verb].len);
    if (needed == SMSP_PARTS_NAME_PASSWORD || needed == SMSP_PARTS_NAME_COOKIE)
        error = put_part(&w, request->username, false);
    else if (needed == SMSP_PARTS_CONTENT_COOKIE)
        error = put_part(&w, request->content, true);
    if (error == SMSP_OK && needed == SMSP_PARTS_NAME_PASSWORD)
        error = put_part(&w, request->password, false);
    else if (error == SMSP_OK && needed != SMSP_PARTS_NONE)
        error = put_part(&w, request->cookie, false);
    if (error != SMSP_OK)
        return error;
    if (w.full)
        return SMSP_NO_ROOM;
    *len = w.len;
    return SMSP_OK;
}
