/* SPDX-License-Identifier: ISC */
/* What a target says when something is wrong, and which checks it makes. */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The environment variable FUZZ_ORACLES: "none" (only what crashes by itself),
 * "split" (how the input is cut must change nothing), "all" (the default). */
typedef enum { ORACLES_NONE, ORACLES_SPLIT, ORACLES_ALL } oracle_level;
oracle_level oracles(void);

/* Prints "ORACLE <name>: <what>" and aborts. name has no spaces. */
_Noreturn void oracle_failed(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fails unless the two are the same bytes; shows both. */
void oracle_same_bytes(const char *name, const char *what, const uint8_t *expected, size_t expected_len,
                       const uint8_t *actual, size_t actual_len);

#define ORACLE(name, true_that, ...)             \
    do {                                         \
        if (!(true_that))                        \
            oracle_failed((name), __VA_ARGS__);  \
    } while (0)

/* Between these two nothing may be allocated, and the work is counted. */
void engine_enters(void);
void engine_leaves(void);

/* Basic blocks of the engine that ran since work_reset, if the engine was built
 * to count them; otherwise 0. */
void work_reset(void);
uint64_t work_done(void);

/* A copy in a heap block of exactly its size, so that a sanitizer sees a read
 * past its end. Free it. */
uint8_t *exact_copy(const uint8_t *at, size_t len);

#endif
