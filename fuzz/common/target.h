/* SPDX-License-Identifier: ISC */
/* The functions and names that every target defines. */
#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Runs one input. A failed check ends the process (oracle.h). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Prints the input in readable form. */
void target_show(const uint8_t *data, size_t size, FILE *to);

/* The target's name, for messages. */
extern const char target_name[];

#endif
