/* SPDX-License-Identifier: ISC */
/* SipHash-2-4 (Aumasson and Bernstein): a keyed hash, so that clients cannot make the
 * entries of a hash table collide. */
#ifndef SMSP_SIPHASH_H
#define SMSP_SIPHASH_H

#include "smsp.h"

/* The 64-bit hash of len bytes under a 16-byte key. */
uint64_t smsp_siphash(const uint8_t key[SMSP_KEY_LEN], const uint8_t *at, size_t len);

#endif
