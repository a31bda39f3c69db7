/* SPDX-License-Identifier: ISC */
/* Opens the standard descriptors that are closed. */
#include "standard_fds.h"

#include <fcntl.h>
#include <unistd.h>

bool standard_fds_open(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        /* The wrong way round: nobody reads what is written there. */
        int mode = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", mode) != fd)
            return false;
    }
    return true;
}
