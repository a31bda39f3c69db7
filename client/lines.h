/* SPDX-License-Identifier: ISC */
/* Reads lines of bounded length. */
#ifndef LINES_H
#define LINES_H

#include <stddef.h>
#include <stdio.h>

#include "smsp.h"

typedef enum lines_result { LINES_LINE, LINES_TOO_LONG, LINES_END } lines_result;

/* Reads a line into the size bytes of buffer; *line excludes LF or CR LF. The last
 * line may end without LF. LINES_TOO_LONG: it had more than size bytes and was
 * dropped. LINES_END: the input has ended, or reading has failed. */
lines_result lines_read(FILE *from, uint8_t *buffer, size_t size, smsp_span *line) SMSP_MUST_USE;

#endif
