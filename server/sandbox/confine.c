/* SPDX-License-Identifier: ISC */
/* Gives up root and enters the sandbox, in the order that the kernel needs. */
#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "sandbox.h"

#define FDS_MAX 65536u /* the kernel gives the lowest free number, so none of ours comes near */

/* The child dies with its parent. It ignores Ctrl-C and the end of the terminal, which signal all
 * processes: its parent handles them. Its memory is in no core file, and other processes of our
 * user cannot read it. */
static bool begin_child(sandbox_who who, pid_t parent)
{
    sigset_t none;

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return false;
    if (getppid() != parent) {
        errno = ESRCH;
        return false;
    }
    return prctl(PR_SET_DUMPABLE, 0) == 0 && signal(SIGINT, SIG_IGN) != SIG_ERR &&
           signal(SIGHUP, SIG_IGN) != SIG_ERR && sigemptyset(&none) == 0 &&
           sigprocmask(SIG_SETMASK, &none, NULL) == 0 && sandbox_paths(who);
}

/* Closes the descriptors from first to last: one by one if the kernel has no close_range,
 * or a container's filter refuses it. */
static void close_fds(unsigned first, unsigned last)
{
    if (first > last)
        return;
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, last, 0u) == 0)
        return;
#endif
    for (unsigned fd = first; fd <= last && fd < FDS_MAX; fd++)
        (void)close((int)fd);
}

/* For speed only: a worker that wakes up does not interrupt a running process. So the keeper
 * answers many slots before workers run. */
static void give_way(void)
{
    static const struct sched_param zero;

    if (sched_setscheduler(0, SCHED_BATCH, &zero) != 0)
        return; /* forbidden here: slower, not wrong */
}

/* How long a read waits for an idle client, and a write for one that does not read. */
static bool set_timeouts(const server_options *options, int client)
{
    const struct timeval idle = {.tv_sec = (time_t)options->idle_seconds};
    const struct timeval request = {.tv_sec = (time_t)options->request_seconds};

    return setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle) == 0 &&
           setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &request, sizeof request) == 0;
}

bool confine_worker(const server_options *options, const slots *all, uint32_t mine, int client, pid_t parent)
{
    give_way();
    if (!begin_child(SANDBOX_WORKER, parent) || !set_timeouts(options, client))
        return false;
    if (dup2(client, CLIENT_FD) < 0 || dup2(all->wake, WAKE_FD) < 0)
        return false;
    close_fds(STDERR_FILENO + 1, ~0u);
    return slots_keep_only(all, mine) && sandbox_enter(SANDBOX_WORKER);
}

/* The lock lasts as long as somebody may write. */
bool confine_keeper(const server_options *options, const slots *all, int supervisor, pid_t parent)
{
    int wake = all->wake;
    int lock = options->data_lock;
    unsigned low = (unsigned)(wake < supervisor ? wake : supervisor);
    unsigned high = (unsigned)(wake < supervisor ? supervisor : wake);

    if (!begin_child(SANDBOX_KEEPER, parent) || signal(SIGTERM, SIG_IGN) == SIG_ERR)
        return false;
    if (lock >= 0 && dup2(lock, STDIN_FILENO) < 0)
        return false;
    close_fds(STDERR_FILENO + 1, low - 1);
    close_fds(low + 1, high - 1);
    close_fds(high + 1, ~0u);
    return true;
}
