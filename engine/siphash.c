/* SPDX-License-Identifier: ISC */
/* SipHash-2-4, the keyed hash of names and tokens. */
#include "siphash.h"

/* Each request needs two such hashes, so the rounds are inlined, the state stays in registers,
 * and a word is one load. */

typedef struct {
    uint64_t v0, v1, v2, v3;
} sip;

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

/* Eight bytes, least significant first, in the form that compilers recognize as one load. */
static inline uint64_t whole_word(const uint8_t *at)
{
    return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
           (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
}

/* The last count < 8 bytes, and the total length in the top byte. */
static inline uint64_t last_word(const uint8_t *at, size_t count, size_t len)
{
    uint64_t word = (uint64_t)(len & 0xff) << 56;

    for (size_t i = 0; i < count; i++)
        word |= (uint64_t)at[i] << (8 * i);
    return word;
}

static inline sip round_of(sip s)
{
    s.v0 += s.v1;
    s.v1 = rotate(s.v1, 13) ^ s.v0;
    s.v0 = rotate(s.v0, 32);
    s.v2 += s.v3;
    s.v3 = rotate(s.v3, 16) ^ s.v2;
    s.v0 += s.v3;
    s.v3 = rotate(s.v3, 21) ^ s.v0;
    s.v2 += s.v1;
    s.v1 = rotate(s.v1, 17) ^ s.v2;
    s.v2 = rotate(s.v2, 32);
    return s;
}

static inline sip absorb(sip s, uint64_t word)
{
    s.v3 ^= word;
    s = round_of(round_of(s));
    s.v0 ^= word;
    return s;
}

uint64_t smsp_siphash(const uint8_t key[SMSP_KEY_LEN], const uint8_t *at, size_t len)
{
    uint64_t k0 = whole_word(key);
    uint64_t k1 = whole_word(key + 8);
    sip s = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
             k1 ^ 0x7465646279746573u};
    size_t whole = len - len % 8;

    for (size_t i = 0; i < whole; i += 8)
        s = absorb(s, whole_word(at + i));
    s = absorb(s, last_word(at + whole, len % 8, len));
    s.v2 ^= 0xff;
    s = round_of(round_of(round_of(round_of(s))));
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
