/* SPDX-License-Identifier: ISC */
/* Log lines on standard error. */
#ifndef LOG_H
#define LOG_H

/* Writes one line "smspd: ..." to standard error, as printf would. A terminal
 * that takes nothing loses the line rather than stop the server. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));


/* What an errno means, and what to do about it if that does not depend on the call. */
const char *log_reason(int error);

#endif
