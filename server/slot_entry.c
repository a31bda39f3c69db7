/* SPDX-License-Identifier: ISC */
/* Requests and replies as entries of a slot: pure functions over private memory, and the
 * copy that makes it private. */
#include "slot.h"

#include <string.h>

/* A request's entry: verb (1 byte), bytes of the name (1), bytes of the content (2), the
 * tokens, the name, the content. The parts of the command say which of them it has; the
 * cookie of REGISTER and LOGIN is the candidate. */
enum { COOKIE = 1, PASSWORD = 2, NAME = 4, CONTENT = 8 };
enum {
    OF_NAME_PASSWORD = NAME | PASSWORD | COOKIE,
    OF_NAME_COOKIE = NAME | COOKIE,
    OF_CONTENT_COOKIE = CONTENT | COOKIE,
    OF_COOKIE = COOKIE,
    OF_NONE = 0
};
static const uint8_t parts_of[] = {
#define PARTS_OF(verb, name, parts, success, unknown_cookie) [SMSP_##verb] = OF_##parts,
    SMSP_COMMANDS(PARTS_OF)
#undef PARTS_OF
    [SMSP_SALT_NEW] = NAME,
    [SMSP_SALT] = NAME,
};

static size_t tokens_size(unsigned parts)
{
    return (parts & COOKIE ? SMSP_TOKEN_LEN : 0u) + (parts & PASSWORD ? SMSP_TOKEN_LEN : 0u);
}

static void put_span(uint8_t **at, smsp_span span)
{
    if (span.len > 0)
        memcpy(*at, span.at, span.len);
    *at += span.len;
}

slot_error slot_put_request(uint8_t *at, size_t size, const smsp_tokenized *tokenized, size_t *len)
{
    if ((unsigned)tokenized->verb >= sizeof parts_of)
        return SLOT_BAD;
    unsigned parts = parts_of[tokenized->verb];
    smsp_span name = parts & NAME ? tokenized->username : (smsp_span){NULL, 0};
    smsp_span content = parts & CONTENT ? tokenized->content : (smsp_span){NULL, 0};
    if (name.len > SMSP_NAME_MAX || content.len > SMSP_CONTENT_MAX)
        return SLOT_BAD;
    size_t need = 4 + tokens_size(parts) + name.len + content.len;
    if (need > size)
        return SLOT_NO_ROOM;

    uint16_t content_len = (uint16_t)content.len;
    at[0] = (uint8_t)tokenized->verb;
    at[1] = (uint8_t)name.len;
    memcpy(at + 2, &content_len, 2);
    at += 4;
    if (parts & COOKIE)
        put_span(&at, (smsp_span){tokenized->cookie.bytes, SMSP_TOKEN_LEN});
    if (parts & PASSWORD)
        put_span(&at, (smsp_span){tokenized->password.bytes, SMSP_TOKEN_LEN});
    put_span(&at, name);
    put_span(&at, content);
    *len = need;
    return SLOT_OK;
}

/* Are these parts those of a tokenized request? REGISTER, LOGIN and SALT always
 * name somebody, the others may name nobody (REQ-5). */
static bool parts_ok(smsp_verb verb, smsp_span name, smsp_span content)
{
    unsigned parts = parts_of[verb];
    bool nobody = name.len == 0 && (parts == (COOKIE | NAME) || !(parts & NAME));

    if (!nobody && !(parts & NAME && smsp_name_ok(name.at, name.len)))
        return false;
    if (content.len > 0 && !(parts & CONTENT))
        return false;
    return content.len <= SMSP_CONTENT_MAX && smsp_text_ok(content.at, content.len);
}

slot_error slot_get_request(const uint8_t *at, size_t size, smsp_tokenized *tokenized, size_t *len)
{
    uint16_t content_len;

    if (size < 4 || at[0] >= sizeof parts_of)
        return SLOT_BAD;
    memcpy(&content_len, at + 2, 2);
    smsp_verb verb = (smsp_verb)at[0];
    size_t tokens = tokens_size(parts_of[verb]);
    size_t need = 4 + tokens + at[1] + content_len;
    if (need > size)
        return SLOT_BAD;
    smsp_span name = {at + 4 + tokens, at[1]};
    smsp_span content = {name.at + name.len, content_len};
    if (!parts_ok(verb, name, content))
        return SLOT_BAD;

    tokenized->verb = verb;
    tokenized->username = name;
    tokenized->content = content;
    if (parts_of[verb] & COOKIE)
        memcpy(tokenized->cookie.bytes, at + 4, SMSP_TOKEN_LEN);
    if (parts_of[verb] & PASSWORD)
        memcpy(tokenized->password.bytes, at + 4 + SMSP_TOKEN_LEN, SMSP_TOKEN_LEN);
    *len = need;
    return SLOT_OK;
}

/* A reply's entry: code (1 byte), nothing (1), bytes of the text (2), count (4),
 * then the text, or of SALT the salt and its cost (4). */
slot_error slot_put_reply(uint8_t *at, size_t size, const smsp_result *result, smsp_span text, size_t *len)
{
    bool salt = result->code == SMSP_REPLY_SALT;
    uint16_t text_len = result->code == SMSP_REPLY_TEXT ? (uint16_t)text.len : 0;
    uint32_t count = result->code == SMSP_REPLY_COUNTED ? result->count : 0;
    size_t need = SLOT_TEXT_AT + text_len + (salt ? SMSP_SALT_LEN + 4u : 0u);

    if ((unsigned)result->code > SMSP_REPLY_AGAIN || text.len > SMSP_CONTENT_MAX)
        return SLOT_BAD;
    if (need > size)
        return SLOT_NO_ROOM;
    at[0] = (uint8_t)result->code;
    at[1] = 0;
    memcpy(at + 2, &text_len, 2);
    memcpy(at + 4, &count, 4);
    at += SLOT_TEXT_AT;
    if (text_len > 0 && text.at != at)
        memcpy(at, text.at, text_len);
    if (salt) {
        memcpy(at, result->salt.bytes, SMSP_SALT_LEN);
        memcpy(at + SMSP_SALT_LEN, &result->salt.cost, 4);
    }
    *len = need;
    return SLOT_OK;
}

slot_error slot_get_reply(const uint8_t *at, size_t size, smsp_result *result, smsp_span *text, size_t *len)
{
    uint16_t text_len;

    if (size < SLOT_TEXT_AT || at[0] > SMSP_REPLY_AGAIN)
        return SLOT_BAD;
    memcpy(&text_len, at + 2, 2);
    bool salt = at[0] == SMSP_REPLY_SALT;
    size_t need = SLOT_TEXT_AT + text_len + (salt ? SMSP_SALT_LEN + 4u : 0u);
    if (need > size || text_len > SMSP_CONTENT_MAX || (text_len > 0 && at[0] != SMSP_REPLY_TEXT))
        return SLOT_BAD;
    result->code = (smsp_reply_code)at[0];
    memcpy(&result->count, at + 4, 4);
    *text = (smsp_span){at + SLOT_TEXT_AT, text_len};
    if (salt) {
        memcpy(result->salt.bytes, text->at, SMSP_SALT_LEN);
        memcpy(&result->salt.cost, text->at + SMSP_SALT_LEN, 4);
    }
    *len = need;
    return SLOT_OK;
}

slot_error slot_copy_in(slot *theirs, uint8_t *copy, uint32_t *count, uint32_t *len)
{
    /* Read once: a hostile worker may change them at any time. */
    *count = atomic_load_explicit(&theirs->request_count, memory_order_relaxed);
    *len = atomic_load_explicit(&theirs->request_len, memory_order_relaxed);
    if (*count == 0 || *count > SLOT_RUN_MAX || *len > SLOT_BYTES)
        return SLOT_BAD;
    memcpy(copy, theirs->requests, *len);
    return SLOT_OK;
}
