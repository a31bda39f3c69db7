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
    "Plays many clients against a server and checks every reply.\n"
    "\n"
    "  -c, --clients N      clients at a time (16)\n"
    "  -d, --depth N        requests that a client has under way, 1 to 1024 (1)\n"
    "  -n, --requests N     stop after so many requests in all\n"
    "  -t, --time SECONDS   stop after so long (5)\n"
    "  -w, --warmup SECONDS run so long before counting (0)\n"
    "  -s, --size BYTES     of a message, 16 to 4096 (64)\n"
    "  -m, --mix NAME       cycle: MESSAGE STORE COUNT GETMSG DELMSG (default); job: the same\n"
    "                       without COUNT; send: MESSAGE STORE; fetch: COUNT GETMSG DELMSG of\n"
    "                       mailboxes filled before (needs -n); count; login; connect: a new\n"
    "                       connection for each request. Other protocols: job; echo: echo, connect\n"
    "  -a, --accounts N     that the clients share in turn (one for each client)\n"
    "  -r, --rate N         requests a second in all; latency then counts from when a request\n"
    "                       was due, not from when it could be sent\n"
    "  -p, --protocol NAME  smsp (default), redis, beanstalkd, echo\n"
    "      --cookies FILE   keep the sessions in this file, so that the next run needs no logins\n"
    "      --seed N         names accounts and keys (1)\n"
    "  -j, --json           print one JSON object\n"
    "  -q, --quiet          no progress\n"
    "  -h, --help           this text\n"
    "  -V, --version        the version\n"
    "\n"
    "Exit status: 0 all replies right, 1 some wrong, 2 usage or connection trouble, 130 ended\n"
    "by Ctrl-C: then the rounds under way are finished and what was counted is reported.\n";

static const struct option long_options[] = {
    {"clients", required_argument, NULL, 'c'}, {"depth", required_argument, NULL, 'd'},
    {"requests", required_argument, NULL, 'n'}, {"time", required_argument, NULL, 't'},
    {"warmup", required_argument, NULL, 'w'},  {"size", required_argument, NULL, 's'},
    {"mix", required_argument, NULL, 'm'},     {"accounts", required_argument, NULL, 'a'},
    {"rate", required_argument, NULL, 'r'},    {"protocol", required_argument, NULL, 'p'},
    {"seed", required_argument, NULL, 'S'},    {"json", no_argument, NULL, 'j'},
    {"cookies", required_argument, NULL, 'C'},
    {"quiet", no_argument, NULL, 'q'},         {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},       {NULL, 0, NULL, 0},
};

/* A number of the option from least to most; ends the program if it is none. */
static double number(const char *option, const char *text, double least, double most, bool whole)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= least && value <= most) || (whole && value != floor(value))) {
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
    fprintf(stderr, "smsp-load: --protocol %s: there are smsp, redis, beanstalkd, echo\n", name);
    exit(2);
}

/* Has all output been written? False after one line on standard error. */
static bool written(void)
{
    if (fflush(stdout) == 0)
        return true;
    fprintf(stderr, "smsp-load: cannot write the output: %s\n", strerror(errno));
    return false;
}

static void take_option(load_options *o, int option)
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
        exit(written() ? 0 : 2);
    case 'V':
        puts("smsp-load " SMSP_VERSION);
        exit(written() ? 0 : 2);
    default: /* getopt has said what is wrong */
        fputs("smsp-load: see smsp-load --help\n", stderr);
        exit(2);
    }
}

static noreturn void misuse(const char *what)
{
    fprintf(stderr, "smsp-load: %s\n", what);
    exit(2);
}

/* What follows from the options together. */
static void settle_options(load_options *o)
{
    if (o->mix == NULL)
        o->mix = o->protocol->mix;
    if (o->accounts == 0)
        o->accounts = o->clients;
    o->reconnect = strcmp(o->mix, "connect") == 0;
    if (o->reconnect)
        o->depth = 1;
    if (o->accounts < o->clients && o->protocol != &load_smsp)
        misuse("--accounts: clients share accounts with --protocol smsp only; leave it out");
    if (o->accounts > o->clients)
        misuse("--accounts: give at most as many as --clients");
    if (strcmp(o->mix, "fetch") == 0 && o->requests == 0)
        misuse("--mix fetch: give --requests too, so that mailboxes can be filled before");
    if (o->requests > 0 && (o->warmup > 0 || o->rate > 0))
        misuse("--requests: goes with neither --warmup nor --rate; give --time instead");
}

static load_options read_options(int argc, char **argv)
{
    load_options o = {.protocol = &load_smsp, .clients = 16, .depth = 1, .seconds = 5, .size = 64, .seed = 1};
    int option;

    while ((option = getopt_long(argc, argv, "c:d:n:t:w:s:m:a:r:p:jqhV", long_options, NULL)) != -1)
        take_option(&o, option);
    if (argc - optind != 2)
        misuse("give HOST and PORT; see smsp-load --help");
    o.host = argv[optind];
    o.port = argv[optind + 1];
    settle_options(&o);
    return o;
}

static double micro(uint64_t nanoseconds)
{
    return (double)nanoseconds / 1000;
}

static void report_text(const load_options *o, const load_totals *t)
{
    const histogram *h = &t->latency;

    printf("%s, %s, %u clients, depth %u, %zu bytes\n", o->protocol->name, o->mix, o->clients, o->depth, o->size);
    printf("%" PRIu64 " requests in %.2f s: %.0f requests/s, %.0f rounds/s, %" PRIu64 " wrong\n", t->requests,
           t->seconds, (double)t->requests / t->seconds, (double)t->rounds / t->seconds, t->wrong);
    printf("latency in microseconds: least %.1f, median %.1f, 90%% %.1f, 99%% %.1f, 99.9%% %.1f, most %.1f\n",
           micro(h->least), micro(histogram_quantile(h, 0.5)), micro(histogram_quantile(h, 0.9)),
           micro(histogram_quantile(h, 0.99)), micro(histogram_quantile(h, 0.999)), micro(h->most));
    if (t->unsent > 0)
        printf("%" PRIu64 " requests were due and never sent: the server takes less than --rate %g\n", t->unsent,
               o->rate);
}

static void report_json(const load_options *o, const load_totals *t)
{
    const histogram *h = &t->latency;

    printf("{\"protocol\": \"%s\", \"mix\": \"%s\", \"clients\": %u, \"depth\": %u, \"size\": %zu, "
           "\"rate\": %.1f, \"requests\": %" PRIu64 ", \"rounds\": %" PRIu64 ", \"wrong\": %" PRIu64
           ", \"unsent\": %" PRIu64 ", \"seconds\": %.6f, \"requests_per_second\": %.1f, \"rounds_per_second\": %.1f, ",
           o->protocol->name, o->mix, o->clients, o->depth, o->size, o->rate, t->requests, t->rounds, t->wrong,
           t->unsent, t->seconds, (double)t->requests / t->seconds, (double)t->rounds / t->seconds);
    printf("\"latency_us\": {\"least\": %.3f, \"median\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"p999\": %.3f, "
           "\"most\": %.3f, \"mean\": %.3f}}\n",
           micro(h->least), micro(histogram_quantile(h, 0.5)), micro(histogram_quantile(h, 0.9)),
           micro(histogram_quantile(h, 0.99)), micro(histogram_quantile(h, 0.999)), micro(h->most),
           h->count > 0 ? micro(h->sum) / (double)h->count : 0);
}

/* After the report; gives back the exit status. */
static int conclude(const load_totals *t)
{
    if (t->wrong > 0)
        fprintf(stderr, "smsp-load: the first wrong reply: %s\n", t->complaint);
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
        fprintf(stderr, "smsp-load: cannot open /dev/null in place of a closed descriptor: %s\n", strerror(errno));
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
    int status = conclude(&totals);
    return written() ? status : 2;
}
