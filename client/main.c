/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE /* getopt_long */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cookies.h"
#include "edit.h"
#include "interactive.h"
#include "session.h"
#include "show.h"
#include "standard_fds.h"
#include "verbs.h"

#define SECONDS_MAX 3600

static const char usage_line[] = "usage: smsp [-u USER] HOST PORT [COMMAND ...]";

typedef struct options {
    const char *user;
    int timeout; /* milliseconds, 0: the usual */
    bool trace;
    bool help;
    bool version;
} options;

static void print_help(void)
{
    printf("%s\n"
           "A client of the Simple Mail Server Protocol.\n"
           "\n"
           "Without COMMAND it reads commands, from a person or from standard input.\n"
           "With one it carries it out and exits: 0 for OK, 1 for KO, 2 for wrong usage or\n"
           "trouble with the connection.\n"
           "\n"
           "  -u, --user USER    whose session: otherwise SMSP_USER, or with COMMAND the last login\n"
           "  --trace            show each line sent and received\n"
           "  --timeout SECONDS  how long to wait for a connection or a reply (30)\n"
           "  --help             show this\n"
           "  --version          show the version\n"
           "\n"
           "Commands:\n",
           usage_line);
    verbs_help();
    puts("\nSMSP_PASSWORD  the password for COMMAND; otherwise it is asked for\n"
         "XDG_STATE_HOME where cookies are kept, in smsp/ (~/.local/state)");
}

/* A decimal number from 1 to most, nothing else. */
static bool read_number(const char *text, long most, long *number)
{
    char *end = NULL;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *number = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' && *number >= 1 && *number <= most;
}

/* A wrong option, as it was typed. */
static void complain_of_option(int argc, char **argv, const char *what)
{
    const char *word = optind > 0 && optind <= argc ? argv[optind - 1] : "";

    if (optopt != 0 && strncmp(word, "--", 2) != 0)
        complain("%s '-%c'; smsp --help lists the options", what, optopt);
    else
        complain("%s '%s'; smsp --help lists the options", what, word);
}

static bool read_options(int argc, char **argv, options *o)
{
    static const struct option known[] = {
        {"user", required_argument, NULL, 'u'},    {"trace", no_argument, NULL, 't'},
        {"timeout", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},       {NULL, 0, NULL, 0},
    };
    long seconds = 0;
    int option;

    opterr = 0;
    /* "+": the text of a message may hold words with dashes. */
    while ((option = getopt_long(argc, argv, "+:u:h", known, NULL)) != -1) {
        switch (option) {
        case 'u':
            o->user = optarg;
            break;
        case 't':
            o->trace = true;
            break;
        case 's':
            if (!read_number(optarg, SECONDS_MAX, &seconds)) {
                complain("--timeout '%s' is not a number of seconds from 1 to %d", optarg, SECONDS_MAX);
                return false;
            }
            o->timeout = (int)seconds * 1000;
            break;
        case 'h':
            o->help = true;
            break;
        case 'v':
            o->version = true;
            break;
        case ':':
            complain_of_option(argc, argv, "a value is missing after");
            return false;
        default:
            complain_of_option(argc, argv, "unknown option");
            return false;
        }
    }
    return true;
}

/* Whose session it is, and the cookie if it is known. Only for a single command
 * does the last login count: who begins anew says who they are. */
static bool choose_user(session *s, const char *user, bool once)
{
    const char *source = user != NULL ? "-u" : "SMSP_USER";

    if (user == NULL)
        user = getenv("SMSP_USER");
    if (user == NULL || user[0] == '\0') {
        if (once && cookies_last(s))
            (void)!cookies_load(s); /* without one, the command says what is missing */
        return true;
    }
    size_t len = strlen(user);
    if (len > SESSION_USER_MAX || strchr(user, ' ') != NULL || !smsp_text_ok((const uint8_t *)user, len)) {
        complain("%s '%s' is no username", source, user);
        return false;
    }
    memcpy(s->user, user, len + 1);
    (void)!cookies_load(s);
    return true;
}

/* One command, its words joined by spaces. */
static int run_once(session *s, int count, char **words)
{
    static uint8_t line[SESSION_LINE_MAX];
    size_t len = 0;

    for (int i = 0; i < count; i++) {
        size_t word = strlen(words[i]);

        if (word + 1 > sizeof line - len) {
            complain("the command was not sent: it has more than %zu bytes", sizeof line - 1);
            return 2;
        }
        if (i > 0)
            line[len++] = ' ';
        memcpy(line + len, words[i], word);
        len += word;
    }
    switch (verbs_run(s, VERBS_ONCE, (smsp_span){line, len})) {
    case VERBS_OK:
    case VERBS_QUIT:
        return 0;
    case VERBS_KO:
        return 1;
    default:
        return 2;
    }
}

static int run(const options *o, int count, char **words)
{
    static session s;
    long port;
    int status;

    if (count < 2) {
        complain("%s missing; %s", count == 0 ? "HOST and PORT are" : "PORT is", usage_line);
        return 2;
    }
    if (!read_number(words[1], 65535, &port)) {
        complain("port '%s' is not a number from 1 to 65535", words[1]);
        return 2;
    }
    session_init(&s, words[0], words[1]);
    s.trace = o->trace;
    if (o->timeout > 0)
        s.timeout = o->timeout;
    if (!choose_user(&s, o->user, count > 2))
        return 2;
    if (count > 2)
        status = run_once(&s, count - 2, words + 2);
    else
        status = isatty(STDIN_FILENO) == 1 ? interactive_terminal(&s) : interactive_batch(&s);
    session_close(&s);
    return status;
}

int main(int argc, char **argv)
{
    options o = {.user = NULL};
    int status = 0;

    if (!standard_fds_open()) {
        complain("cannot open /dev/null in place of a closed descriptor: %s", strerror(errno));
        return 2;
    }
    if (!read_options(argc, argv, &o))
        return 2;
    if (o.help)
        print_help();
    else if (o.version)
        printf("smsp %s (line input: %s)\n", SMSP_VERSION, edit_kind());
    else
        status = run(&o, argc - optind, argv + optind);
    if (show_error() != 0) {
        complain("cannot write the output: %s", strerror(show_error()));
        return 2;
    }
    return status;
}
