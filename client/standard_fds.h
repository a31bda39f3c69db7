/* SPDX-License-Identifier: ISC */
/* Opens standard descriptors that are closed when the program starts. */
#ifndef STANDARD_FDS_H
#define STANDARD_FDS_H

#include <stdbool.h>

/* Opens those of the descriptors 0 to 2 that are closed; call it before anything
 * else. Otherwise a socket or a file gets such a number, and what is meant for
 * standard output goes to the server. Using them still fails, with EBADF, so that
 * lost output is reported. False: it failed, see errno. */
bool standard_fds_open(void) __attribute__((warn_unused_result));

#endif
