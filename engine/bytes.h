/* SPDX-License-Identifier: ISC */
/* Checked writing and comparing of bytes. Only this file calls memcpy. */
#ifndef SMSP_BYTES_H
#define SMSP_BYTES_H

#include "smsp.h"
#include <string.h>

/* Output to a buffer of size bytes. Bytes that do not fit are not written and set full;
 * len never exceeds size. */
typedef struct smsp_writer {
    uint8_t *out;
    size_t size;
    size_t len;
    bool full;
} smsp_writer;

#ifdef __FRAMAC__
#include "proof/bytes_contracts.h"
#endif

static inline void smsp_put(smsp_writer *w, const uint8_t *at, size_t len)
{
    if (len > w->size - w->len) {
        w->full = true;
        return;
    }
    if (len > 0)
        memcpy(w->out + w->len, at, len);
    w->len += len;
}

static inline void smsp_put_byte(smsp_writer *w, uint8_t byte)
{
    smsp_put(w, &byte, 1);
}

/* A string literal, without its NUL. */
#define SMSP_PUT_WORD(w, literal) smsp_put((w), (const uint8_t[]){literal}, sizeof(literal) - 1)

static inline void smsp_put_span(smsp_writer *w, smsp_span span)
{
    smsp_put(w, span.at, span.len);
}

/* number in decimal, without leading zeros */
static inline void smsp_put_number(smsp_writer *w, uint32_t number)
{
    uint8_t digits[10];
    size_t at = sizeof digits;

    /*@ loop invariant 1 <= at <= 10 && number < power_of_ten(at);
        loop assigns at, number, digits[0 .. 9];
        loop variant number;
    */
    do {
        digits[--at] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    smsp_put(w, digits + at, sizeof digits - at);
}

static inline bool smsp_same(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

#define SMSP_IS_WORD(at, len, literal) smsp_same((at), (len), (const uint8_t[]){literal}, sizeof(literal) - 1)

/* In constant time, so that the time reveals nothing about the tokens. */
static inline bool smsp_same_token(const smsp_token *a, const smsp_token *b)
{
    uint8_t differs = 0;

    /*@ loop invariant 0 <= i <= SMSP_TOKEN_LEN;
        loop assigns i, differs;
        loop variant SMSP_TOKEN_LEN - i;
    */
    for (size_t i = 0; i < SMSP_TOKEN_LEN; i++)
        differs |= (uint8_t)(a->bytes[i] ^ b->bytes[i]);
    return differs == 0;
}

#endif
