/* SPDX-License-Identifier: ISC */
#include "show.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#define COMPLAINT_MAX 1024u
#define CHARACTER_MAX 4u /* bytes of one in UTF-8 */

static unsigned long line_number;
static int output_error; /* of the first write to standard output that failed */

/* The bytes of the character at the front, 0 if a terminal should not see it. */
static size_t printable(smsp_span text)
{
    for (size_t n = 1; n <= CHARACTER_MAX && n <= text.len; n++)
        if (smsp_text_ok(text.at, n))
            return n;
    return 0;
}

void show_text(FILE *to, smsp_span text, bool harmless)
{
    if (!harmless) {
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

void show_reply(smsp_span line)
{
    show_text(stdout, line, isatty(STDOUT_FILENO) == 1);
    (void)putchar('\n');
    (void)show_error(); /* main asks for it at the end */
}

int show_error(void)
{
    if (fflush(stdout) != 0 && output_error == 0)
        output_error = errno;
    if (ferror(stdout) && output_error == 0)
        output_error = EIO; /* glibc has dropped the bytes, and with them the reason */
    return output_error;
}

void complain(const char *format, ...)
{
    char words[COMPLAINT_MAX];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    fputs("smsp: ", stderr);
    if (line_number > 0)
        fprintf(stderr, "standard input, line %lu: ", line_number);
    show_text(stderr, (smsp_span){(const uint8_t *)words, strlen(words)}, true);
    fputc('\n', stderr);
}

void complain_at_line(unsigned long number)
{
    line_number = number;
}
