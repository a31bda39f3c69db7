/* SPDX-License-Identifier: ISC */
/* What the groups of micro-benchmarks share. */
#ifndef BENCH_ENGINE_CASES_H
#define BENCH_ENGINE_CASES_H

#include "smsp.h"

#define BENCH_COOKIE "0123456789abcdef0123456789abcdef"

/* Between the two stands what is measured, and nothing else. size: of the
 * state, in accounts; bytes: that were looked at. */
void measure_begin(void);
void measure_end(const char *name, uint64_t size, uint64_t operations, uint64_t bytes);

/* Ends the program with status 1 if it is not right. */
void bench_check(bool right, const char *what);

/* The groups; brief: a few operations of each, to see that they work. */
void bench_parse(bool brief);   /* a request, by our parser, re2c's and strtok's */
void bench_frame(bool brief);   /* a stream of requests, framed and parsed */
void bench_text(bool brief);    /* UTF-8 and control characters */
void bench_execute(bool brief); /* each command in a small and in a large state */
void bench_memory(bool brief);  /* bytes an account, a message */

#endif
