/* SPDX-License-Identifier: ISC */
/* A target with two faults of its own: it reads one byte past its input, and it fails its
 * oracle for three spaces. Tests check with it that a campaign finds and reports a fault. */
#include <stdlib.h>

#include "oracle.h"
#include "target.h"
#include "transcript.h"

const char target_name[] = "selftest";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = exact_copy(data, size);
    size_t spaces = 0;

    for (size_t i = 0; i < size; i++)
        spaces += copy[i] == ' ' && copy[i + 1] != ' '; /* reads past the end if the last byte is a space */
    ORACLE("selftest", spaces < 3, "three spaces");
    free(copy);
    return 0;
}

void target_show(const uint8_t *data, size_t size, FILE *to)
{
    show_bytes(to, data, size);
    fputc('\n', to);
}
