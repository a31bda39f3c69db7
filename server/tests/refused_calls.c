/* SPDX-License-Identifier: ISC */
/* Calls that an older kernel, a container or a file system refuses: preloaded (LD_PRELOAD)
 * into smspd, this refuses the one that REFUSED names, with the errno behind it, always.
 * "urandom" is the opening of /dev/urandom. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* As many words as any of these calls takes are handed on: so the declarations need not
 * be known. That is how arguments are passed here (x86-64, arm64). */
#define WORDS long a, long b, long c, long d, long e, long f, long g
#define GIVEN a, b, c, d, e, f, g

static char name[32];
static int error;

__attribute__((constructor)) static void read_wish(void)
{
    const char *wish = getenv("REFUSED");
    const char *number = wish != NULL ? strchr(wish, ' ') : NULL;

    if (number == NULL)
        return;
    (void)snprintf(name, sizeof name, "%.*s", (int)(number - wish), wish);
    error = (int)strtol(number, NULL, 10);
}

/* True, with errno, if this call is the refused one. */
static bool refused(const char *call)
{
    if (strcmp(call, name) != 0)
        return false;
    errno = error;
    return true;
}

static long hand_on(const char *call, WORDS)
{
    long (*real)(WORDS);

    *(void **)&real = dlsym(RTLD_NEXT, call);
    return real(GIVEN);
}

#define STAND_IN(call)                                                                                       \
    long refused_##call(WORDS) __asm__(#call);                                                               \
    long refused_##call(WORDS)                                                                               \
    {                                                                                                        \
        return refused(#call) ? -1 : hand_on(#call, GIVEN);                                                  \
    }
STAND_IN(flock)
STAND_IN(madvise)
STAND_IN(close_range)

long refused_syscall(WORDS) __asm__("syscall");
long refused_syscall(WORDS)
{
    return a == SYS_close_range && refused("close_range") ? -1 : hand_on("syscall", GIVEN);
}

#define OPENS(call)                                                                                          \
    long refused_##call(WORDS) __asm__(#call);                                                               \
    long refused_##call(WORDS)                                                                               \
    {                                                                                                        \
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): all words are handed on as numbers */                  \
        return strcmp((const char *)a, "/dev/urandom") == 0 && refused("urandom") ? -1 : hand_on(#call, GIVEN); \
    }
OPENS(open)
OPENS(open64)
