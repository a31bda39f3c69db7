/* SPDX-License-Identifier: ISC */
/* smspd: a server of the Simple Mail Server Protocol. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "options.h"
#include "sandbox/root.h"
#include "sandbox/sandbox.h"
#include "secret/secret.h"
#include "store/store.h"
#include "supervisor.h"

/* More slots than clients: the keeper needs time to release those of dead workers. */
#define SLOTS_SPARE 64u

/* Opens those of descriptors 0 to 2 that are closed, so that no socket gets these numbers. Using
 * them still fails with EBADF, so that lost output is an error. */
static bool standard_fds(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    }
    return true;
}

/* The directory of --data, behind any symbolic link: SQLite, told to follow none to a file,
 * follows none to a directory either. Here, and not in the keeper: its filter forbids what
 * realpath calls for names such as "d/". */
static bool resolve_data(server_options *wanted)
{
    static char real[PATH_MAX];

    if (realpath(wanted->data, real) == NULL) {
        log_line("--data %s: cannot use it: %s", wanted->data, log_reason(errno));
        return false;
    }
    wanted->data = real;
    return true;
}

/* Locks the directory of --data, and gives it to the user that the server becomes. */
static bool take_data(server_options *wanted, const new_user *user)
{
    if (wanted->data == NULL)
        return true;
    if (!secret_lasts()) {
        log_line("--data %s: this smspd was built without libsodium, so passwords would mean nothing after a "
                 "restart",
                 wanted->data);
        return false;
    }
    wanted->data_lock = store_lock(wanted->data);
    return wanted->data_lock >= 0 && resolve_data(wanted) && root_give_data(wanted, user);
}

static void tell_parts(const server_options *wanted, const new_user *user)
{
    root_announce(wanted, user);
    if (wanted->data == NULL)
        log_line("state: in memory only, lost when the server ends (--data DIR keeps it)");
    else
        log_line("state: kept in %s, %s", wanted->data, store_about());
    log_line("secrets: %s", secret_about());
    if (wanted->test_cost)
        log_line("--password-cost test: passwords cost next to nothing to guess; for tests only");
    log_line("sandbox: %s", sandbox_active());
}

/* Advice if processes cannot be confined; "" if --no-sandbox would not help. */
static const char *confine_advice(int error)
{
    switch (error) {
    case EPERM: /* this kernel or container refuses it */
    case EACCES:
    case EINVAL:
    case ENOSYS:
    case EOPNOTSUPP:
        return "; --no-sandbox does without";
    default:
        return "";
    }
}

/* The exit status of --help, --version and --check. */
static int printed(void)
{
    if (fflush(stdout) == 0)
        return 0;
    log_line("cannot write the output: %s", strerror(errno));
    return 1;
}

int main(int argc, char **argv)
{
    server_options wanted;
    new_user user;
    slots all;

    if (!standard_fds()) {
        log_line("cannot start: /dev/null: %s", log_reason(errno));
        return 1;
    }
    options_result read = options_read(argc, argv, &wanted);
    if (read == OPTIONS_DONE)
        return printed();
    if (read == OPTIONS_WRONG)
        return 2;
    if (wanted.check)
        return resolve_data(&wanted) && store_check(wanted.data, &wanted.limits) ? printed() : 1;
    if (!root_choose_user(&wanted, &user) || !take_data(&wanted, &user))
        return 1;
    /* If SIGCHLD is ignored, children cannot be reaped; it is inherited from our parent. */
    if (signal(SIGCHLD, SIG_DFL) == SIG_ERR || signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        signal(SIGXFSZ, SIG_IGN) == SIG_ERR || !secret_init() ||
        !slots_map(&all, wanted.max_clients + SLOTS_SPARE)) {
        log_line("cannot start: %s", log_reason(errno));
        return 1;
    }
    if (!wanted.no_sandbox && !sandbox_prepare(wanted.data)) {
        log_line("cannot confine processes: %s%s", log_reason(errno), confine_advice(errno));
        return 1;
    }
    tell_parts(&wanted, &user);
    int status = supervisor_run(&wanted, &user, &all);
    secret_wipe();
    return status;
}
