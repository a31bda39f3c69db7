/* SPDX-License-Identifier: ISC */
/* Oracles: the checks of a target, and how a failed check is reported. */
#ifndef ORACLE_H
#define ORACLE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which checks are made, from the environment variable FUZZ_ORACLES: "none" (crashes and
 * sanitizers only), "split" (also: other cuts must give the same result), "all" (default). */
typedef enum { ORACLES_NONE, ORACLES_SPLIT, ORACLES_ALL } oracle_level;
oracle_level oracles(void);

/* Prints "ORACLE <name>: <what>" and aborts. name has no spaces. */
_Noreturn void oracle_failed(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Fails unless both are the same bytes; prints both. */
void oracle_same_bytes(const char *name, const char *what, const uint8_t *expected, size_t expected_len,
                       const uint8_t *actual, size_t actual_len);

#define ORACLE(name, true_that, ...)             \
    do {                                         \
        if (!(true_that))                        \
            oracle_failed((name), __VA_ARGS__);  \
    } while (0)

/* Between these two calls the engine must not allocate memory, and its work is counted. */
void engine_enters(void);
void engine_leaves(void);

/* The number of the engine's basic blocks that ran since work_reset. 0 in builds that do not
 * count them. */
void work_reset(void);
uint64_t work_done(void);

/* A copy in a heap block of exactly its size, so that a sanitizer sees a read
 * past its end. Free it. */
uint8_t *exact_copy(const uint8_t *at, size_t len);

#endif
