/* SPDX-License-Identifier: ISC */
/* smsp-load: reads the options, runs the load and prints the report. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>

#include "../standard_fds.h"
#include "load.h"
#include "smsp.h"

static const load_protocol *const protocols[] = {&load_smsp, &load_redis, &load_beanstalk, &load_echo};

static const char usage[] =
    "usage: smsp-load [options] HOST PORT\n"
    "Measures a mail server with many clients and checks every reply.\n"
    "\n"
    "  -c, --clients N      simultaneous clients (default: 16)\n"
    "  -d, --depth N        requests in flight for each client, 1 to 1024 (default: 1)\n"
    "  -n, --requests N     stop after N requests of all clients together\n"
    "  -t, --time SECONDS   stop after this time (default: 5)\n"
    "  -w, --warmup SECONDS do not count the first seconds (default: 0)\n"
    "  -s, --size BYTES     size of a message, 16 to 4096 (default: 64)\n"
    "  -m, --mix NAME       the requests of a round:\n"
    "                         cycle    MESSAGE STORE COUNT GETMSG DELMSG (default)\n"
    "                         job      MESSAGE STORE GETMSG DELMSG\n"
    "                         send     MESSAGE STORE\n"
    "                         fetch    COUNT GETMSG DELMSG of filled mailboxes; needs -n\n"
    "                         count    COUNT\n"
    "                         login    LOGIN\n"
    "                         connect  connect, COUNT, disconnect\n"
    "                       redis and beanstalkd: job only; echo: echo, connect\n"
    "  -a, --accounts N     accounts that the clients share (default: one each)\n"
    "  -r, --rate N         send N requests a second in all; latency then begins when\n"
    "                       a request was due\n"
    "  -p, --protocol NAME  smsp (default), redis, beanstalkd, echo\n"
    "      --cookies FILE   store the sessions in FILE; the next run needs no logins\n"
    "      --seed N         part of the names of accounts and keys (default: 1)\n"
    "  -j, --json           print one JSON object\n"
    "  -q, --quiet          do not show progress\n"
    "  -h, --help           print this help\n"
    "  -V, --version        print the version\n"
    "\n"
    "Exit status: 0 all replies correct, 1 some wrong, 2 wrong usage, failed connection or\n"
    "output that cannot be written, 130 ended by Ctrl-C.\n";

static const struct option long_options[] = {
    {"clients", required_argument, NULL, 'c'},
    {"depth", required_argument, NULL, 'd'},
    {"requests", required_argument, NULL, 'n'},
    {"time", required_argument, NULL, 't'},
    {"warmup", required_argument, NULL, 'w'},
    {"size", required_argument, NULL, 's'},
    {"mix", required_argument, NULL, 'm'},
    {"accounts", required_argument, NULL, 'a'},
    {"rate", required_argument, NULL, 'r'},
    {"protocol", required_argument, NULL, 'p'},
    {"seed", required_argument, NULL, 'S'},
    {"json", no_argument, NULL, 'j'},
    {"cookies", required_argument, NULL, 'C'},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

/* Parses the value of an option; ends the program if it is not from least to most. */
static double number(const char *option, const char *text, double least, double most, bool whole)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= least && value <= most) ||
        (whole && value != floor(value))) {
        fprintf(stderr, "smsp-load: %s %s: give %s from %g to %g\n", option, text,
                whole ? "a whole number" : "a number", least, most);
        exit(2);
    }
    return value;
}

static const load_protocol *protocol_named(const char *name)
{
    for (size_t i = 0; i < sizeof protocols / sizeof protocols[0]; i++)
        if (strcmp(protocols[i]->name, name) == 0)
            return protocols[i];
    fprintf(stderr, "smsp-load: --protocol %s: choose smsp, redis, beanstalkd or echo\n", name);
    exit(2);
}

/* Flushes standard output. False, with an error printed: it cannot be written. */
static bool flush_output(void)
{
    if (fflush(stdout) == 0)
        return true;
    fprintf(stderr, "smsp-load: cannot write the output: %s\n", strerror(errno));
    return false;
}

static void set_option(load_options *o, int option)
{
    switch (option) {
    case 'c':
        o->clients = (unsigned)number("--clients", optarg, 1, 10000, true);
        break;
    case 'd':
        o->depth = (unsigned)number("--depth", optarg, 1, LOAD_DEPTH_MAX, true);
        break;
    case 'n':
        o->requests = (uint64_t)number("--requests", optarg, 1, 1e15, true);
        break;
    case 't':
        o->seconds = number("--time", optarg, 0.01, 86400, false);
        break;
    case 'w':
        o->warmup = number("--warmup", optarg, 0, 86400, false);
        break;
    case 's':
        o->size = (size_t)number("--size", optarg, LOAD_TEXT_MIN, LOAD_TEXT_MAX, true);
        break;
    case 'm':
        o->mix = optarg;
        break;
    case 'a':
        o->accounts = (unsigned)number("--accounts", optarg, 1, 10000, true);
        break;
    case 'r':
        o->rate = number("--rate", optarg, 0.1, 1e9, false);
        break;
    case 'p':
        o->protocol = protocol_named(optarg);
        break;
    case 'C':
        o->cookies = optarg;
        break;
    case 'S':
        o->seed = (uint64_t)number("--seed", optarg, 0, 1e9, true);
        break;
    case 'j':
        o->json = true;
        break;
    case 'q':
        o->quiet = true;
        break;
    case 'h':
        fputs(usage, stdout);
        exit(flush_output() ? 0 : 2);
    case 'V':
        puts("smsp-load " SMSP_VERSION);
        exit(flush_output() ? 0 : 2);
    default:
        break;
    }
}

static noreturn void usage_error(const char *what)
{
    fprintf(stderr, "smsp-load: %s\n", what);
    exit(2);
}

static noreturn void wrong_option(char **argv, int option)
{
    const char *what = option == ':' ? "a value is missing after option" : "unknown option";
    const char *word = argv[optind - 1];

    if (optopt != 0 && strncmp(word, "--", 2) != 0)
        fprintf(stderr, "smsp-load: %s '-%c'; smsp-load --help lists the options\n", what, optopt);
    else
        fprintf(stderr, "smsp-load: %s '%s'; smsp-load --help lists the options\n", what, word);
    exit(2);
}

/* Sets defaults that depend on other options, and checks combinations. */
static void complete_options(load_options *o)
{
    if (o->mix == NULL)
        o->mix = o->protocol->mix;
    if (o->accounts == 0)
        o->accounts = o->clients;
    o->reconnect = strcmp(o->mix, "connect") == 0;
    if (o->reconnect)
        o->depth = 1;
    if (o->accounts < o->clients && o->protocol != &load_smsp)
        usage_error("--accounts: clients share accounts with --protocol smsp only; leave it out");
    if (o->accounts > o->clients)
        usage_error("--accounts: give at most as many as --clients");
    if (strcmp(o->mix, "fetch") == 0 && o->requests == 0)
        usage_error("--mix fetch: give --requests too, so that mailboxes can be filled before");
    if (o->requests > 0 && (o->warmup > 0 || o->rate > 0))
        usage_error("--requests: cannot be combined with --warmup or --rate; give --time instead");
}

static load_options read_options(int argc, char **argv)
{
    load_options o = {.protocol = &load_smsp, .clients = 16, .depth = 1, .seconds = 5, .size = 64, .seed = 1};
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":c:d:n:t:w:s:m:a:r:p:jqhV", long_options, NULL)) != -1) {
        if (option == '?' || option == ':')
            wrong_option(argv, option);
        set_option(&o, option);
    }
    if (argc - optind != 2)
        usage_error("give HOST and PORT; smsp-load --help lists the options");
    o.host = argv[optind];
    o.port = argv[optind + 1];
    complete_options(&o);
    return o;
}

static double micro(uint64_t nanoseconds)
{
    return (double)nanoseconds / 1000;
}

static void report_text(const load_options *o, const load_totals *t)
{
    const histogram *h = &t->latency;

    printf("%s, %s, %u clients, depth %u, %zu bytes\n", o->protocol->name, o->mix, o->clients, o->depth,
           o->size);
    printf("%" PRIu64 " requests in %.2f s: %.0f requests/s, %.0f rounds/s, %" PRIu64 " wrong\n", t->requests,
           t->seconds, (double)t->requests / t->seconds, (double)t->rounds / t->seconds, t->wrong);
    printf("latency in microseconds: least %.1f, median %.1f, 90%% %.1f, 99%% %.1f, 99.9%% %.1f, most %.1f\n",
           micro(h->least), micro(histogram_quantile(h, 0.5)), micro(histogram_quantile(h, 0.9)),
           micro(histogram_quantile(h, 0.99)), micro(histogram_quantile(h, 0.999)), micro(h->most));
    if (t->unsent > 0)
        printf("%" PRIu64 " requests were due but not sent: the server is slower than --rate %g\n", t->unsent,
               o->rate);
}

static void report_json(const load_options *o, const load_totals *t)
{
    const histogram *h = &t->latency;

    printf("{\"protocol\": \"%s\", \"mix\": \"%s\", \"clients\": %u, \"depth\": %u, \"size\": %zu, "
           "\"rate\": %.1f, \"requests\": %" PRIu64 ", \"rounds\": %" PRIu64 ", \"wrong\": %" PRIu64
           ", \"unsent\": %" PRIu64
           ", \"seconds\": %.6f, \"requests_per_second\": %.1f, \"rounds_per_second\": %.1f, ",
           o->protocol->name, o->mix, o->clients, o->depth, o->size, o->rate, t->requests, t->rounds,
           t->wrong, t->unsent, t->seconds, (double)t->requests / t->seconds, (double)t->rounds / t->seconds);
    printf(
        "\"latency_us\": {\"least\": %.3f, \"median\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"p999\": %.3f, "
        "\"most\": %.3f, \"mean\": %.3f}}\n",
        micro(h->least), micro(histogram_quantile(h, 0.5)), micro(histogram_quantile(h, 0.9)),
        micro(histogram_quantile(h, 0.99)), micro(histogram_quantile(h, 0.999)), micro(h->most),
        h->count > 0 ? micro(h->sum) / (double)h->count : 0);
}

/* Prints errors after the report. Returns the exit status. */
static int report_errors(const load_totals *t)
{
    if (t->wrong > 0)
        fprintf(stderr, "smsp-load: the first wrong reply: %s\n", t->first_wrong);
    if (t->stopped)
        fprintf(stderr, "smsp-load: ended by Ctrl-C after %.2f s of counting\n", t->seconds);
    if (t->wrong > 0)
        return 1;
    return t->stopped ? 130 : 0;
}

int main(int argc, char **argv)
{
    static load_totals totals;

    if (!standard_fds_open()) {
        fprintf(stderr, "smsp-load: cannot open /dev/null in place of a closed descriptor: %s\n",
                strerror(errno));
        return 2;
    }
    load_options options = read_options(argc, argv);

    if (!load_run(&options, &totals))
        return 2;
    if (totals.requests == 0) {
        fprintf(stderr, "smsp-load: no request was counted; run longer than the warm-up\n");
        return totals.stopped ? 130 : 2;
    }
    if (options.json)
        report_json(&options, &totals);
    else
        report_text(&options, &totals);
    int status = report_errors(&totals);
    return flush_output() ? status : 2;
}
