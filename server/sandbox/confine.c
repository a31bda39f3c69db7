/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE
#include "confine.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "sandbox.h"

/* Dies with its parent, and leaves a Ctrl-C, which goes to all of us, to it. What is in
 * its memory is in no core file, and other processes of our user cannot look at it. */
static bool begin_child(sandbox_who who, pid_t parent)
{
    sigset_t none;

    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && prctl(PR_SET_DUMPABLE, 0) == 0 &&
           signal(SIGINT, SIG_IGN) != SIG_ERR && sigemptyset(&none) == 0 &&
           sigprocmask(SIG_SETMASK, &none, NULL) == 0 && sandbox_paths(who);
}

/* A worker that is woken does not interrupt whoever runs, the keeper above all,
 * which answers many slots in one go then. A matter of speed only. */
static void give_way(void)
{
    static const struct sched_param zero;

    if (sched_setscheduler(0, SCHED_BATCH, &zero) != 0)
        return; /* forbidden here: slower, not wrong */
}

/* How long a read waits for an idle client, and a write for one that does not read. */
static bool set_timeouts(const server_options *options, int client)
{
    const struct timeval idle = {.tv_sec = options->idle_seconds};
    const struct timeval request = {.tv_sec = options->request_seconds};

    return setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof idle) == 0 &&
           setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &request, sizeof request) == 0;
}

bool confine_worker(const server_options *options, const slots *all, uint32_t mine, int client, pid_t parent)
{
    give_way();
    if (!begin_child(SANDBOX_WORKER, parent) || !set_timeouts(options, client))
        return false;
    if (dup2(client, CLIENT_FD) < 0 || dup2(all->wake, WAKE_FD) < 0 || close_range(3, ~0u, 0) != 0)
        return false;
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
    if (low > 3 && close_range(3, low - 1, 0) != 0)
        return false;
    if (high > low + 1 && close_range(low + 1, high - 1, 0) != 0)
        return false;
    return close_range(high + 1, ~0u, 0) == 0;
}
