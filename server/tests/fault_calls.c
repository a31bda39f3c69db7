/* SPDX-License-Identifier: ISC */
/* Library calls that fail on command, each place that calls one by itself: preloaded
 * (LD_PRELOAD) into smspd, smsp or smsp-load, with the control file that FAULT_CALLS
 * names. fault_calls.py decides. Each process notes there from where it calls what. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#define PLACES 2048u

/* The declarations of these need not be known: as many words as any of them takes are
 * handed on, and one comes back. That is how arguments are passed here (x86-64, arm64). */
#define WORDS long a, long b, long c, long d, long e, long f, long g, long h
#define FUNCTIONS(F)                                                                                         \
    F(malloc) F(calloc) F(accept4) F(bind) F(close) F(connect) F(dup2) F(epoll_create1)       \
    F(epoll_ctl) F(epoll_pwait2) F(eventfd) F(fcntl) F(flock) F(fork) F(_Fork) F(fstat) F(getaddrinfo)       \
    F(getnameinfo) F(getppid) F(getpwuid) F(getrlimit) F(getsockname) F(getsockopt) F(kill) F(listen) F(lseek)            \
    F(madvise) F(memfd_create) F(mkdir) F(mkostemp) F(mmap) F(mprotect) F(munmap) F(open) F(pipe)            \
    F(poll) F(prctl) F(read) F(realpath) F(recv) F(rename) F(sched_setscheduler) F(send) F(setrlimit)        \
    F(setsockopt) F(shutdown) F(sigaddset) F(sigemptyset) F(signal) F(signalfd) F(sigprocmask) F(socket)     \
    F(socketpair) F(tcgetattr) F(tcsetattr) F(waitpid) F(write) F(getrandom) F(syscall) F(fflush)            \
    F(setlocale) F(nl_langinfo) F(isatty) F(ferror) F(vsnprintf) F(el_init) F(el_insertstr)                  \
    F(history_init) F(seccomp_attr_set) F(seccomp_export_bpf) F(seccomp_init) F(seccomp_rule_add_array)      \
    F(sodium_init) F(crypto_pwhash) F(sqlite3_bind_blob) F(sqlite3_changes) F(sqlite3_column_blob)           \
    F(sqlite3_column_bytes) F(sqlite3_column_text) F(sqlite3_column_type) F(sqlite3_db_config)               \
    F(sqlite3_db_readonly) F(sqlite3_errcode) F(sqlite3_exec) F(sqlite3_extended_errcode)                    \
    F(sqlite3_file_control) F(sqlite3_finalize) F(sqlite3_get_autocommit) F(sqlite3_open)                    \
    F(sqlite3_open_v2) F(sqlite3_prepare_v2) F(sqlite3_prepare_v3) F(sqlite3_step)

#define NUMBER(name) CALL_##name,
enum { FUNCTIONS(NUMBER) CALLS };

#define NAME(name) #name,
static const char *const names[] = {FUNCTIONS(NAME)};

/* Shared with whoever decides, who knows it word by word. */
typedef struct control {
    _Atomic uint64_t place;  /* the address behind the call that fails, in the program; 0: none */
    _Atomic uint64_t skip;   /* so many calls there go well first */
    _Atomic uint64_t times;  /* so many fail */
    _Atomic int64_t result;  /* what they give back */
    _Atomic uint64_t error;  /* the errno; 0: the call is made, with half the length it was given */
    _Atomic uint64_t calls;  /* at that place */
    struct {
        _Atomic uint64_t place;
        _Atomic uint64_t function; /* its number in FUNCTIONS, and one */
    } seen[PLACES];
} control;

static control own;
static control *shared = &own;
static uintptr_t base, end;
static long (*real[CALLS])(WORDS);

static int find_program(struct dl_phdr_info *about, size_t size, void *context)
{
    (void)size;
    (void)context;
    base = about->dlpi_addr;
    for (size_t i = 0; i < about->dlpi_phnum; i++)
        if (about->dlpi_phdr[i].p_type == PT_LOAD)
            end = base + about->dlpi_phdr[i].p_vaddr + about->dlpi_phdr[i].p_memsz;
    return 1; /* the first is the program */
}

static long call(int number, WORDS)
{
    if (real[number] == NULL)
        *(void **)&real[number] = dlsym(RTLD_NEXT, names[number]);
    return real[number](a, b, c, d, e, f, g, h);
}

/* Before main, so that all children share it. */
__attribute__((constructor)) static void map_control(void)
{
    const char *name = getenv("FAULT_CALLS");
    long fd = name != NULL ? call(CALL_open, (long)name, 02, 0, 0, 0, 0, 0, 0) : -1;

    for (int i = 0; i < CALLS; i++)
        *(void **)&real[i] = dlsym(RTLD_NEXT, names[i]);
    if (fd < 0)
        return;
    (void)dl_iterate_phdr(find_program, NULL);
    long at = call(CALL_mmap, 0, sizeof own, 3, 1, fd, 0, 0, 0);
    if (at != -1)
        shared = (control *)at; /* NOLINT(performance-no-int-to-ptr): all words are handed on as numbers */
    (void)call(CALL_close, fd, 0, 0, 0, 0, 0, 0, 0);
}

static void note(uint64_t place, int number)
{
    for (unsigned i = 0; i < PLACES; i++) {
        uint64_t there = 0;
        if (atomic_compare_exchange_strong(&shared->seen[i].place, &there, place)) {
            atomic_store(&shared->seen[i].function, (uint64_t)number + 1);
            return;
        }
        if (there == place)
            return;
    }
}

/* Is this the place that fails, and does it this time? */
static bool fails(uint64_t place)
{
    if (atomic_load(&shared->place) != place)
        return false;
    uint64_t made = atomic_fetch_add(&shared->calls, 1);
    uint64_t skip = atomic_load(&shared->skip);
    return made >= skip && made - skip < atomic_load(&shared->times);
}

static long decide(int number, const void *caller, WORDS)
{
    uintptr_t at = (uintptr_t)caller;

    if (at < base || at >= end) /* a library's own */
        return call(number, a, b, c, d, e, f, g, h);
    note(at - base, number);
    if (!fails(at - base))
        return call(number, a, b, c, d, e, f, g, h);
    if (atomic_load(&shared->error) == 0)
        return call(number, a, b, (c + 1) / 2, d, e, f, g, h);
    errno = (int)atomic_load(&shared->error);
    return (long)atomic_load(&shared->result);
}

#define STAND_IN(name)                                                                                       \
    long fault_##name(WORDS) __asm__(#name);                                                                 \
    long fault_##name(WORDS)                                                                                 \
    {                                                                                                        \
        return decide(CALL_##name, __builtin_return_address(0), a, b, c, d, e, f, g, h);                     \
    }
FUNCTIONS(STAND_IN)
