/* SPDX-License-Identifier: ISC */
/* What is valid text, a username, a cookie (REQ-1, REG-7). */
#include "smsp.h"

/* Bytes that plain_block checks at once: the compiler makes vector code of its loop. */
#define BLOCK 32u
#define SHORT_BLOCK 8u /* for lines shorter than a block */

#ifdef __FRAMAC__
#include "proof/text_contracts.h"
#endif

/* Returns true if all n bytes are printable ASCII, 0x20 to 0x7e. n must be a constant. */
static inline bool plain_block(const uint8_t *at, size_t n)
{
    uint8_t bad = 0;

    /*@ loop invariant 0 <= i <= n;
        loop invariant bad == 0 <==> all_plain(at, i);
        loop invariant 0 <= bad <= i;
        loop assigns i, bad;
        loop variant n - i;
    */
    for (size_t i = 0; i < n; i++)
        bad = (uint8_t)(bad + (at[i] < 0x20 || at[i] > 0x7e)); /* a sum is easier to prove than | */
    return bad == 0;
}

static bool within(uint8_t byte, uint8_t low, uint8_t high)
{
    return low <= byte && byte <= high;
}

/* Returns the length of the character at the front of left > 0 bytes, or 0 if it is malformed
 * or a control character. The range of its second byte excludes overlong forms, surrogates,
 * everything beyond U+10FFFF, and C1 (U+0080 to U+009F). */
static size_t character(const uint8_t *at, size_t left)
{
    uint8_t first = at[0];
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    size_t len;

    if (first < 0x80)
        return within(first, 0x20, 0x7e) ? 1 : 0;
    if (within(first, 0xc2, 0xdf)) {
        len = 2;
        low = first == 0xc2 ? 0xa0 : 0x80;
    } else if (within(first, 0xe0, 0xef)) {
        len = 3;
        low = first == 0xe0 ? 0xa0 : 0x80;
        high = first == 0xed ? 0x9f : 0xbf;
    } else if (within(first, 0xf0, 0xf4)) {
        len = 4;
        low = first == 0xf0 ? 0x90 : 0x80;
        high = first == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (left < len || !within(at[1], low, high))
        return 0;
    /*@ loop invariant 2 <= i <= len;
        loop invariant \forall integer k; 2 <= k < i ==> continues(at[k]);
        loop assigns i;
        loop variant len - i;
    */
    for (size_t i = 2; i < len; i++)
        if (!within(at[i], 0x80, 0xbf))
            return 0;
    return len;
}

bool smsp_text_ok(const uint8_t *at, size_t len)
{
    size_t i = 0;

    /*@ loop invariant 0 <= i <= len;
        loop invariant text(at, 0, len) <==> text(at, i, len);
        loop assigns i;
        loop variant len - i;
    */
    while (i < len) {
        if (len - i >= BLOCK && plain_block(at + i, BLOCK)) {
            //@ ghost plain_characters(at, i, len, BLOCK);
            i += BLOCK;
            continue;
        }
        if (len - i < BLOCK && len >= BLOCK && plain_block(at + len - BLOCK, BLOCK)) {
            //@ ghost plain_rest(at + len - BLOCK, BLOCK, i - (len - BLOCK));
            //@ ghost plain_characters(at, i, len, len - i);
            return true; /* the last block, which overlaps bytes that were checked before */
        }
        if (len < BLOCK && len - i >= SHORT_BLOCK && plain_block(at + i, SHORT_BLOCK)) {
            //@ ghost plain_characters(at, i, len, SHORT_BLOCK);
            i += SHORT_BLOCK;
            continue;
        }
        size_t stop = len - i > BLOCK ? i + BLOCK : len;
        /*@ loop invariant 0 <= i <= len;
            loop invariant text(at, 0, len) <==> text(at, i, len);
            loop assigns i;
            loop variant len - i;
        */
        while (i < stop) {
            size_t step = character(at + i, len - i);
            if (step == 0)
                return false;
            //@ ghost one_character(at, i, len, step);
            i += step;
        }
    }
    return true;
}

static bool is_alphanumeric(uint8_t byte)
{
    return within(byte, 'a', 'z') || within(byte, 'A', 'Z') || within(byte, '0', '9');
}

bool smsp_name_ok(const uint8_t *at, size_t len)
{
    if (len == 0 || len > SMSP_NAME_MAX)
        return false;
    /*@ loop invariant 0 <= i <= len;
        loop invariant \forall integer k; 0 <= k < i ==> alphanumeric(at[k]);
        loop assigns i;
        loop variant len - i;
    */
    for (size_t i = 0; i < len; i++)
        if (!is_alphanumeric(at[i]))
            return false;
    return true;
}

bool smsp_cookie_ok(const uint8_t *at, size_t len)
{
    uint8_t bad = 0;

    if (len != SMSP_COOKIE_LEN)
        return false;
    /*@ loop invariant 0 <= i <= SMSP_COOKIE_LEN;
        loop invariant bad == 0 <==> all_hexadecimal(at, i);
        loop invariant 0 <= bad <= i;
        loop assigns i, bad;
        loop variant SMSP_COOKIE_LEN - i;
    */
    for (size_t i = 0; i < SMSP_COOKIE_LEN; i++) /* no early return, so that it becomes vector code */
        bad = (uint8_t)(bad + !(within(at[i], '0', '9') || within(at[i], 'a', 'f')));
    return bad == 0;
}
