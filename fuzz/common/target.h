/* SPDX-License-Identifier: ISC */
/* What every target defines. */
#ifndef TARGET_H
#define TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Runs one input; what is wrong ends the process (oracle.h). */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Prints the input for people. */
void target_show(const uint8_t *data, size_t size, FILE *to);

/* The target's name, for messages. */
extern const char target_name[];

#endif
