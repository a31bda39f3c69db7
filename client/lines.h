/* SPDX-License-Identifier: ISC */
/* Lines of standard input, of bounded length. */
#ifndef LINES_H
#define LINES_H

#include <stddef.h>
#include <stdio.h>

#include "smsp.h"

typedef enum lines_result { LINES_LINE, LINES_TOO_LONG, LINES_END } lines_result;

/* Reads a line into the size bytes of buffer; *line is it without LF or CR LF.
 * What follows the last LF is a line too. LINES_TOO_LONG: it has more than size
 * bytes and was dropped. LINES_END: there is no more, or reading failed. */
lines_result lines_read(FILE *from, uint8_t *buffer, size_t size, smsp_span *line) SMSP_MUST_USE;

#endif
