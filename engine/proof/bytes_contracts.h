/* SPDX-License-Identifier: ISC */
/* Contracts of the functions of bytes.h. */
#ifndef SMSP_BYTES_CONTRACTS_H
#define SMSP_BYTES_CONTRACTS_H

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
static inline void smsp_put(smsp_writer *w, const uint8_t *at, size_t len);

/*@ requires \valid(w) && writer_ok(w);
    assigns w->full, w->len, w->out[w->len .. w->size - 1];
    ensures writer_ok(w);
    ensures \old(w->full) ==> w->full;
    ensures w->len >= \old(w->len);
*/
static inline void smsp_put_byte(smsp_writer *w, uint8_t byte);

/*@ requires \valid(w) && writer_ok(w) && \valid_read(span.at + (0 .. span.len - 1));
    requires \separated(span.at + (0 .. span.len - 1), w, w->out + (0 .. w->size - 1));
    assigns w->full, w->len, w->out[w->len .. w->size - 1];
    ensures writer_ok(w);
    ensures \old(w->full) ==> w->full;
    ensures w->len >= \old(w->len);
*/
static inline void smsp_put_span(smsp_writer *w, smsp_span span);

//@ logic integer power_of_ten(integer n) = n <= 0 ? 1 : 10 * power_of_ten(n - 1);

/*@ requires \valid(w) && writer_ok(w);
    assigns w->full, w->len, w->out[w->len .. w->size - 1];
    ensures writer_ok(w);
    ensures \old(w->full) ==> w->full;
    ensures w->len >= \old(w->len);
*/
static inline void smsp_put_number(smsp_writer *w, uint32_t number);

/*@ requires a_len == b_len ==> \valid_read(a + (0 .. a_len - 1)) && \valid_read(b + (0 .. b_len - 1));
    assigns \nothing;
    ensures \result <==> a_len == b_len && same(a, b, a_len);
*/
static inline bool smsp_same(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len);

/*@ requires \valid_read(a) && \valid_read(b);
    assigns \nothing;
*/
static inline bool smsp_same_token(const smsp_token *a, const smsp_token *b);

#endif
