/* SPDX-License-Identifier: ISC */
/* Reads lines of bounded length. */
#define _GNU_SOURCE /* getc_unlocked */
#include "lines.h"

lines_result lines_read(FILE *from, uint8_t *buffer, size_t size, smsp_span *line)
{
    size_t len = 0;
    int byte = getc_unlocked(from);

    if (byte == EOF)
        return LINES_END;
    for (; byte != EOF && byte != '\n'; byte = getc_unlocked(from)) {
        if (len < size)
            buffer[len] = (uint8_t)byte;
        len++;
    }
    if (len > size)
        return LINES_TOO_LONG;
    if (byte == '\n' && len > 0 && buffer[len - 1] == '\r')
        len--;
    *line = (smsp_span){buffer, len};
    return LINES_LINE;
}
