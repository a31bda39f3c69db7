/* SPDX-License-Identifier: ISC */
/* A disk that fails on command: fault_disk.c stands in for the libc functions
 * with which SQLite writes, linked into a test or preloaded into a server
 * (LD_PRELOAD), with the control file that FAULT_DISK names. */
#ifndef FAULT_DISK_H
#define FAULT_DISK_H

#include <stdatomic.h>
#include <stdint.h>

enum fault_kind { FAULT_WRITE = 1, FAULT_SYNC = 2, FAULT_OPEN = 4, FAULT_TRUNCATE = 8 };

/* Shared with whoever decides. Calls of the chosen kinds are counted from 1; the
 * first to fail is number first, then each one after every more, most in all. */
typedef struct fault_disk {
    _Atomic uint32_t kinds; /* a sum of enum fault_kind; 0: nothing fails or counts */
    _Atomic uint32_t first;
    _Atomic uint32_t every;
    _Atomic uint32_t most;
    _Atomic uint32_t error; /* the errno */
    _Atomic uint32_t calls;
    _Atomic uint32_t failed;
} fault_disk;

/* The one in use: never NULL. */
fault_disk *fault_disk_control(void);

#endif
