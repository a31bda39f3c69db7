/* SPDX-License-Identifier: ISC */
/* Contracts of request.c: the grammar of PROTOCOL.md, section 2, as predicates, lemmas as ghost
 * functions, and a contract for each function. */
#ifndef SMSP_REQUEST_CONTRACTS_H
#define SMSP_REQUEST_CONTRACTS_H

/*@ requires \valid_read(span.at + (0 .. span.len - 1));
    assigns \nothing;
    ensures \result == word(span.at, span.len) && 0 <= \result <= span.len;
    ensures \result < span.len ==> span.at[\result] == ' ';
*/
static size_t first_space(smsp_span span);

/*@ ghost
    /@ requires cookie(s, n);
       assigns \nothing;
       ensures word(s, n) == n;
    @/
    static void cookie_is_a_word(const uint8_t *s, size_t n)
    {
        /@ loop invariant 0 <= k <= n && all_hexadecimal(s, k) && word(s + k, n - k) == n - k;
           loop assigns k;
           loop variant k;
        @/
        for (size_t k = n; k > 0; k--)
            /@ assert hexadecimal(s[k - 1]) && (s + (k - 1)) + 1 == s + k; @/ ;
    }
*/

/*@ ghost
    /@ requires n >= SMSP_COOKIE_LEN && cookie(s + (n - SMSP_COOKIE_LEN), SMSP_COOKIE_LEN);
       assigns \nothing;
       ensures until_last(s, n, n) == until_last(s, n - SMSP_COOKIE_LEN, n);
    @/
    static void cookie_has_no_space(const uint8_t *s, size_t n)
    {
        /@ loop invariant 0 <= k <= SMSP_COOKIE_LEN && all_hexadecimal(s + (n - SMSP_COOKIE_LEN), k);
           loop invariant until_last(s, n, n) == until_last(s, n - SMSP_COOKIE_LEN + k, n);
           loop assigns k;
           loop variant k;
        @/
        for (size_t k = SMSP_COOKIE_LEN; k > 0; k--)
            /@ assert (s + (n - SMSP_COOKIE_LEN))[k - 1] == s[n - SMSP_COOKIE_LEN + k - 1]; @/ ;
    }
*/

/*@ requires \valid_read(span.at + (0 .. span.len - 1));
    assigns \nothing;
    ensures \result == until_last(span.at, span.len, span.len) && 0 <= \result <= span.len;
*/
static size_t last_space(smsp_span span);

/*@ requires at <= span.len && \valid(before) && \valid(after) && \separated(before, after);
    assigns *before, *after;
    ensures before->at == span.at && before->len == at;
    ensures \result <==> at < span.len;
    ensures \result ==> after->at == span.at + at + 1 && after->len == span.len - at - 1;
    ensures !\result ==> after->at == span.at + at && after->len == 0;
*/
static bool split(smsp_span span, size_t at, smsp_span *before, smsp_span *after);

/*@ assigns \nothing;
    ensures \result.at == span.at && \result.len == (ok ? span.len : 0);
*/
static smsp_span if_ok(bool ok, smsp_span span);

/*@ requires \valid_read(span.at + (0 .. span.len - 1));
    assigns \nothing;
    ensures \result.at == span.at && (\result.len == 0 || \result.len == span.len);
    ensures \result.len != 0 ==> name(span.at, span.len);
    ensures name(span.at, span.len) ==> \result.len == span.len;
*/
static smsp_span username(smsp_span span);

/*@ requires \valid_read(span.at + (0 .. span.len - 1));
    assigns \nothing;
    ensures \result.at == span.at && (\result.len == 0 || \result.len == span.len);
    ensures \result.len != 0 ==> cookie(span.at, span.len);
    ensures cookie(span.at, span.len) ==> \result.len == span.len;
*/
static smsp_span cookie(smsp_span span);

/*@ // the n bytes at s follow the verb and its space; has_rest: there is such a space (REQ-4, REQ-5)
    predicate one_word(uint8_t *s, integer n) = word(s, n) == n;

    predicate two_words(uint8_t *s, integer n) =
        word(s, n) < n && one_word(s + word(s, n) + 1, n - word(s, n) - 1);

    predicate parts_fit(integer expected, integer has_rest, uint8_t *s, integer n) =
        (expected == SMSP_PARTS_NAME_PASSWORD ==> has_rest != 0 && two_words(s, n)) &&
        (expected == SMSP_PARTS_NAME_COOKIE ==> has_rest != 0 && (one_word(s, n) || two_words(s, n))) &&
        (expected == SMSP_PARTS_CONTENT_COOKIE ==> has_rest != 0);

    // the parts of a request are inside the n bytes at s, and well formed
    predicate username_of(smsp_request *r, uint8_t *s, integer n) = inside(r->username.at, r->username.len, s, n) &&
        (r->username.len == 0 || name(r->username.at, r->username.len));

    predicate password_of(smsp_request *r, uint8_t *s, integer n) =
        inside(r->password.at, r->password.len, s, n) && r->password.len <= SMSP_PASSWORD_MAX;

    predicate content_of(smsp_request *r, uint8_t *s, integer n) = inside(r->content.at, r->content.len, s, n);

    predicate cookie_of(smsp_request *r, uint8_t *s, integer n) = inside(r->cookie.at, r->cookie.len, s, n) &&
        (r->cookie.len == 0 || cookie(r->cookie.at, r->cookie.len));

    predicate empty(smsp_request *r) =
        r->username.len == 0 && r->password.len == 0 && r->content.len == 0 && r->cookie.len == 0;
*/

/*@ requires \valid_read(rest.at + (0 .. rest.len - 1)) && \valid(request);
    requires \separated(request, rest.at + (0 .. rest.len - 1));
    assigns request->username, request->password;
    ensures \result == SMSP_OK || \result == SMSP_BAD_PARTS;
    ensures \result == SMSP_OK <==> parts_fit(SMSP_PARTS_NAME_PASSWORD, 1, rest.at, rest.len);
    ensures \result == SMSP_OK ==> inside(request->username.at, request->username.len, rest.at, rest.len);
    ensures \result == SMSP_OK ==> request->username.len == 0 || name(request->username.at, request->username.len);
    ensures \result == SMSP_OK ==> inside(request->password.at, request->password.len, rest.at, rest.len);
    ensures \result == SMSP_OK ==> request->password.len <= SMSP_PASSWORD_MAX;
*/
static smsp_error parse_name_password(smsp_span rest, smsp_request *request);

/*@ requires \valid_read(rest.at + (0 .. rest.len - 1)) && \valid(request);
    requires \separated(request, rest.at + (0 .. rest.len - 1));
    assigns request->username, request->cookie;
    ensures \result == SMSP_OK || \result == SMSP_BAD_PARTS;
    ensures \result == SMSP_OK <==> parts_fit(SMSP_PARTS_NAME_COOKIE, 1, rest.at, rest.len);
    ensures \result == SMSP_OK ==> inside(request->username.at, request->username.len, rest.at, rest.len);
    ensures \result == SMSP_OK ==> request->username.len == 0 || name(request->username.at, request->username.len);
    ensures \result == SMSP_OK ==> inside(request->cookie.at, request->cookie.len, rest.at, rest.len);
    ensures \result == SMSP_OK ==> request->cookie.len == 0 || cookie(request->cookie.at, request->cookie.len);
*/
static smsp_error parse_name_cookie(smsp_span rest, smsp_request *request);

/*@ requires \valid_read(rest.at + (0 .. rest.len - 1)) && \valid(request);
    requires \separated(request, rest.at + (0 .. rest.len - 1));
    assigns request->content, request->cookie;
    ensures \result == SMSP_OK || \result == SMSP_BAD_PARTS;
    ensures \result == SMSP_OK <==> parts_fit(SMSP_PARTS_CONTENT_COOKIE, 1, rest.at, rest.len);
    ensures \result == SMSP_OK ==> inside(request->content.at, request->content.len, rest.at, rest.len);
    ensures \result == SMSP_OK ==> inside(request->cookie.at, request->cookie.len, rest.at, rest.len);
    ensures \result == SMSP_OK ==> request->cookie.len == 0 || cookie(request->cookie.at, request->cookie.len);
*/
static smsp_error parse_content_cookie(smsp_span rest, smsp_request *request);

/*@ predicate is_verb(uint8_t *s, integer n, integer v) =
        0 <= v < SMSP_VERBS && n == commands[v].len && n <= sizeof(commands[v].word) && same(s, &commands[v].word[0], n);
*/

/*@ requires \valid_read(word.at + (0 .. word.len - 1)) && \valid(verb);
    assigns *verb;
    ensures \result ==> is_verb(word.at, word.len, *verb);
    ensures !\result ==> \forall integer v; 0 <= v < SMSP_VERBS ==> !is_verb(word.at, word.len, v);
*/
static bool find_verb(smsp_span word, smsp_verb *verb);

/*@ requires \valid_read(rest.at + (0 .. rest.len - 1)) && \valid(request);
    requires \separated(request, rest.at + (0 .. rest.len - 1));
    requires 0 <= verb < SMSP_VERBS && empty(request);
    assigns request->username, request->password, request->content, request->cookie;
    ensures \result == SMSP_OK || \result == SMSP_BAD_PARTS;
    ensures \result == SMSP_OK <==> parts_fit(commands[verb].parts, has_rest, rest.at, rest.len);
    ensures \result == SMSP_OK ==> username_of(request, rest.at, rest.len);
    ensures \result == SMSP_OK ==> password_of(request, rest.at, rest.len);
    ensures \result == SMSP_OK ==> content_of(request, rest.at, rest.len);
    ensures \result == SMSP_OK ==> cookie_of(request, rest.at, rest.len);
*/
static smsp_error parse_parts(smsp_verb verb, bool has_rest, smsp_span rest, smsp_request *request);

/*@ requires \valid_read(line + (0 .. len - 1)) && \valid(request);
    requires \separated(request, line + (0 .. len - 1));
    assigns *request;
    ensures \result != SMSP_OK ==> request->verb == SMSP_NO_VERB;
    ensures \result == SMSP_OK || \result == SMSP_TOO_LONG || \result == SMSP_BAD_BYTES ||
        \result == SMSP_BAD_VERB || \result == SMSP_BAD_PARTS;
    ensures too_long: \result == SMSP_TOO_LONG <==> len > SMSP_REQUEST_MAX;
    ensures bytes: \result == SMSP_BAD_BYTES <==> 0 < len <= SMSP_REQUEST_MAX && !text(line, 0, len);
    ensures verb: \result == SMSP_OK ==> is_verb(line, word(line, len), request->verb);
    ensures no_verb: \result == SMSP_BAD_VERB ==>
        len == 0 || \forall integer v; 0 <= v < SMSP_VERBS ==> !is_verb(line, word(line, len), v);
    ensures parts: \result == SMSP_OK ==> parts_fit(commands[request->verb].parts, word(line, len) < len ? 1 : 0,
        line + word(line, len) + 1, len - word(line, len) - 1);
    ensures no_parts: \result == SMSP_BAD_PARTS ==> \exists integer v; is_verb(line, word(line, len), v) &&
        !parts_fit(commands[v].parts, word(line, len) < len ? 1 : 0,
            line + word(line, len) + 1, len - word(line, len) - 1);
    ensures \result == SMSP_OK ==> username_of(request, line, len);
    ensures \result == SMSP_OK ==> password_of(request, line, len);
    ensures \result == SMSP_OK ==> content_of(request, line, len);
    ensures \result == SMSP_OK ==> cookie_of(request, line, len);
*/
smsp_error smsp_request_parse(const uint8_t *line, size_t len, smsp_request *request);

/*@ requires \valid(w) && writer_ok(w) && \valid_read(part.at + (0 .. part.len - 1));
    requires \separated(part.at + (0 .. part.len - 1), w, w->out + (0 .. w->size - 1));
    assigns w->full, w->len, w->out[w->len .. w->size - 1];
    ensures writer_ok(w);
    ensures \result == SMSP_OK || \result == SMSP_BAD_PARTS || \result == SMSP_BAD_BYTES;
    ensures \old(w->full) ==> w->full;
*/
static smsp_error put_part(smsp_writer *w, smsp_span part, bool spaces);

/*@ predicate sendable(smsp_span part, uint8_t *out, integer size) =
        \valid_read(part.at + (0 .. part.len - 1)) &&
        \separated(part.at + (0 .. part.len - 1), out + (0 .. size - 1));
*/

/*@ requires \valid_read(request) && \valid(out + (0 .. size - 1)) && \valid(len);
    requires \separated(request, len, out + (0 .. size - 1));
    requires sendable(request->username, out, size) && sendable(request->password, out, size) &&
        sendable(request->content, out, size) && sendable(request->cookie, out, size);
    assigns out[0 .. size - 1], *len;
    ensures \result == SMSP_OK ==> *len <= size;
*/
smsp_error smsp_request_format(const smsp_request *request, uint8_t *out, size_t size, size_t *len);

#endif
