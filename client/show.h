/* SPDX-License-Identifier: ISC */
/* Printing: replies for people and scripts, complaints in one line. */
#ifndef SHOW_H
#define SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "smsp.h"

/* Prints text as it is, or, if harmless is set, so that a terminal takes none of
 * it for a command: what is a control character or not UTF-8 becomes \xHH. */
void show_text(FILE *to, smsp_span text, bool harmless);

/* Prints one reply line on standard output: harmless if that is a terminal,
 * otherwise byte by byte as it came. */
void show_reply(smsp_span line);

/* Writes what is left of standard output. 0, or the errno of the first write to
 * it that failed. */
int show_error(void);

/* One line on standard error, "smsp: " before it, made harmless. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now on complaints name this line of standard input; 0: none. */
void complain_at_line(unsigned long number);

#endif
