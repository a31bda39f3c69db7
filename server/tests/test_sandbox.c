/* SPDX-License-Identifier: ISC */
/* The sandbox, tried from within: a child steps in and makes a call; did it live?
 * With "list" prints the system calls that each process may make, by trying all. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <seccomp.h>

#include "sandbox/sandbox.h"

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define CALLS_MAX  512
#define CALL_MS    200 /* for one that blocks: then it was allowed */
#define DIES       (-SIGSYS)
#define NOBODY     65534
#define OUT_OF_X64 0x40000000 /* the x32 calls of x86-64 */

static char data[64];

/* Descriptors 0 to 2 become one end of a socket, as a worker's are, with a byte to be read. Never a
 * file of the machine: as root, fchmod(0, 0) takes /dev/null from every other user. */
static bool own_descriptors(void)
{
    int pair[2];

    return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && write(pair[1], "x", 1) == 1 &&
           fcntl(pair[1], F_DUPFD, 10) >= 0 && dup2(pair[0], 0) == 0 && dup2(pair[0], 1) == 1 &&
           dup2(pair[0], 2) == 2;
}

/* What a child in there comes to: its exit status, or minus the signal. The exit
 * status is what act returned, an errno or 0. */
static int outcome(sandbox_who who, int (*act)(long), long argument)
{
    static const struct itimerval soon = {.it_value = {.tv_usec = CALL_MS * 1000}};
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        bool ready = own_descriptors() && setitimer(ITIMER_REAL, &soon, NULL) == 0 && sandbox_paths(who) &&
                     sandbox_enter(who);
        _exit(ready ? act(argument) : 255);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int in_worker(int (*act)(long), long argument)
{
    return outcome(SANDBOX_WORKER, act, argument);
}

static int in_keeper(int (*act)(long), long argument)
{
    return outcome(SANDBOX_KEEPER, act, argument);
}

/* ---- Things to try ---- */

static int failed(long result)
{
    return result < 0 ? errno : 0;
}

/* A call by its number, with arguments that the filter lets pass if any do. */
static int call(long number)
{
    static uint32_t word;

    switch (number) {
    case SYS_mmap:
        return failed(syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    case SYS_futex:
        return failed(syscall(SYS_futex, &word, FUTEX_WAIT, 1, NULL, NULL, 0));
    case SYS_clock_gettime:
        return failed(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, NULL));
    case SYS_prctl:
        return failed(syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
    case SYS_clone:
        return failed(syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0));
    default:
        return failed(syscall(number, 0, 0, 0, 0, 0, 0));
    }
}

static int read_from(long fd)
{
    char byte;

    return failed(syscall(SYS_read, fd, &byte, 1));
}

static int write_to(long fd)
{
    return failed(syscall(SYS_write, fd, "x", 1));
}

static int shut(long fd)
{
    return failed(syscall(SYS_shutdown, fd, SHUT_WR));
}

static int poll_many(long count)
{
    static struct pollfd fds[4];

    return failed(syscall(SYS_poll, fds, count, 0));
}

static int map_memory(long protection)
{
    void *at = mmap(NULL, 4096, (int)protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return at == MAP_FAILED ? errno : 0;
}

static int map_file(long fd)
{
    return mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, (int)fd, 0) == MAP_FAILED ? errno : 0;
}

static int take_memory(long bytes)
{
    return mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? errno
               : 0;
}

/* Memory that RLIMIT_DATA does not count. */
static int map_kind(long kind)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, (int)kind | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno
                                                                                                    : 0;
}

static int futex_with(long operation)
{
    static uint32_t word;

    return failed(syscall(SYS_futex, &word, operation, 1, NULL, NULL, 0));
}

static int ppoll_with_mask(long unused)
{
    static sigset_t none;

    (void)unused;
    return failed(syscall(SYS_ppoll, NULL, 0, NULL, &none, 8));
}

static int clock_of(long which)
{
    struct timespec now;

    return failed(syscall(SYS_clock_gettime, which, &now));
}

/* At an address of our own choice. */
static int map_at(long where)
{
    return syscall(SYS_mmap, where, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) < 0 ? errno : 0;
}

static int other_prctl(long what)
{
    return failed(syscall(SYS_prctl, what, 0, 0, 0, 0));
}

static int clone_with(long flags)
{
    return failed(syscall(SYS_clone, flags, NULL, NULL, NULL, 0));
}

static int open_path(long path)
{
    return failed(
        syscall(SYS_openat, AT_FDCWD, (const char *)path, O_RDONLY, 0)); // NOLINT: it came as a number
}

static int make_path(long path)
{
    return failed(
        syscall(SYS_openat, AT_FDCWD, (const char *)path, O_RDWR | O_CREAT, 0600)); // NOLINT: likewise
}

static int try_fork(long unused)
{
    (void)unused;
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    return child < 0 || waitpid(child, NULL, 0) != child ? errno : 0;
}

#ifdef __x86_64__
/* The other architecture of this machine, where getpid has number 20. */
static int call_i386(long number)
{
    long result = number;

    __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    return failed(result);
}
#endif

/* ---- The worker ---- */

static void test_worker_descriptors(void **context)
{
    (void)context;
    assert_int_equal(in_worker(read_from, 0), 0);
    assert_int_equal(in_worker(read_from, 1), DIES);
    assert_int_equal(in_worker(read_from, 2), DIES);
    assert_int_equal(in_worker(read_from, 3), DIES);
    assert_int_equal(in_worker(write_to, 0), 0);
    assert_int_equal(in_worker(write_to, 1), 0);
    assert_int_equal(in_worker(write_to, 2), DIES);
    assert_int_equal(in_worker(shut, 0), 0);
    assert_int_equal(in_worker(shut, 1), DIES);
    assert_int_equal(in_worker(poll_many, 1), 0);
    assert_int_equal(in_worker(poll_many, 2), DIES);
}

static void test_worker_memory(void **context)
{
    (void)context;
    assert_int_equal(in_worker(map_memory, PROT_READ | PROT_WRITE), 0);
    assert_int_equal(in_worker(map_memory, PROT_READ | PROT_EXEC), DIES);
    assert_int_equal(in_worker(map_memory, PROT_EXEC), DIES);
    assert_int_equal(in_worker(map_memory, PROT_READ), DIES);
    assert_int_equal(in_worker(map_memory, PROT_NONE), DIES);
    assert_int_equal(in_worker(map_file, 0), DIES);
    assert_int_equal(in_worker(map_at, 1l << 32), DIES);
    assert_int_equal(in_worker(map_kind, MAP_PRIVATE), 0);
    assert_int_equal(in_worker(map_kind, MAP_SHARED), DIES);
    assert_int_equal(in_worker(map_kind, MAP_PRIVATE | MAP_GROWSDOWN), DIES);
    assert_int_equal(in_worker(take_memory, 24l << 20), 0);
    assert_int_equal(in_worker(take_memory, 200l << 20), ENOMEM);
    assert_int_equal(in_worker(call, SYS_mprotect), DIES);
}

static void test_worker_arguments(void **context)
{
    (void)context;
    assert_int_equal(in_worker(futex_with, FUTEX_WAIT), EAGAIN);
    assert_int_equal(in_worker(futex_with, FUTEX_WAKE), DIES);
    assert_int_equal(in_worker(futex_with, 128), DIES);
    assert_int_equal(in_worker(ppoll_with_mask, 0), DIES);
    assert_int_equal(in_worker(clock_of, CLOCK_MONOTONIC), 0);
    assert_int_equal(in_worker(clock_of, CLOCK_PROCESS_CPUTIME_ID), DIES);
    assert_int_equal(in_worker(clock_of, -8), DIES); /* the processor time of process 0, by its id */
}

/* ---- All the memory that a worker can get ---- */

#define HUGE_PAGE   (2l << 20)

/* Keeps one page of each 2 MiB, so that page tables stay, until no memory is left. */
static void take_scattered_pages(void)
{
    for (long size = 64 * HUGE_PAGE; size >= HUGE_PAGE; size /= 2) {
        for (;;) {
            char *at = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (at == MAP_FAILED)
                break;
            for (long page = 0; page < size; page += HUGE_PAGE) {
                at[page] = 1;
                if (munmap(at + page + 4096, (size_t)HUGE_PAGE - 4096) != 0)
                    break;
            }
        }
    }
}

/* Fills what is left with pages, by mmap and by brk. */
static void take_pages(void)
{
    for (size_t size = 1 << 20; size >= 4096; size /= 2)
        while (mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0) != MAP_FAILED)
            continue;
    for (long size = HUGE_PAGE; size >= 4096; size /= 2) {
        char *end = (char *)syscall(SYS_brk, 0); // NOLINT: the call returns an address
        while (syscall(SYS_brk, end + size) == (long)(end + size)) {
            memset(end, 1, (size_t)size);
            end += size;
        }
    }
}

/* In KiB, from /proc/PID/status. */
static long status_of(pid_t child, const char *what)
{
    char path[64];
    char line[200];
    long value = -1;

    (void)snprintf(path, sizeof path, "/proc/%ld/status", (long)child);
    FILE *status = fopen(path, "r");
    assert_non_null(status);
    while (fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, what, strlen(what)) == 0)
            value = strtol(line + strlen(what), NULL, 10);
    (void)fclose(status);
    assert_true(value >= 0);
    return value;
}

/* A worker that takes all it can, in this order, and then waits to be measured. */
static void measure_greedy(void (*first)(void), void (*then)(void))
{
    int pair[2];
    char byte;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    pid_t child = fork();
    if (child == 0) {
        if (dup2(pair[0], 0) != 0 || !sandbox_paths(SANDBOX_WORKER) || !sandbox_enter(SANDBOX_WORKER))
            _exit(1);
        first();
        then();
        if (write(0, "x", 1) == 1 && read(0, &byte, 1) == 1)
            _exit(0);
        _exit(1);
    }
    (void)close(pair[0]);
    assert_true(child > 0);
    assert_int_equal(read(pair[1], &byte, 1), 1);
    long taken = status_of(child, "VmRSS:") + status_of(child, "VmPTE:");
    long space = status_of(child, "VmSize:");
    (void)close(pair[1]);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    print_message("a greedy worker: %ld KiB of address space, %ld KiB of memory and page tables\n", space, taken);
    assert_true(space <= 161l << 10);
    assert_true(taken <= 2 * (161l << 10));
}

static void test_worker_greed(void **context)
{
    (void)context;
    measure_greedy(take_pages, take_scattered_pages);
    measure_greedy(take_scattered_pages, take_pages);
}

static void test_worker_world(void **context)
{
    static const long forbidden[] = {SYS_openat, SYS_open,     SYS_socket,  SYS_connect,
                                     SYS_fork,   SYS_vfork,    SYS_clone,   SYS_clone3,
                                     SYS_execve, SYS_execveat, SYS_kill,    SYS_tgkill,
                                     SYS_ptrace, SYS_dup2,     SYS_sendmsg, SYS_io_uring_setup};

    (void)context;
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        assert_int_equal(in_worker(call, forbidden[i]), DIES);
}

/* ---- The keeper ---- */

static void test_keeper_files(void **context)
{
    char inside[100];

    (void)context;
    (void)snprintf(inside, sizeof inside, "%s/file", data);
    assert_int_equal(in_keeper(make_path, (long)inside), 0);
    assert_int_equal(in_keeper(open_path, (long)inside), 0);
    assert_int_equal(unlink(inside), 0);
    if (strstr(sandbox_active(), "Landlock (") == NULL) {
        print_message("this kernel has no Landlock: paths outside are not tried\n");
        return;
    }
    assert_int_equal(in_keeper(open_path, (long)"/etc/passwd"), EACCES);
    assert_int_equal(in_keeper(open_path, (long)"/"), EACCES);
    assert_int_equal(in_keeper(make_path, (long)"/tmp/smspd-sandbox-outside"), EACCES);
    assert_int_equal(access("/tmp/smspd-sandbox-outside", F_OK), -1);
}

static void test_keeper_world(void **context)
{
    static const long forbidden[] = {
        SYS_socket, SYS_connect, SYS_bind,   SYS_execve,   SYS_execveat,         SYS_vfork,
        SYS_clone3, SYS_kill,    SYS_ptrace, SYS_mprotect, SYS_process_vm_readv, SYS_io_uring_setup,
        SYS_mount,  SYS_rename,  SYS_link,   SYS_symlink};

    (void)context;
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
        assert_int_equal(in_keeper(call, forbidden[i]), DIES);
    assert_int_equal(in_keeper(map_memory, PROT_READ | PROT_EXEC), DIES);
    assert_int_equal(in_keeper(other_prctl, PR_SET_DUMPABLE), DIES);
    assert_int_equal(in_keeper(clone_with, SIGCHLD | CLONE_VM), DIES);
    assert_int_equal(in_keeper(clone_with, SIGCHLD | CLONE_NEWUSER), DIES);
    assert_int_equal(in_keeper(try_fork, 0), 0);
}

/* ---- Both ---- */

static void test_other_architectures(void **context)
{
    (void)context;
    assert_int_equal(in_worker(call, OUT_OF_X64 | SYS_getpid), DIES);
    assert_int_equal(in_keeper(call, OUT_OF_X64 | SYS_getpid), DIES);
#ifdef __x86_64__
    assert_int_equal(in_worker(call_i386, 20), DIES);
    assert_int_equal(in_keeper(call_i386, 20), DIES);
#endif
}

/* Newer kernels run uretprobe before any filter: it is theirs alone, and harms its caller only. */
static bool filtered(const char *name)
{
    return strcmp(name, "uretprobe") != 0;
}

/* Of machines that this one cannot run. */
static void test_filters_of_other_architectures(void **context)
{
    static const uint32_t archs[] = {SCMP_ARCH_X86, SCMP_ARCH_ARM, SCMP_ARCH_AARCH64, SCMP_ARCH_X86_64};
    unsigned calls[SANDBOX_KINDS] = {10, 40}; /* each takes an instruction at least */

    (void)context;
    for (size_t i = 0; i < sizeof archs / sizeof archs[0]; i++)
        for (sandbox_who who = SANDBOX_WORKER; who < SANDBOX_KINDS; who++)
            assert_true(sandbox_filter_len(who, archs[i]) > calls[who]);
    assert_int_equal(sandbox_filter_len(SANDBOX_WORKER, 1), 0);
}

/* All calls are tried: a filter that is too wide must not harm the machine (sethostname). */
static bool give_up_root(void)
{
    return geteuid() != 0 || (setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
}

static void list(const char *name_of_it, sandbox_who who)
{
    printf("%s:", name_of_it);
    for (int number = 0; number < CALLS_MAX; number++) {
        char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
        if (name != NULL && filtered(name) && outcome(who, call, number) != DIES)
            printf(" %s", name);
        free(name);
        (void)fflush(stdout);
    }
    printf("\n");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worker_descriptors), cmocka_unit_test(test_worker_memory),
        cmocka_unit_test(test_worker_arguments),   cmocka_unit_test(test_worker_greed),
        cmocka_unit_test(test_worker_world),       cmocka_unit_test(test_keeper_files),
        cmocka_unit_test(test_keeper_world),       cmocka_unit_test(test_other_architectures),
        cmocka_unit_test(test_filters_of_other_architectures),
    };
    int status = 0;

    (void)snprintf(data, sizeof data, "/tmp/smspd-sandbox-XXXXXX");
    if (mkdtemp(data) == NULL || !sandbox_prepare(data)) {
        perror("test_sandbox");
        return 1;
    }
    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        if (rmdir(data) != 0 || !give_up_root())
            return 1;
        list("worker", SANDBOX_WORKER);
        list("keeper", SANDBOX_KEEPER);
        return 0;
    }
    status = cmocka_run_group_tests(tests, NULL, NULL);
    return rmdir(data) == 0 ? status : 1;
}
