/* SPDX-License-Identifier: ISC */
/* The kernel's interface to Landlock, as far as it is used here: kernel headers before
 * Linux 5.13 do not have it, and the server may run on a newer kernel than it was built with. */
#ifndef LANDLOCK_H
#define LANDLOCK_H

#include <stdint.h>

/* The numbers are the same on all architectures. */
enum { LANDLOCK_CREATE_RULESET = 444, LANDLOCK_ADD_RULE = 445, LANDLOCK_RESTRICT_SELF = 446 };

/* To LANDLOCK_CREATE_RULESET instead of a ruleset: asks for the version of the interface. */
#define LANDLOCK_VERSION 1u

/* LANDLOCK_ADD_RULE: the rule is a landlock_path. */
#define LANDLOCK_PATH 1

/* Rights to files. */
#define LANDLOCK_WRITE_FILE  (1u << 1)
#define LANDLOCK_READ_FILE   (1u << 2)
#define LANDLOCK_READ_DIR    (1u << 3)
#define LANDLOCK_REMOVE_FILE (1u << 5)
#define LANDLOCK_MAKE_REG    (1u << 8)
#define LANDLOCK_TRUNCATE    (1u << 14) /* from version 3 on */

typedef struct landlock_ruleset {
    uint64_t files;
    uint64_t net;    /* from version 4 on */
    uint64_t scoped; /* from version 6 on */
} landlock_ruleset;

/* Below the folder or file of this descriptor these rights are left. */
typedef struct landlock_path {
    uint64_t rights;
    int32_t fd;
} __attribute__((packed)) landlock_path;

#endif
