/* SPDX-License-Identifier: ISC */
/* Contracts of memcpy, memmove and memcmp: what the C standard says, for bytes. The proof
 * assumes them; it assumes nothing else about code. */
#ifndef SMSP_PROOF_MEMORY_H
#define SMSP_PROOF_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/*@ requires \valid(to + (0 .. len - 1)) && \valid_read(from + (0 .. len - 1));
    requires \separated(to + (0 .. len - 1), from + (0 .. len - 1));
    assigns to[0 .. len - 1] \from from[0 .. len - 1];
    ensures \forall integer k; 0 <= k < len ==> to[k] == \old(from[k]);
*/
void *memcpy(uint8_t *to, const uint8_t *from, size_t len);

/*@ requires \valid(to + (0 .. len - 1)) && \valid_read(from + (0 .. len - 1));
    assigns to[0 .. len - 1] \from from[0 .. len - 1];
    ensures \forall integer k; 0 <= k < len ==> to[k] == \old(from[k]);
*/
void *memmove(uint8_t *to, const uint8_t *from, size_t len);

/*@ // the n bytes at a and b are equal
    predicate same(uint8_t *a, uint8_t *b, integer n) = \forall integer k; 0 <= k < n ==> a[k] == b[k];
*/

/*@ requires \valid_read(a + (0 .. len - 1)) && \valid_read(b + (0 .. len - 1));
    assigns \nothing;
    ensures \result == 0 <==> same(a, b, len);
*/
int memcmp(const uint8_t *a, const uint8_t *b, size_t len);

#endif
