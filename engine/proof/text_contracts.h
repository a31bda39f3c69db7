/* SPDX-License-Identifier: ISC */
/* Contracts of the static functions of text.c, and lemmas as ghost functions. */
#ifndef SMSP_TEXT_CONTRACTS_H
#define SMSP_TEXT_CONTRACTS_H

/*@ requires readable: n <= BLOCK && \valid_read(at + (0 .. n - 1));
    assigns \nothing;
    ensures \result <==> all_plain(at, n);
*/
static inline bool plain_block(const uint8_t *at, size_t n);

/*@ assigns \nothing;
    ensures \result <==> low <= byte <= high;
*/
static bool within(uint8_t byte, uint8_t low, uint8_t high);

/*@ requires readable: left > 0 && \valid_read(at + (0 .. left - 1));
    assigns \nothing;
    ensures \result > 0 ==> character(at, left, \result);
    ensures \result == 0 ==> no_character(at, left);
    ensures 0 <= \result <= 4;
*/
static size_t character(const uint8_t *at, size_t left);

/*@ ghost
    /@ requires i < n && character(s + i, n - i, k);
       assigns \nothing;
       ensures text(s, i, n) <==> text(s, i + k, n);
    @/
    static void one_character(const uint8_t *s, size_t i, size_t n, size_t k) {}
*/

/*@ ghost
    /@ requires c > 0 && all_plain(s, c);
       assigns \nothing;
       ensures all_plain(s, c - 1) && plain(s[c - 1]);
    @/
    static void last_plain(const uint8_t *s, size_t c) {}
*/

/*@ ghost
    /@ requires c <= n - i && all_plain(s + i, c);
       assigns \nothing;
       ensures text(s, i, n) <==> text(s, i + c, n);
    @/
    static void plain_characters(const uint8_t *s, size_t i, size_t n, size_t c)
    {
        /@ loop invariant 0 <= k <= c && all_plain(s + i, k);
           loop invariant text(s, i + k, n) <==> text(s, i + c, n);
           loop assigns k;
           loop variant k;
        @/
        for (size_t k = c; k > 0; k--) {
            last_plain(s + i, k);
            /@ assert (s + i)[k - 1] == s[i + k - 1]; @/
            /@ assert character(s + (i + k - 1), n - (i + k - 1), 1); @/
            one_character(s, i + k - 1, n, 1);
        }
    }
*/

/*@ ghost
    /@ requires d <= n && all_plain(s, n);
       assigns \nothing;
       ensures all_plain(s + d, n - d);
    @/
    static void plain_rest(const uint8_t *s, size_t n, size_t d)
    {
        /@ loop invariant 0 <= k <= n && all_plain(s, k);
           loop invariant \forall integer j; k <= j < n ==> plain(s[j]);
           loop assigns k;
           loop variant k;
        @/
        for (size_t k = n; k > 0; k--)
            last_plain(s, k);
        /@ loop invariant d <= k <= n && all_plain(s + d, k - d);
           loop assigns k;
           loop variant n - k;
        @/
        for (size_t k = d; k < n; k++)
            /@ assert plain(s[k]) && (s + d)[k - d] == s[k]; @/ ;
    }
*/

/*@ assigns \nothing;
    ensures \result <==> alphanumeric(byte);
*/
static bool is_alphanumeric(uint8_t byte);

#endif
