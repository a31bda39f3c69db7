/* SPDX-License-Identifier: ISC */
/* Confines workers and the keeper to what they need: sandbox_linux.c. The other,
 * sandbox_none.c, confines nothing, and says so. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "smsp.h"

typedef enum sandbox_who { SANDBOX_WORKER, SANDBOX_KEEPER, SANDBOX_KINDS } sandbox_who;

/* What is built in, for --version. */
const char *sandbox_about(void);

/* The layers that are active, for start-up; to be called after sandbox_prepare. */
const char *sandbox_active(void);

/* Supervisor, before the first fork: makes the filters, and tries them on a
 * child. data: the directory that the keeper may use, NULL: none. False, with
 * errno: it could not, so nobody must be started. */
bool sandbox_prepare(const char *data) SMSP_MUST_USE;

/* The child, while it still has all descriptors: takes away privileges and paths.
 * False, with errno: it is not confined, so it must end. Without sandbox_prepare this and
 * sandbox_enter do nothing (--no-sandbox). */
bool sandbox_paths(sandbox_who who) SMSP_MUST_USE;

/* The child, before its first byte from the network or from the database: takes
 * away all other system calls. A worker has descriptors 0 (the client), 1 (the
 * eventfd) and 2 open. False as above. */
bool sandbox_enter(sandbox_who who) SMSP_MUST_USE;

/* For tests, sandbox_linux.c only: the number of instructions of the filter for another
 * architecture (SCMP_ARCH_... of libseccomp). 0, with errno: it cannot be made. */
unsigned sandbox_filter_len(sandbox_who who, uint32_t arch);

#endif
