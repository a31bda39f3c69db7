/* SPDX-License-Identifier: ISC */
/* Prints replies and errors. */
#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define ERROR_MAX     1024u
#define CHARACTER_MAX 4u /* bytes of one in UTF-8 */

static unsigned long line_number;
static int first_error; /* of the first write to standard output that failed */

/* The length of the first character, 0 if it must be escaped. */
static size_t printable(smsp_span text)
{
    for (size_t n = 1; n <= CHARACTER_MAX && n <= text.len; n++)
        if (smsp_text_ok(text.at, n))
            return n;
    return 0;
}

void output_text(FILE *to, smsp_span text, bool escape)
{
    if (!escape) {
        (void)fwrite(text.at, 1, text.len, to);
        return;
    }
    while (text.len > 0) {
        size_t n = printable(text);

        if (n > 0) {
            (void)fwrite(text.at, 1, n, to);
        } else {
            n = 1;
            fprintf(to, "\\x%02x", text.at[0]);
        }
        text.at += n;
        text.len -= n;
    }
}

void output_reply(smsp_span line)
{
    output_text(stdout, line, isatty(STDOUT_FILENO) == 1);
    (void)putchar('\n');
    (void)output_error(); /* main asks for it at the end */
}

int output_error(void)
{
    if (fflush(stdout) != 0 && first_error == 0)
        first_error = errno;
    if (ferror(stdout) && first_error == 0)
        first_error = EIO; /* the reason is no longer known */
    return first_error;
}

void print_error(const char *format, ...)
{
    char words[ERROR_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    fputs("smsp: ", stderr);
    if (line_number > 0)
        fprintf(stderr, "standard input, line %lu: ", line_number);
    output_text(stderr, (smsp_span){(const uint8_t *)words, strlen(words)}, true);
    fputc('\n', stderr);
}

void error_at_line(unsigned long number)
{
    line_number = number;
}
