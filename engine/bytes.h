/* SPDX-License-Identifier: ISC */
/* Checked writing and comparing of bytes: the one place with a memcpy. */
#ifndef SMSP_BYTES_H
#define SMSP_BYTES_H

#include "smsp.h"
#include <string.h>

/* Collects output in a buffer of size bytes. What does not fit sets full and
 * is not written; len never exceeds size. */
typedef struct smsp_writer {
    uint8_t *out;
    size_t size;
    size_t len;
    bool full;
} smsp_writer;

/*@ predicate writer_ok(smsp_writer *w) =
        w->len <= w->size && (w->full == 0 || w->full == 1) && \valid(w->out + (0 .. w->size - 1)) &&
        \separated(w, w->out + (0 .. w->size - 1));
*/

/*@ requires \valid(w) && writer_ok(w) && \valid_read(at + (0 .. len - 1));
    requires \separated(at + (0 .. len - 1), w, w->out + (0 .. w->size - 1));
    assigns w->full, w->len, w->out[w->len .. w->size - 1];
    ensures writer_ok(w);
    ensures w->full <==> \old(w->full) || len > \old(w->size - w->len);
    ensures w->len == \old(w->len) || w->len == \old(w->len) + len;
*/
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

/*@ requires \valid(w) && writer_ok(w);
    assigns w->full, w->len, w->out[w->len .. w->size - 1];
    ensures writer_ok(w);
    ensures \old(w->full) ==> w->full;
    ensures w->len >= \old(w->len);
*/
static inline void smsp_put_byte(smsp_writer *w, uint8_t byte)
{
    smsp_put(w, &byte, 1);
}

/* A string literal, without its NUL. */
#define SMSP_PUT_WORD(w, literal) smsp_put((w), (const uint8_t[]){literal}, sizeof(literal) - 1)

/*@ requires \valid(w) && writer_ok(w) && \valid_read(span.at + (0 .. span.len - 1));
    requires \separated(span.at + (0 .. span.len - 1), w, w->out + (0 .. w->size - 1));
    assigns w->full, w->len, w->out[w->len .. w->size - 1];
    ensures writer_ok(w);
    ensures \old(w->full) ==> w->full;
    ensures w->len >= \old(w->len);
*/
static inline void smsp_put_span(smsp_writer *w, smsp_span span)
{
    smsp_put(w, span.at, span.len);
}

//@ logic integer power_of_ten(integer n) = n <= 0 ? 1 : 10 * power_of_ten(n - 1);

/* number in decimal, without leading zeros */
/*@ requires \valid(w) && writer_ok(w);
    assigns w->full, w->len, w->out[w->len .. w->size - 1];
    ensures writer_ok(w);
    ensures \old(w->full) ==> w->full;
    ensures w->len >= \old(w->len);
*/
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

/*@ requires a_len == b_len ==> \valid_read(a + (0 .. a_len - 1)) && \valid_read(b + (0 .. b_len - 1));
    assigns \nothing;
    ensures \result <==> a_len == b_len && same(a, b, a_len);
*/
static inline bool smsp_same(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
    return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

#define SMSP_IS_WORD(at, len, literal) smsp_same((at), (len), (const uint8_t[]){literal}, sizeof(literal) - 1)

/* Takes the same time whatever the tokens hold, so that it tells nothing about them. */
/*@ requires \valid_read(a) && \valid_read(b);
    assigns \nothing;
*/
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
