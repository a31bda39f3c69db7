/* SPDX-License-Identifier: ISC */
/* Reports failed checks, detects allocations in the engine, and counts its basic blocks. */
#include "oracle.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 200u

oracle_level oracles(void)
{
    static int level = -1;
    const char *wanted;

    if (level >= 0)
        return (oracle_level)level;
    wanted = getenv("FUZZ_ORACLES");
    if (wanted == NULL || strcmp(wanted, "all") == 0)
        level = ORACLES_ALL;
    else if (strcmp(wanted, "split") == 0)
        level = ORACLES_SPLIT;
    else if (strcmp(wanted, "none") == 0)
        level = ORACLES_NONE;
    else
        oracle_failed("usage", "FUZZ_ORACLES=%s: expected none, split or all", wanted);
    return (oracle_level)level;
}

_Noreturn void oracle_failed(const char *name, const char *format, ...)
{
    va_list arguments;

    fprintf(stderr, "ORACLE %s: ", name);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

static void show(const char *label, const uint8_t *at, size_t len)
{
    fprintf(stderr, "  %s (%zu bytes): ", label, len);
    for (size_t i = 0; i < len && i < SHOWN; i++) {
        if (isprint(at[i]) && at[i] != '\\')
            fputc(at[i], stderr);
        else
            fprintf(stderr, "\\x%02x", at[i]);
    }
    fputs(len > SHOWN ? "...\n" : "\n", stderr);
}

void oracle_same_bytes(const char *name, const char *what, const uint8_t *expected, size_t expected_len,
                       const uint8_t *actual, size_t actual_len)
{
    if (expected_len == actual_len && (actual_len == 0 || memcmp(expected, actual, actual_len) == 0))
        return;
    show("expected", expected, expected_len);
    show("actual", actual, actual_len);
    oracle_failed(name, "%s differs", what);
}

/* ---- The engine allocates nothing ---- */

static bool within_engine;

void engine_enters(void)
{
    within_engine = true;
}

void engine_leaves(void)
{
    within_engine = false;
}

/* Defined in programs with a sanitizer. This file is compiled without one, so it checks at run time. */
__attribute__((weak)) int __asan_report_present(void);
__attribute__((weak)) int __sanitizer_install_malloc_and_free_hooks(void (*made)(const volatile void *, size_t),
                                                                    void (*freed)(const volatile void *));

static void allocated(const volatile void *at, size_t size)
{
    (void)at;
    if (!within_engine || __asan_report_present()) /* AddressSanitizer allocates for its report */
        return;
    within_engine = false;
    oracle_failed("allocation", "the engine allocated %zu bytes", size);
}

static void freed(const volatile void *at)
{
    (void)at;
}

static void __attribute__((constructor)) watch_allocations(void)
{
    /* Not with MemorySanitizer, which allocates while it reports. */
    if (__asan_report_present != NULL && __sanitizer_install_malloc_and_free_hooks != NULL)
        (void)__sanitizer_install_malloc_and_free_hooks(allocated, freed);
}

/* ---- Work ---- */

static uint64_t blocks_run;

/* gcc's -fsanitize-coverage=trace-pc calls this at each basic block. */
void __sanitizer_cov_trace_pc(void);
#ifdef COUNT_WORK
void __sanitizer_cov_trace_pc(void)
{
    blocks_run += within_engine;
}
#endif

void work_reset(void)
{
    blocks_run = 0;
}

uint64_t work_done(void)
{
    return blocks_run;
}

/* ---- Copies ---- */

uint8_t *exact_copy(const uint8_t *at, size_t len)
{
    uint8_t *copy = malloc(len);

    if (copy == NULL && len > 0)
        abort();
    if (len > 0)
        memcpy(copy, at, len);
    return copy;
}
