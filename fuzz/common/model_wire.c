/* SPDX-License-Identifier: ISC */
/* The model of PROTOCOL.md's sections 2 (grammar), 3 (framing) and 7 (DUMP). */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Words ---- */

bool model_is_name(const model_limits *limits, const uint8_t *at, size_t len)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

    for (size_t i = 0; i < len; i++)
        if (at[i] == 0 || strchr(letters, at[i]) == NULL)
            return false;
    return len >= 1 && len <= limits->name;
}

bool model_is_cookie(const model_limits *limits, const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (at[i] == 0 || strchr("0123456789abcdef", at[i]) == NULL)
            return false;
    return len == limits->cookie;
}

/* The first code point and its length; length 0 if it is malformed (RFC 3629). Decodes first,
 * then rejects overlong forms, surrogates and code points over U+10FFFF. */
static uint32_t code_point(const uint8_t *at, size_t left, size_t *len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t point;

    *len = 0;
    if (at[0] < 0x80) {
        *len = 1;
        return at[0];
    }
    size_t bytes = (at[0] & 0xe0) == 0xc0 ? 2 : (at[0] & 0xf0) == 0xe0 ? 3 : (at[0] & 0xf8) == 0xf0 ? 4 : 0;
    if (bytes == 0 || bytes > left)
        return 0;
    point = at[0] & (0xffu >> (bytes + 1));
    for (size_t i = 1; i < bytes; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        point = point * 64 + (at[i] & 0x3f);
    }
    if (point < least[bytes] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    *len = bytes;
    return point;
}

bool model_is_text(const uint8_t *at, size_t len)
{
    size_t bytes;

    for (size_t i = 0; i < len; i += bytes) {
        uint32_t point = code_point(at + i, len - i, &bytes);
        if (bytes == 0 || point < 0x20 || (point >= 0x7f && point < 0xa0))
            return false;
    }
    return true;
}

bool model_is_reply(const model_limits *limits, const uint8_t *at, size_t len)
{
    size_t longest = limits->content;

    if (longest < sizeof "You should log in first." - 1)
        longest = sizeof "You should log in first." - 1;
    if (longest < 3 + limits->cookie)
        longest = 3 + limits->cookie;
    return len >= 1 && len <= longest && model_is_text(at, len);
}

/* ---- Stream ---- */

void model_stream_open(model_stream *s)
{
    memset(s, 0, sizeof *s);
}

void model_stream_close(model_stream *s)
{
    free(s->held);
    memset(s, 0, sizeof *s);
}

static void hold(model_stream *s, uint8_t byte)
{
    if (s->len == s->room) {
        s->room = s->room * 2 + 64;
        s->held = realloc(s->held, s->room);
        if (s->held == NULL)
            abort();
    }
    s->held[s->len++] = byte;
}

bool model_stream_byte(model_stream *s, uint8_t byte, size_t *len)
{
    if (s->ending == MODEL_UNKNOWN && byte == '\n')
        s->ending = MODEL_LF;
    if (s->ending == MODEL_UNKNOWN && byte == '\0')
        s->ending = MODEL_NUL; /* FRM-1 */
    hold(s, byte);
    *len = s->len - 1;
    if (s->ending == MODEL_NUL && byte == '\0')
        return true;
    if (s->ending != MODEL_LF || byte != '\n')
        return false;
    if (*len > 0 && s->held[*len - 1] == '\r')
        --*len; /* FRM-2 */
    return true;
}

bool model_stream_silence(model_stream *s, size_t *len)
{
    if (s->ending == MODEL_LF || s->ending == MODEL_NUL || s->len == 0)
        return false;
    if (s->ending == MODEL_UNKNOWN && s->len < 2)
        return false; /* FRM-4 */
    s->ending = MODEL_SILENCE;
    *len = s->len;
    if (s->held[*len - 1] == '\0') {
        --*len;
    } else if (s->held[*len - 1] == '\n') { /* FRM-6 */
        --*len;
        if (*len > 0 && s->held[*len - 1] == '\r')
            --*len;
    }
    return true;
}

void model_stream_next(model_stream *s)
{
    s->len = 0;
}

size_t model_stream_terminator(const model_stream *s, uint8_t *byte)
{
    *byte = s->ending == MODEL_NUL ? '\0' : '\n';
    return s->ending == MODEL_SILENCE ? 0 : 1;
}

/* ---- DUMP ---- */

static size_t print(uint8_t *out, size_t size, size_t at, const uint8_t *bytes, size_t len)
{
    if (len > size - at)
        abort(); /* the caller's buffer holds the largest DUMP */
    memcpy(out + at, bytes, len);
    return at + len;
}

static size_t print_words(uint8_t *out, size_t size, size_t at, const char *words)
{
    return print(out, size, at, (const uint8_t *)words, strlen(words));
}

static size_t print_queue(uint8_t *out, size_t size, size_t at, const model_queue *queue, const char *indent)
{
    char words[40];

    for (unsigned i = 0; i < queue->count; i++) {
        (void)snprintf(words, sizeof words, "%s%u: ", indent, i + 1);
        at = print_words(out, size, at, words);
        at = print(out, size, at, queue->at[i].text, queue->at[i].len);
        at = print_words(out, size, at, "\n");
    }
    return at;
}

size_t model_dump(const model *m, uint8_t *out, size_t size)
{
    char words[40];
    size_t at = 0;

    (void)snprintf(words, sizeof words, "IMQ: %u\n", m->imq.count);
    at = print_words(out, size, at, words);
    at = print_queue(out, size, at, &m->imq, "  ");
    (void)snprintf(words, sizeof words, "MBX: %u\n", m->user_count);
    at = print_words(out, size, at, words);
    for (unsigned i = 0; i < m->user_count; i++) {
        at = print_words(out, size, at, "  ");
        at = print(out, size, at, m->users[i].name, m->users[i].name_len);
        (void)snprintf(words, sizeof words, ": %u\n", m->users[i].mailbox.count);
        at = print_words(out, size, at, words);
        at = print_queue(out, size, at, &m->users[i].mailbox, "    ");
    }
    return at;
}
