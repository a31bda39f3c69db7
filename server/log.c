/* SPDX-License-Identifier: ISC */
/* Log lines on standard error, which never stop the server. */
#define _GNU_SOURCE
#include "log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Replaces control characters: names in a hostile database must not control a terminal or
 * look like another line. */
static void make_harmless(char *text)
{
    for (unsigned char *at = (unsigned char *)text; *at != '\0'; at++)
        if (*at < ' ' || *at == 0x7f || (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0))
            *at = '?';
}

void log_line(const char *format, ...)
{
    char line[512] = "smspd: ";
    size_t start = strlen(line);
    struct pollfd terminal = {.fd = STDERR_FILENO, .events = POLLOUT};
    va_list parts;

    va_start(parts, format);
    int len = vsnprintf(line + start, sizeof line - start - 1, format, parts);
    va_end(parts);
    if (len < 0 || poll(&terminal, 1, 0) != 1 || !(terminal.revents & POLLOUT))
        return;
    make_harmless(line);
    size_t end = strlen(line);
    line[end] = '\n';
    if (write(STDERR_FILENO, line, end + 1) < 0)
        return; /* there is no other place for it */
}

const char *log_reason(int error)
{
    if (error == EMFILE)
        return "Too many open files: raise the limit (ulimit -n)";
    return strerror(error);
}
