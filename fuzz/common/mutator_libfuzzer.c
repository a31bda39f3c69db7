/* SPDX-License-Identifier: ISC */
/* Connects the mutator to libFuzzer: two of three mutations are ours, the third is libFuzzer's. */
#include "mutator.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
    size_t made = 0;

    if (seed % 3 != 0)
        made = mutate_input(data, size, max, seed / 3);
    for (unsigned more = seed >> 28; made > 0 && more > 12; more--)
        made = mutate_input(data, made, max, seed + more);
    return made > 0 ? made : LLVMFuzzerMutate(data, size, max);
}
