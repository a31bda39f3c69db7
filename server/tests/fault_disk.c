/* SPDX-License-Identifier: ISC */
/* Disk calls that fail on command, preloaded into the server (LD_PRELOAD). */
#define _GNU_SOURCE
#include "fault_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static fault_disk own;
static fault_disk *control = &own;

fault_disk *fault_disk_control(void)
{
    return control;
}

/* Before main, so that the supervisor's children share the mapping. */
__attribute__((constructor)) static void map_control(void)
{
    const char *name = getenv("FAULT_DISK");
    int fd = name != NULL ? open(name, O_RDWR | O_CLOEXEC) : -1;

    if (fd < 0)
        return;
    void *at = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at != MAP_FAILED)
        control = at;
    (void)close(fd);
}

/* True, with errno, if this call is to fail. */
static bool fails(enum fault_kind kind)
{
    if (!(atomic_load(&control->kinds) & (uint32_t)kind))
        return false;
    uint32_t call = atomic_fetch_add(&control->calls, 1) + 1;
    uint32_t first = atomic_load(&control->first);
    uint32_t every = atomic_load(&control->every);
    if (call < first || (every > 1 && (call - first) % every != 0) ||
        atomic_load(&control->failed) >= atomic_load(&control->most))
        return false;
    atomic_fetch_add(&control->failed, 1);
    errno = (int)atomic_load(&control->error);
    return true;
}

/* Half of what was to be written may get through, as on a disk that fills up. */
ssize_t pwrite64(int fd, const void *at, size_t len, off64_t where)
{
    if (!fails(FAULT_WRITE))
        return syscall(SYS_pwrite64, fd, at, len, where);
    int error = errno;
    (void)syscall(SYS_pwrite64, fd, at, len / 2, where);
    errno = error;
    return -1;
}

int fdatasync(int fd)
{
    return fails(FAULT_SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return fails(FAULT_SYNC) ? -1 : (int)syscall(SYS_fsync, fd);
}

int ftruncate64(int fd, off64_t len)
{
    return fails(FAULT_TRUNCATE) ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

int open64(const char *name, int flags, ...)
{
    va_list more;
    int mode = 0;

    if (flags & O_CREAT) {
        va_start(more, flags);
        mode = va_arg(more, int);
        va_end(more);
    }
    if (strstr(name, "mail.db") != NULL && fails(FAULT_OPEN))
        return -1;
    return (int)syscall(SYS_openat, AT_FDCWD, name, flags, mode);
}
