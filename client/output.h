/* SPDX-License-Identifier: ISC */
/* Prints replies for people and scripts, and errors in one line. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "smsp.h"

/* Prints text. If escape is set, control characters and bytes that are not UTF-8 are
 * printed as \xHH, so that no text can control the terminal. */
void output_text(FILE *to, smsp_span text, bool escape);

/* Prints one reply line on standard output: escaped if that is a terminal, otherwise
 * unchanged. */
void output_reply(smsp_span line);

/* Flushes standard output. Returns 0, or the errno of the first write to it that
 * failed. */
int output_error(void);

/* Prints one line on standard error, escaped, beginning with "smsp: ". */
void print_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now on errors name this line of standard input; 0: no line. */
void error_at_line(unsigned long number);

#endif
