/* SPDX-License-Identifier: ISC */
/* Stands before each file of the engine when Eva reads it. */
#ifndef SMSP_EVA_H
#define SMSP_EVA_H
#define SMSP_PROOF_MEMORY_H /* Eva knows what memcpy does; here is what the contracts want of memory.h */
/*@ predicate same(unsigned char *a, unsigned char *b, integer n) = \forall integer k; 0 <= k < n ==> a[k] == b[k]; */
#include <string.h>
#include "contracts.h"
#define _Alignof(type) 16u /* Frama-C 25 cannot read it; the one place asks for max_align_t */
#include "siphash.h"

/*@ requires \valid_read(key + (0 .. SMSP_KEY_LEN - 1)) && \valid_read(at + (0 .. len - 1));
    assigns \result \from key[0 .. SMSP_KEY_LEN - 1], at[0 .. len - 1];
*/
uint64_t smsp_siphash(const uint8_t key[SMSP_KEY_LEN], const uint8_t *at, size_t len);
#endif
