/* SPDX-License-Identifier: ISC */
/* Reads a password from the terminal without echo. */
#define _GNU_SOURCE /* sigaction, sigset_t */
#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "output.h"
#include "terminal.h"

/* The signals that the terminal sends, and those that usually end a program. */
static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGALRM, SIGPIPE};
#define SIGNALS (sizeof signals / sizeof signals[0])

static volatile sig_atomic_t caught;

static void note_signal(int number)
{
    caught = number;
}

/* Without SA_RESTART: a signal must interrupt read, so that the echo is restored. */
static void catch_signals(struct sigaction *before)
{
    struct sigaction action = {.sa_handler = note_signal};

    (void)sigemptyset(&action.sa_mask);
    caught = 0;
    for (size_t i = 0; i < SIGNALS; i++)
        (void)sigaction(signals[i], &action, &before[i]);
}

static void release_signals(const struct sigaction *before)
{
    for (size_t i = 0; i < SIGNALS; i++)
        (void)sigaction(signals[i], &before[i], NULL);
}

typedef enum { GOT_LINE, GOT_TOO_MUCH, GOT_END, GOT_SIGNAL } got;

static got read_line(int tty, char *out, size_t size, size_t *len)
{
    got what = GOT_LINE;
    char byte = '\0';

    for (*len = 0;;) {
        ssize_t n = caught != 0 ? -1 : read(tty, &byte, 1);

        if (caught != 0)
            return GOT_SIGNAL;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return GOT_END;
        if (byte == '\n' || byte == '\r') /* CR: typed while the terminal was raw */
            return what;
        if (*len < size)
            out[(*len)++] = byte;
        else
            what = GOT_TOO_MUCH;
    }
}

/* Prompts once, with the echo off. A signal is raised again when the terminal has its
 * old settings; after SIGTSTP and SIGCONT the caller prompts again. */
static got ask_once(int tty, const char *prompt, char *out, size_t size, size_t *len)
{
    struct sigaction before[SIGNALS];
    struct termios usual, quiet;
    got what = GOT_END;

    if (tcgetattr(tty, &usual) != 0)
        return GOT_END;
    quiet = usual;
    terminal_set_line_mode(&quiet);
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    catch_signals(before);
    /* Not TCSAFLUSH: it drops what was typed or pasted before the prompt. */
    if (tcsetattr(tty, TCSADRAIN, &quiet) == 0) {
        (void)!write(tty, prompt, strlen(prompt));
        what = read_line(tty, out, size, len);
        (void)!write(tty, "\n", 1);
        (void)tcsetattr(tty, TCSADRAIN, &usual);
    }
    release_signals(before);
    if (caught != 0)
        (void)raise(caught);
    return what;
}

bool password_ask(const char *prompt, char *out, size_t size, size_t *len)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    got what;

    if (tty < 0) {
        print_error("cannot ask for the password: /dev/tty: %s; set SMSP_PASSWORD", strerror(errno));
        return false;
    }
    do
        what = ask_once(tty, prompt, out, size, len);
    while (what == GOT_SIGNAL);
    (void)close(tty);
    if (what == GOT_TOO_MUCH)
        print_error("the password has more than %zu bytes", size);
    else if (what == GOT_END)
        print_error("no password was entered");
    if (what != GOT_LINE)
        explicit_bzero(out, size);
    return what == GOT_LINE;
}
