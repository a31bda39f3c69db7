/* SPDX-License-Identifier: ISC */
/* Eva includes this file before each file of the engine. */
#ifndef SMSP_EVA_H
#define SMSP_EVA_H
#define SMSP_PROOF_MEMORY_H /* Eva knows memcpy; of memory.h the contracts need only the predicate */
/*@ predicate same(unsigned char *a, unsigned char *b, integer n) = \forall integer k; 0 <= k < n ==> a[k] == b[k]; */
#include <string.h>
#include "contracts.h"
#define _Alignof(type) 16u /* Frama-C 25 cannot read it; used once, for max_align_t */
#include "siphash.h"

/*@ requires \valid_read(key + (0 .. SMSP_KEY_LEN - 1)) && \valid_read(at + (0 .. len - 1));
    assigns \result \from key[0 .. SMSP_KEY_LEN - 1], at[0 .. len - 1];
*/
uint64_t smsp_siphash(const uint8_t key[SMSP_KEY_LEN], const uint8_t *at, size_t len);
#endif
