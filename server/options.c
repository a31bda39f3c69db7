#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "sandbox.h"
#include "secret.h"
#include "store.h"

#define CLIENTS_MAX 16384u /* slots are addresses set aside: half a GiB of them */

static const char usage[] =
    "usage: smspd [options] HOST PORT\n"
    "The Simple Mail Server Protocol. HOST: the address or name to listen on (0.0.0.0\n"
    "and :: are all of them); PORT: 0 picks a free one.\n"
    "\n"
    "      --memory              keep everything in memory only (the default)\n"
    "      --max-clients N       clients at a time (512)\n"
    "      --max-accounts N      accounts (100000)\n"
    "      --max-messages N      messages waiting in all (1000000)\n"
    "      --max-text BYTES      memory for their text (268435456)\n"
    "      --max-mailbox N       messages in one mailbox (100000)\n"
    "      --framing HOW         auto: take requests without a terminator too (default);\n"
    "                            terminated: do not; course: do, and end the replies to\n"
    "                            them with NUL\n"
    "      --shared-mailboxes    let any session open any mailbox\n"
    "  -h, --help                this text\n"
    "  -V, --version             the version, and which parts are built in\n"
    "\n"
    "DUMP prints on standard output, the log goes to standard error. SIGTERM and SIGINT\n"
    "end the server. Exit status: 0 ended so, 1 could not start or go on, 2 usage.\n";

enum { MEMORY = 256, CLIENTS, ACCOUNTS, MESSAGES, TEXT, MAILBOX, FRAMING, SHARED };

static const struct option known[] = {
    {"memory", no_argument, NULL, MEMORY},
    {"max-clients", required_argument, NULL, CLIENTS},
    {"max-accounts", required_argument, NULL, ACCOUNTS},
    {"max-messages", required_argument, NULL, MESSAGES},
    {"max-text", required_argument, NULL, TEXT},
    {"max-mailbox", required_argument, NULL, MAILBOX},
    {"framing", required_argument, NULL, FRAMING},
    {"shared-mailboxes", no_argument, NULL, SHARED},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static bool wrong(const char *option, const char *value, const char *want)
{
    log_line("--%s %s: want %s; see smspd --help", option, value, want);
    return false;
}

/* Digits only, no sign, no space, no zeros in front, 1 to most. */
static bool read_number(const char *option, const char *text, uint64_t most, uint64_t *number)
{
    char want[64];
    char *end = NULL;
    size_t digits = strspn(text, "0123456789");

    (void)snprintf(want, sizeof want, "a number from 1 to %llu", (unsigned long long)most);
    if (digits == 0 || text[digits] != '\0' || text[0] == '0')
        return wrong(option, text, want);
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || value > most)
        return wrong(option, text, want);
    *number = value;
    return true;
}

static bool read_number32(const char *option, const char *text, uint32_t most, uint32_t *number)
{
    uint64_t value;

    if (!read_number(option, text, most, &value))
        return false;
    *number = (uint32_t)value;
    return true;
}

static bool read_framing(const char *text, framing_mode *out)
{
    static const char *const names[] = {"auto", "terminated", "course"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (framing_mode)i;
            return true;
        }
    }
    return wrong("framing", text, "auto, terminated or course");
}

static options_result print_version(void)
{
    printf("smspd %s\nstore: %s\nsecrets: %s\nsandbox: %s\n", SMSP_VERSION, store_about(), secret_about(),
           sandbox_about());
    return OPTIONS_DONE;
}

/* One option; the result says whether it was all right. */
static bool take(int option, const char *name, const char *value, server_options *out)
{
    switch (option) {
    case MEMORY:
        return true;
    case CLIENTS:
        return read_number32(name, value, CLIENTS_MAX, &out->max_clients);
    case ACCOUNTS:
        return read_number32(name, value, UINT32_MAX - 1, &out->limits.accounts);
    case MESSAGES:
        return read_number32(name, value, UINT32_MAX - 1, &out->limits.messages);
    case TEXT:
        return read_number(name, value, UINT64_MAX / 4, &out->limits.text);
    case MAILBOX:
        return read_number32(name, value, UINT32_MAX - 1, &out->limits.mailbox);
    case FRAMING:
        return read_framing(value, &out->framing);
    case SHARED:
        out->shared_mailboxes = true;
        return true;
    default:
        return false;
    }
}

/* getopt's own complaint would take the program's path for its name. It leaves in
 * optopt the letter of a short option, the number of a known long one, or 0. */
static options_result complain(int option, char **argv)
{
    const char letter[] = {'-', (char)optopt, '\0'};
    const char *what = optopt > 0 && optopt < MEMORY ? letter : argv[optind - 1];

    if (option == ':')
        log_line("%s: its value is missing; see smspd --help", what);
    else if (optopt >= MEMORY)
        log_line("%s: it takes no value; see smspd --help", what);
    else
        log_line("%s: no such option; see smspd --help", what);
    return OPTIONS_WRONG;
}

options_result options_read(int argc, char **argv, server_options *out)
{
    int option;
    int which = 0;

    *out = (server_options){.limits = smsp_limits_default(), .max_clients = 512};
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":hV", known, &which)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return OPTIONS_DONE;
        }
        if (option == 'V')
            return print_version();
        if (option == '?' || option == ':')
            return complain(option, argv);
        if (!take(option, known[which].name, optarg, out))
            return OPTIONS_WRONG;
    }
    if (argc - optind != 2) {
        log_line("want HOST and PORT, got %d words; see smspd --help", argc - optind);
        return OPTIONS_WRONG;
    }
    if (smsp_state_size(&out->limits) == 0) {
        log_line("--max-accounts, --max-messages, --max-text: too large together for any state");
        return OPTIONS_WRONG;
    }
    out->host = argv[optind];
    out->port = argv[optind + 1];
    return OPTIONS_RUN;
}
