/* SPDX-License-Identifier: ISC */
/* Log lines on standard error. */
#ifndef LOG_H
#define LOG_H

/* Writes one line "smspd: ..." to standard error, as printf would. If the
 * terminal is blocked, the line is lost; the server goes on. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));


/* What an errno means, and what to do about it if that does not depend on the call. */
const char *log_reason(int error);

#endif
