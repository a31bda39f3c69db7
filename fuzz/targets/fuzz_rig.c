/* SPDX-License-Identifier: ISC */
/* Not a target: a fault that every campaign must find, and tell how to repeat.
 * It proves that the rig would notice one. */
#include <stdlib.h>

#include "oracle.h"
#include "target.h"
#include "transcript.h"

const char target_name[] = "rig";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = exact_copy(data, size);
    size_t spaces = 0;

    for (size_t i = 0; i < size; i++)
        spaces += copy[i] == ' ' && copy[i + 1] != ' '; /* one byte too far */
    ORACLE("rig", spaces < 3, "three spaces");
    free(copy);
    return 0;
}

void target_show(const uint8_t *data, size_t size, FILE *to)
{
    show_bytes(to, data, size);
    fputc('\n', to);
}
