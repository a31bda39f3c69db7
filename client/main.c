/* SPDX-License-Identifier: ISC */
/* smsp, a client of the Simple Mail Server Protocol: options and modes. */
#define _GNU_SOURCE /* getopt_long */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "cookies.h"
#include "edit.h"
#include "interactive.h"
#include "output.h"
#include "session.h"
#include "standard_fds.h"

#define SECONDS_MAX 3600

static const char usage_line[] = "usage: smsp [-u USER] HOST PORT [COMMAND ...]";

typedef struct options {
    const char *user;
    int timeout; /* milliseconds; 0: the default */
    bool trace;
    bool help;
    bool version;
} options;

static void print_help(void)
{
    printf("%s\n"
           "A client of the Simple Mail Server Protocol.\n"
           "\n"
           "With COMMAND, smsp executes it and exits. Without, it reads commands from the\n"
           "terminal or from standard input. Exit status: 0 for OK, 1 for KO, 2 for wrong\n"
           "usage, a connection that fails or an invalid reply.\n"
           "\n"
           "  -u, --user USER    use the session of USER (default: SMSP_USER; for a single\n"
           "                     COMMAND, otherwise the user of the last login)\n"
           "  --trace            print each line sent and received on standard error\n"
           "  --timeout SECONDS  for connecting and for each reply (default: 30)\n"
           "  -h, --help         print this help\n"
           "  --version          print the version\n"
           "\n"
           "Commands:\n",
           usage_line);
    commands_help();
    puts("\nEnvironment:\n"
         "  SMSP_PASSWORD      the password for COMMAND; without it, smsp asks\n"
         "  SMSP_USER          the default of --user\n"
         "  XDG_STATE_HOME     smsp stores cookies in $XDG_STATE_HOME/smsp\n"
         "                     (default: ~/.local/state/smsp)");
}

/* Parses a decimal number from 1 to most. */
static bool read_number(const char *text, long most, long *number)
{
    char *end = NULL;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *number = strtol(text, &end, 10);
    return errno == 0 && *end == '\0' && *number >= 1 && *number <= most;
}

/* Prints what is wrong with an option, as it was typed. */
static void option_error(char **argv, const char *what)
{
    const char *word = argv[optind - 1];

    if (optopt != 0 && strncmp(word, "--", 2) != 0)
        print_error("%s '-%c'; smsp --help lists the options", what, optopt);
    else
        print_error("%s '%s'; smsp --help lists the options", what, word);
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
    /* "+": stop at HOST, since a message may contain words that begin with '-'. */
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
                print_error("--timeout '%s' is not a number of seconds from 1 to %d", optarg, SECONDS_MAX);
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
            option_error(argv, "a value is missing after option");
            return false;
        default:
            option_error(argv, "unknown option");
            return false;
        }
    }
    return true;
}

/* Sets the user, and loads the cookie if there is one. The last login is the default
 * for a single command only: a new series of commands begins with its own login. */
static bool choose_user(session *s, const char *user, bool once)
{
    const char *source = user != NULL ? "-u" : "SMSP_USER";

    if (user == NULL)
        user = getenv("SMSP_USER");
    if (user == NULL || user[0] == '\0') {
        if (once && cookies_load_last_user(s))
            (void)!cookies_load(s); /* without a cookie the command prints an error */
        return true;
    }
    size_t len = strlen(user);
    if (len > SESSION_USER_MAX || strchr(user, ' ') != NULL || !smsp_text_ok((const uint8_t *)user, len)) {
        print_error("%s '%s' is not a valid username", source, user);
        return false;
    }
    memcpy(s->user, user, len + 1);
    (void)!cookies_load(s);
    return true;
}

/* Executes one command: its words joined by spaces. */
static int run_once(session *s, int count, char **words)
{
    static uint8_t line[SESSION_LINE_MAX];
    size_t len = 0;

    for (int i = 0; i < count; i++) {
        size_t word = strlen(words[i]);

        if (word + 1 > sizeof line - len) {
            print_error("the command was not sent: it has more than %zu bytes", sizeof line - 1);
            return 2;
        }
        if (i > 0)
            line[len++] = ' ';
        memcpy(line + len, words[i], word);
        len += word;
    }
    switch (commands_run(s, COMMAND_ONCE, (smsp_span){line, len})) {
    case COMMAND_OK:
    case COMMAND_QUIT:
        return 0;
    case COMMAND_KO:
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
        print_error("%s missing; %s", count == 0 ? "HOST and PORT are" : "PORT is", usage_line);
        return 2;
    }
    if (!read_number(words[1], 65535, &port)) {
        print_error("port '%s' is not a number from 1 to 65535", words[1]);
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
        print_error("cannot open /dev/null in place of a closed descriptor: %s", strerror(errno));
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
    if (output_error() != 0) {
        print_error("cannot write the output: %s", strerror(output_error()));
        return 2;
    }
    return status;
}
