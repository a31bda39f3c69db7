/* SPDX-License-Identifier: ISC */
/* Reads the command line of smspd into struct options. */
#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "secret/permit.h"
#include "sandbox/sandbox.h"
#include "secret/secret.h"
#include "store/store.h"

#define CLIENTS_MAX 16384u /* 2 GiB of address space for slots */
#define SECONDS_MAX 1000000u

static const char usage[] =
    "usage: smspd [options] HOST PORT\n"
    "A server of the Simple Mail Server Protocol. HOST: an address or name of this machine;\n"
    "0.0.0.0 for all IPv4 addresses, :: for all addresses. PORT: 0 picks a free one.\n"
    "\n"
    "      --data DIR            keep everything in DIR; create it if it is missing\n"
    "      --memory              keep everything in memory only (the default)\n"
    "      --check               say whether DIR is sound, and end; no HOST, no PORT\n"
    "      --max-clients N       maximum number of clients (512)\n"
    "      --max-accounts N      maximum number of accounts (100000)\n"
    "      --max-messages N      maximum number of messages in IMQ and mailboxes (1000000)\n"
    "      --max-text BYTES      memory for the text of messages (268435456)\n"
    "      --max-mailbox N       maximum number of messages in one mailbox (100000)\n"
    "      --framing HOW         auto: accept requests without a terminator too (default);\n"
    "                            terminated: only with one; course: as auto, and end the\n"
    "                            replies to requests without one with NUL\n"
    "      --max-clients-per-address N\n"
    "                            maximum number of clients from one address (no limit)\n"
    "      --max-hashing N       maximum number of passwords hashed at a time (2)\n"
    "      --request-timeout S   seconds for a request to arrive, or replies to be read (30)\n"
    "      --idle-timeout S      seconds without a request (600)\n"
    "      --password-cost HOW   full: Argon2id with 19 MiB (default); test: almost no cost\n"
    "      --user NAME           started by root: become this user (the owner of DIR; smspd;\n"
    "                            nobody)\n"
    "      --no-dump             DUMP prints counts only\n"
    "      --no-sandbox          do not confine the processes\n"
    "      --shared-mailboxes    let any session open any mailbox\n"
    "  -h, --help                this text\n"
    "  -V, --version             the version, and which parts are built in\n"
    "\n"
    "DUMP prints on standard output, the log goes to standard error. SIGTERM, SIGINT\n"
    "and SIGHUP end the server. Exit status: 0 ended by a signal, 1 could not\n"
    "start or continue, 2 wrong usage.\n";

enum {
    MEMORY = 256,
    DATA,
    CHECK,
    CLIENTS,
    ACCOUNTS,
    MESSAGES,
    TEXT,
    MAILBOX,
    FRAMING,
    PER_ADDRESS,
    HASHING,
    REQUEST_TIMEOUT,
    IDLE_TIMEOUT,
    COST,
    NO_DUMP,
    NO_SANDBOX,
    SHARED,
    USER
};

static const struct option known[] = {
    {"memory", no_argument, NULL, MEMORY},
    {"data", required_argument, NULL, DATA},
    {"check", no_argument, NULL, CHECK},
    {"max-clients", required_argument, NULL, CLIENTS},
    {"max-accounts", required_argument, NULL, ACCOUNTS},
    {"max-messages", required_argument, NULL, MESSAGES},
    {"max-text", required_argument, NULL, TEXT},
    {"max-mailbox", required_argument, NULL, MAILBOX},
    {"framing", required_argument, NULL, FRAMING},
    {"max-clients-per-address", required_argument, NULL, PER_ADDRESS},
    {"max-hashing", required_argument, NULL, HASHING},
    {"request-timeout", required_argument, NULL, REQUEST_TIMEOUT},
    {"idle-timeout", required_argument, NULL, IDLE_TIMEOUT},
    {"password-cost", required_argument, NULL, COST},
    {"no-dump", no_argument, NULL, NO_DUMP},
    {"no-sandbox", no_argument, NULL, NO_SANDBOX},
    {"shared-mailboxes", no_argument, NULL, SHARED},
    {"user", required_argument, NULL, USER},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

static bool wrong(const char *option, const char *value, const char *want)
{
    log_line("--%s %s: want %s; see smspd --help", option, value, want);
    return false;
}

/* Reads a number from 1 to most: digits only, without a leading zero. */
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

static bool read_cost(const char *text, bool *test)
{
    *test = strcmp(text, "test") == 0;
    if (*test || strcmp(text, "full") == 0)
        return true;
    return wrong("password-cost", text, "full or test");
}

static bool read_name(const char *option, const char *text, const char *of, const char **out)
{
    *out = text;
    return text[0] != '\0' || wrong(option, text, of);
}

static options_result print_version(void)
{
    printf("smspd %s\nstore: %s\nsecrets: %s\nsandbox: %s\n", SMSP_VERSION, store_about(), secret_about(),
           sandbox_about());
    return OPTIONS_DONE;
}

/* An option without a value. */
static bool take_flag(int option, server_options *out)
{
    switch (option) {
    case MEMORY:
        out->data = NULL;
        return true;
    case CHECK:
        return out->check = true;
    case NO_DUMP:
        return out->no_dump = true;
    case NO_SANDBOX:
        return out->no_sandbox = true;
    case SHARED:
        return out->shared_mailboxes = true;
    default:
        return false;
    }
}

/* Applies one option. False: it is wrong, which is logged. */
static bool take(int option, const char *name, const char *value, server_options *out)
{
    switch (option) {
    case DATA:
        return read_name(name, value, "the name of a directory", &out->data);
    case USER:
        return read_name(name, value, "a user", &out->user);
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
    case PER_ADDRESS:
        return read_number32(name, value, CLIENTS_MAX, &out->max_per_address);
    case HASHING:
        return read_number32(name, value, PERMITS_MAX, &out->max_hashing);
    case REQUEST_TIMEOUT:
        return read_number32(name, value, SECONDS_MAX, &out->request_seconds);
    case IDLE_TIMEOUT:
        return read_number32(name, value, SECONDS_MAX, &out->idle_seconds);
    case COST:
        return read_cost(value, &out->test_cost);
    default:
        return take_flag(option, out);
    }
}

/* getopt's own message would contain the path of the program. optopt is the letter of a
 * short option, the number of a known long one, or 0. */
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

static bool read_port(const char *text, const char **out)
{
    size_t digits = strspn(text, "0123456789");

    *out = text;
    if (digits > 0 && text[digits] == '\0' && (digits < 5 || (digits == 5 && strcmp(text, "65535") <= 0)))
        return true;
    log_line("port %s: want a number from 0 to 65535; see smspd --help", text);
    return false;
}

/* Checks that need all options; words: the arguments that are not options. */
static bool fits_together(const server_options *options, int words)
{
    int wanted = options->check ? 0 : 2;

    if (words != wanted)
        log_line("want %s, got %d words; see smspd --help",
                 wanted == 2 ? "HOST and PORT" : "no words with --check", words);
    else if (options->check && options->data == NULL)
        log_line("--check: say with --data DIR what to check; see smspd --help");
    else if (smsp_state_size(&options->limits) == 0)
        log_line(
            "--max-accounts, --max-messages, --max-text: too large together for any state, or less text than "
            "one block of 64 bytes");
    else
        return true;
    return false;
}

options_result options_read(int argc, char **argv, server_options *out)
{
    int option;
    int which = 0;

    *out = (server_options){.limits = smsp_limits_default(),
                            .max_clients = 512,
                            .data_lock = -1,
                            .max_hashing = 2,
                            .request_seconds = 30,
                            .idle_seconds = 600};
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
    if (!fits_together(out, argc - optind))
        return OPTIONS_WRONG;
    out->host = argv[optind];
    return out->check || read_port(argv[optind + 1], &out->port) ? OPTIONS_RUN : OPTIONS_WRONG;
}
