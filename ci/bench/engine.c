/* SPDX-License-Identifier: ISC */
/* Micro-benchmarks of the engine alone: engine [--short] [GROUP]
 *
 * Each case prints one JSON line: its name, how many operations, how many
 * bytes, nanoseconds of processor time (other processes do not count). Run
 * under valgrind --tool=callgrind --instr-atstart=no, each case is a dump of its
 * own, with the instructions of its loop alone.
 */
#define _GNU_SOURCE
#include "engine_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef BENCH_CALLGRIND
#include <valgrind/callgrind.h>
#else /* no valgrind: times, and no instruction counts */
#define CALLGRIND_START_INSTRUMENTATION ((void)0)
#define CALLGRIND_STOP_INSTRUMENTATION  ((void)0)
#define CALLGRIND_DUMP_STATS_AT(name)   ((void)(name))
#endif

static struct timespec began;

void measure_begin(void)
{
    CALLGRIND_START_INSTRUMENTATION;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &began);
}

void measure_end(const char *name, uint64_t size, uint64_t operations, uint64_t bytes)
{
    struct timespec ended;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ended);
    CALLGRIND_STOP_INSTRUMENTATION;
    CALLGRIND_DUMP_STATS_AT(name);
    double ns = (double)(ended.tv_sec - began.tv_sec) * 1e9 + (double)(ended.tv_nsec - began.tv_nsec);
    printf("{\"case\": \"%s\", \"size\": %llu, \"operations\": %llu, \"bytes\": %llu, \"ns\": %.0f}\n", name,
           (unsigned long long)size, (unsigned long long)operations, (unsigned long long)bytes, ns);
    (void)fflush(stdout);
}

void bench_check(bool right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "engine: %s: the benchmark measures something wrong\n", what);
    exit(1);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(bool brief);
    } groups[] = {{"parse", bench_parse}, {"frame", bench_frame}, {"text", bench_text}, {"execute", bench_execute},
                  {"memory", bench_memory}};
    bool brief = argc > 1 && strcmp(argv[1], "--short") == 0;
    const char *wanted = argc > 1 + brief ? argv[1 + brief] : NULL;
    unsigned ran = 0;

    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        if (wanted != NULL && strcmp(groups[i].name, wanted) != 0)
            continue;
        groups[i].run(brief);
        ran++;
    }
    if (ran == 0)
        fprintf(stderr, "engine: %s: there are parse, frame, text, execute, memory\n", wanted);
    return ran == 0 ? 2 : 0;
}
