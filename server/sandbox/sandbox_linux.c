/* SPDX-License-Identifier: ISC */
/* The sandbox: no new privileges, Landlock where the kernel has it, resource
 * limits, and a filter of system calls. The supervisor makes filter and rulesets
 * once; a worker only enters them. */
#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "landlock.h"

#define FILTER_MAX      512u
#define WORKER_DATA_MAX (96u << 20)  /* bytes: one Argon2id at most, and little else */
#define WORKER_AS_MAX   (160u << 20) /* the same with program, libraries, stack and slot */

typedef struct confinement {
    struct sock_filter filter[FILTER_MAX];
    unsigned short filter_len;
    int ruleset; /* of Landlock; -1: this kernel has none */
} confinement;

static confinement confinements[SANDBOX_KINDS] = {{.ruleset = -1}, {.ruleset = -1}};
static bool prepared;
static int landlock_abi;
static int landlock_error; /* why there is none */

/* ---- System calls ---- */

/* A call that is allowed, under up to three conditions on its arguments. */
typedef struct allowed {
    int call;
    unsigned conditions;
    struct scmp_arg_cmp when[3];
} allowed;

#define EQUAL(arg, value)                                                                                    \
    {                                                                                                        \
        (arg), SCMP_CMP_EQ, (value), 0                                                                       \
    }
/* An int: the upper half of its register may be anything. */
#define NUMBER(arg, value) BITS(arg, UINT32_MAX, value)
#define BITS(arg, mask, value)                                                                               \
    {                                                                                                        \
        (arg), SCMP_CMP_MASKED_EQ, (mask), (value)                                                           \
    }

/* Flags of clone for threads and for namespaces of its own. */
#define NOT_A_FORK                                                                                           \
    ((scmp_datum_t)(CLONE_VM | CLONE_THREAD | CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET |    \
                    CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP))

/* The only memory that a worker may map: private, anonymous, to be read and written, where the
 * kernel puts it. Other kinds are not counted for RLIMIT_DATA, and memory at chosen addresses
 * costs a page table for each page. */
#define MAP_HARMLESS (MAP_POPULATE | MAP_NORESERVE | MAP_STACK)
#define PLAIN_MEMORY                                                                                         \
    {                                                                                                        \
        EQUAL(0, 0), NUMBER(2, PROT_READ | PROT_WRITE),                                                      \
            BITS(3, UINT32_MAX & ~(scmp_datum_t)MAP_HARMLESS, MAP_PRIVATE | MAP_ANONYMOUS)                   \
    }

#define FUTEX_WAIT 0 /* on memory that is shared */

/* Names that an architecture does not have are left out of its filter. Those of the last
 * group are what a C library calls on 32 bits in place of a call of the same kind. */

/* The worker: client on descriptor 0, eventfd on 1; memory that is anonymous and
 * cannot be executed, for Argon2id. */
static const allowed worker_calls[] = {
    {SCMP_SYS(read), 1, {EQUAL(0, 0)}},
    {SCMP_SYS(write), 1, {EQUAL(0, 0)}},
    {SCMP_SYS(write), 1, {EQUAL(0, 1)}},
    {SCMP_SYS(shutdown), 1, {EQUAL(0, 0)}},
    {SCMP_SYS(poll), 1, {EQUAL(1, 1)}},
    {SCMP_SYS(poll), 1, {EQUAL(1, 0)}}, /* to wait */
    {SCMP_SYS(ppoll), 2, {EQUAL(1, 1), EQUAL(3, 0)}}, /* without a signal mask */
    {SCMP_SYS(ppoll), 2, {EQUAL(1, 0), EQUAL(3, 0)}},
    {SCMP_SYS(futex), 2, {NUMBER(1, FUTEX_WAIT), EQUAL(3, 0)}}, /* without a timeout */
    {SCMP_SYS(sched_yield), 0, {{0}}},
    {SCMP_SYS(clock_gettime), 1, {NUMBER(0, CLOCK_MONOTONIC)}}, /* others tell what other processes do */
    {SCMP_SYS(clock_gettime), 1, {NUMBER(0, CLOCK_REALTIME)}},
    {SCMP_SYS(getrandom), 0, {{0}}},
    {SCMP_SYS(brk), 0, {{0}}},
    {SCMP_SYS(mmap), 3, PLAIN_MEMORY},
    {SCMP_SYS(mmap2), 3, PLAIN_MEMORY},
    {SCMP_SYS(munmap), 0, {{0}}},
    {SCMP_SYS(rt_sigreturn), 0, {{0}}},
    {SCMP_SYS(restart_syscall), 0, {{0}}},
    {SCMP_SYS(exit_group), 0, {{0}}},
    /* 32 bits */
    {SCMP_SYS(sigreturn), 0, {{0}}},
    {SCMP_SYS(ppoll_time64), 2, {EQUAL(1, 1), EQUAL(3, 0)}},
    {SCMP_SYS(ppoll_time64), 2, {EQUAL(1, 0), EQUAL(3, 0)}},
    {SCMP_SYS(futex_time64), 2, {NUMBER(1, FUTEX_WAIT), EQUAL(3, 0)}},
    {SCMP_SYS(clock_gettime64), 1, {NUMBER(0, CLOCK_MONOTONIC)}},
    {SCMP_SYS(clock_gettime64), 1, {NUMBER(0, CLOCK_REALTIME)}},
};

/* The keeper: what SQLite does in the data directory, the supervisor's socket,
 * and a child for DUMP. */
static const allowed keeper_calls[] = {
    {SCMP_SYS(read), 0, {{0}}},
    {SCMP_SYS(write), 0, {{0}}},
    {SCMP_SYS(pread64), 0, {{0}}},
    {SCMP_SYS(pwrite64), 0, {{0}}},
    {SCMP_SYS(lseek), 0, {{0}}},
    {SCMP_SYS(recvfrom), 0, {{0}}},
    {SCMP_SYS(sendto), 0, {{0}}},
    {SCMP_SYS(poll), 0, {{0}}},
    {SCMP_SYS(ppoll), 0, {{0}}},
    {SCMP_SYS(futex), 0, {{0}}},
    {SCMP_SYS(openat), 0, {{0}}},
    {SCMP_SYS(close), 0, {{0}}},
    {SCMP_SYS(fcntl), 0, {{0}}},
    {SCMP_SYS(fsync), 0, {{0}}},
    {SCMP_SYS(fdatasync), 0, {{0}}},
    {SCMP_SYS(ftruncate), 0, {{0}}},
    {SCMP_SYS(fallocate), 0, {{0}}},
    {SCMP_SYS(stat), 0, {{0}}},
    {SCMP_SYS(lstat), 0, {{0}}},
    {SCMP_SYS(fstat), 0, {{0}}},
    {SCMP_SYS(newfstatat), 0, {{0}}},
    {SCMP_SYS(statx), 0, {{0}}}, /* stat of glibc on 32 bits */
    {SCMP_SYS(access), 0, {{0}}},
    {SCMP_SYS(faccessat), 0, {{0}}},
    {SCMP_SYS(readlink), 0, {{0}}},
    {SCMP_SYS(readlinkat), 0, {{0}}},
    {SCMP_SYS(unlink), 0, {{0}}},
    {SCMP_SYS(unlinkat), 0, {{0}}},
    {SCMP_SYS(getcwd), 0, {{0}}},
    {SCMP_SYS(getpid), 0, {{0}}},
    {SCMP_SYS(getppid), 0, {{0}}},
    {SCMP_SYS(geteuid), 0, {{0}}},
    {SCMP_SYS(fchown), 0, {{0}}},
    {SCMP_SYS(fchmod), 0, {{0}}},
    {SCMP_SYS(umask), 0, {{0}}},
    {SCMP_SYS(brk), 0, {{0}}},
    {SCMP_SYS(mmap), 1, {BITS(2, PROT_EXEC, 0)}},
    {SCMP_SYS(mmap2), 1, {BITS(2, PROT_EXEC, 0)}},
    {SCMP_SYS(mremap), 0, {{0}}},
    {SCMP_SYS(munmap), 0, {{0}}},
    {SCMP_SYS(madvise), 0, {{0}}},
    {SCMP_SYS(clock_gettime), 0, {{0}}},
    {SCMP_SYS(gettimeofday), 0, {{0}}},
    {SCMP_SYS(time), 0, {{0}}}, /* SQLite calls it if there is no /dev/urandom */
    {SCMP_SYS(clock_nanosleep), 0, {{0}}},
    {SCMP_SYS(nanosleep), 0, {{0}}},
    {SCMP_SYS(getrandom), 0, {{0}}},
    {SCMP_SYS(sched_yield), 0, {{0}}},
    {SCMP_SYS(pipe), 0, {{0}}},
    {SCMP_SYS(pipe2), 0, {{0}}},
    {SCMP_SYS(clone), 1, {BITS(0, NOT_A_FORK, 0)}},
    {SCMP_SYS(set_robust_list), 0, {{0}}},
    {SCMP_SYS(rseq), 0, {{0}}},
    {SCMP_SYS(wait4), 0, {{0}}},
    {SCMP_SYS(prctl), 1, {EQUAL(0, PR_SET_PDEATHSIG)}},
    {SCMP_SYS(rt_sigprocmask), 0, {{0}}},
    {SCMP_SYS(rt_sigreturn), 0, {{0}}},
    {SCMP_SYS(restart_syscall), 0, {{0}}},
    {SCMP_SYS(exit_group), 0, {{0}}},
    /* 32 bits */
    {SCMP_SYS(sigreturn), 0, {{0}}},
    {SCMP_SYS(_llseek), 0, {{0}}},
    {SCMP_SYS(recv), 0, {{0}}},
    {SCMP_SYS(send), 0, {{0}}},
    {SCMP_SYS(ppoll_time64), 0, {{0}}},
    {SCMP_SYS(futex_time64), 0, {{0}}},
    {SCMP_SYS(fcntl64), 0, {{0}}},
    {SCMP_SYS(ftruncate64), 0, {{0}}},
    {SCMP_SYS(stat64), 0, {{0}}},
    {SCMP_SYS(lstat64), 0, {{0}}},
    {SCMP_SYS(fstat64), 0, {{0}}},
    {SCMP_SYS(fstatat64), 0, {{0}}},
    {SCMP_SYS(geteuid32), 0, {{0}}},
    {SCMP_SYS(fchown32), 0, {{0}}},
    {SCMP_SYS(clock_gettime64), 0, {{0}}},
    {SCMP_SYS(clock_nanosleep_time64), 0, {{0}}},
};

/* libseccomp gives back an error's number, negative. */
static bool succeeded(int result)
{
    if (result < 0)
        errno = -result;
    return result >= 0;
}

/* Where there is mmap2, mmap takes its arguments from memory, which no filter can see. */
static bool hides_arguments(int call, uint32_t arch)
{
    return call == SCMP_SYS(mmap) && seccomp_syscall_resolve_name_arch(arch, "mmap2") >= 0;
}

static bool add_rules(scmp_filter_ctx filter, uint32_t arch, const allowed *calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!hides_arguments(calls[i].call, arch) &&
            !succeeded(seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, calls[i].call, calls[i].conditions,
                                              calls[i].when)))
            return false;
    return true;
}

/* The filter as the kernel wants it, by way of a file in memory. */
static bool export_filter(scmp_filter_ctx filter, confinement *to)
{
    int file = memfd_create("filter", MFD_CLOEXEC);
    bool done = false;

    if (file < 0)
        return false;
    if (succeeded(seccomp_export_bpf(filter, file)) && lseek(file, 0, SEEK_SET) == 0) {
        ssize_t got = read(file, to->filter, sizeof to->filter);
        to->filter_len = got > 0 ? (unsigned short)((size_t)got / sizeof to->filter[0]) : 0;
        done = to->filter_len > 0 && to->filter_len < FILTER_MAX;
        if (got >= 0 && !done)
            errno = E2BIG;
    }
    int error = errno;
    (void)close(file);
    errno = error;
    return done;
}

static const struct {
    const allowed *calls;
    size_t count;
} tables[SANDBOX_KINDS] = {
    [SANDBOX_WORKER] = {worker_calls, sizeof worker_calls / sizeof worker_calls[0]},
    [SANDBOX_KEEPER] = {keeper_calls, sizeof keeper_calls / sizeof keeper_calls[0]},
};

static bool set_arch(scmp_filter_ctx filter, uint32_t arch)
{
    return arch == seccomp_arch_native() || (succeeded(seccomp_arch_remove(filter, SCMP_ARCH_NATIVE)) &&
                                             succeeded(seccomp_arch_add(filter, arch)));
}

/* Any other call kills the process, and so does a call of another architecture. */
static bool make_filter(confinement *to, sandbox_who who, uint32_t arch)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

    if (filter == NULL) {
        errno = ENOSYS; /* libseccomp gives no reason: this kernel cannot kill by a filter */
        return false;
    }
    bool made = set_arch(filter, arch) &&
                succeeded(seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS)) &&
                succeeded(seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2)) &&
                add_rules(filter, arch, tables[who].calls, tables[who].count) && export_filter(filter, to);
    seccomp_release(filter);
    return made;
}

unsigned sandbox_filter_len(sandbox_who who, uint32_t arch)
{
    confinement made = {.filter_len = 0};

    return make_filter(&made, who, arch) ? made.filter_len : 0;
}

/* ---- Landlock ---- */

#define FILES_DATA                                                                                           \
    (LANDLOCK_READ_FILE | LANDLOCK_WRITE_FILE | LANDLOCK_READ_DIR | LANDLOCK_REMOVE_FILE | LANDLOCK_MAKE_REG)

/* All rights that this version of Landlock can take away. */
static landlock_ruleset all_rights(int abi)
{
    static const unsigned files[] = {0, 13, 14, 15, 15, 16}; /* how many, by ABI */
    unsigned known = sizeof files / sizeof files[0] - 1;

    return (landlock_ruleset){
        .files = (1u << files[(unsigned)abi < known ? (unsigned)abi : known]) - 1,
        .net = abi >= 4 ? 3 : 0,    /* bind and connect with TCP */
        .scoped = abi >= 6 ? 3 : 0, /* abstract sockets and signals */
    };
}

static bool allow_below(int rules, const char *path, uint64_t rights)
{
    landlock_path beneath = {.rights = rights};
    int fd = open(path, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return false;
    beneath.fd = fd;
    bool done = syscall(LANDLOCK_ADD_RULE, rules, LANDLOCK_PATH, &beneath, 0) == 0;
    int error = errno;
    (void)close(fd);
    errno = error;
    return done;
}

/* SQLite takes its randomness from /dev/urandom, and without one, as in a chroot, from the
 * clock: our keys and cookies come from getrandom. */
static bool allow_data(int rules, const char *data, int abi)
{
    return allow_below(rules, data, FILES_DATA | (abi >= 3 ? LANDLOCK_TRUNCATE : 0)) &&
           (allow_below(rules, "/dev/urandom", LANDLOCK_READ_FILE) || errno == ENOENT);
}

static bool make_ruleset(confinement *to, const char *data)
{
    landlock_ruleset rights = all_rights(landlock_abi);

    if (landlock_abi < 1)
        return true; /* said at start-up; the filter still forbids workers to open anything */
    to->ruleset = (int)syscall(LANDLOCK_CREATE_RULESET, &rights,
                               landlock_abi >= 6 ? sizeof rights : (landlock_abi >= 4 ? 16u : 8u), 0);
    return to->ruleset >= 0 && (data == NULL || allow_data(to->ruleset, data, landlock_abi));
}

/* ---- Entering ---- */

/* Lowers a limit. One that is lower already stays: only root may raise it. */
static bool limit(__rlimit_resource_t what, rlim_t value)
{
    struct rlimit both;

    if (getrlimit(what, &both) != 0)
        return false;
    if (both.rlim_max > value)
        both.rlim_max = value;
    both.rlim_cur = both.rlim_max;
    return setrlimit(what, &both) == 0;
}

/* A limit of no descriptor at all would break poll. */
static bool limit_worker(void)
{
    return limit(RLIMIT_FSIZE, 0) && limit(RLIMIT_NPROC, 0) && limit(RLIMIT_DATA, WORKER_DATA_MAX) &&
           limit(RLIMIT_AS, WORKER_AS_MAX) && limit(RLIMIT_NOFILE, 1);
}

bool sandbox_paths(sandbox_who who)
{
    int rules = confinements[who].ruleset;

    if (!prepared)
        return true;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           (rules < 0 || syscall(LANDLOCK_RESTRICT_SELF, rules, 0) == 0);
}

bool sandbox_enter(sandbox_who who)
{
    struct sock_fprog program = {confinements[who].filter_len, confinements[who].filter};

    if (!prepared)
        return true;
    return limit(RLIMIT_CORE, 0) && (who == SANDBOX_KEEPER || limit_worker()) &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* ---- Preparing ---- */

const char *sandbox_about(void)
{
    return "seccomp, Landlock, resource limits";
}

const char *sandbox_active(void)
{
    static char active[160];

    if (!prepared)
        return "none (--no-sandbox): workers are processes of their own, not confined further";
    if (landlock_abi < 1)
        (void)snprintf(active, sizeof active, "no_new_privs, seccomp, resource limits; no Landlock: %s",
                       strerror(landlock_error));
    else
        (void)snprintf(active, sizeof active, "no_new_privs, Landlock (ABI %d), seccomp, resource limits",
                       landlock_abi);
    return active;
}

/* Tries the confinement in a child, so that a kernel that refuses it is detected at start-up. */
static bool try_on(sandbox_who who)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        _exit(sandbox_paths(who) && sandbox_enter(who) ? 0 : errno);
    if (child < 0)
        return false;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    errno = WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
    return errno == 0;
}

bool sandbox_prepare(const char *data)
{
    landlock_abi = (int)syscall(LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_VERSION);
    landlock_error = errno;
    prepared = make_filter(&confinements[SANDBOX_WORKER], SANDBOX_WORKER, seccomp_arch_native()) &&
               make_filter(&confinements[SANDBOX_KEEPER], SANDBOX_KEEPER, seccomp_arch_native()) &&
               make_ruleset(&confinements[SANDBOX_WORKER], NULL) &&
               make_ruleset(&confinements[SANDBOX_KEEPER], data);
    return prepared && try_on(SANDBOX_WORKER) && try_on(SANDBOX_KEEPER);
}
