/* smspd: a server of the Simple Mail Server Protocol. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "options.h"
#include "sandbox.h"
#include "secret.h"
#include "store.h"
#include "supervisor.h"

/* Slots beyond the clients, for those whose worker is dead and keeper not yet quiet. */
#define SLOTS_SPARE 64u

/* Descriptors 0 to 2 are open, so that no socket takes their places. */
static bool standard_fds(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    server_options wanted;
    slots all;

    if (!standard_fds()) {
        log_line("cannot start: /dev/null: %s", strerror(errno));
        return 1;
    }
    options_result read = options_read(argc, argv, &wanted);
    if (read == OPTIONS_DONE)
        return fflush(stdout) == 0 ? 0 : 1;
    if (read == OPTIONS_WRONG)
        return 2;
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || !secret_init() || !sandbox_prepare() ||
        !slots_map(&all, wanted.max_clients + SLOTS_SPARE)) {
        log_line("cannot start: %s", strerror(errno));
        return 1;
    }
    log_line("store: %s", store_about());
    log_line("secrets: %s", secret_about());
    log_line("sandbox: %s", sandbox_about());
    int status = supervisor_run(&wanted, &all);
    secret_wipe();
    return status;
}
