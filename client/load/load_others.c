/* SPDX-License-Identifier: ISC */
/* The protocols of Redis and beanstalkd, for comparison: a message is added, read and
 * removed. And of an echo server, which shows the time that the kernel takes alone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum { PUT, LOOK, REMOVE, STEPS };

static bool check_mix(const load_client *client, const char *first, const char *second)
{
    const char *mix = client->options->mix;

    if (strcmp(mix, first) == 0 || (second != NULL && strcmp(mix, second) == 0))
        return true;
    fprintf(stderr, "smsp-load: --mix %s: --protocol %s has only %s%s%s\n", mix,
            client->options->protocol->name, first, second != NULL ? " and " : "",
            second != NULL ? second : "");
    return false;
}

static bool round_of_three(const load_client *client, uint8_t step)
{
    (void)client;
    return step == REMOVE;
}

static bool is(const uint8_t *at, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(at, word, len) == 0;
}

static bool begins(const uint8_t *at, size_t len, const char *word)
{
    return len >= strlen(word) && memcmp(at, word, strlen(word)) == 0;
}

/* Checks a text and CR LF after the line of *used bytes. */
static load_verdict check_text(load_client *client, uint32_t number, const uint8_t *at, size_t len,
                               size_t *used)
{
    size_t size = client->options->size;

    if (len < *used + size + 2)
        return LOAD_NEED_MORE;
    bool right = load_text_is(client, number, at + *used, size) && memcmp(at + *used + size, "\r\n", 2) == 0;
    *used += size + 2;
    return right ? LOAD_RIGHT : LOAD_WRONG;
}

/* ---- Redis: RPUSH, LINDEX 0, LPOP on a list of the client's own ---- */

static bool redis_prepare(load_client *client)
{
    char line[100];
    size_t key = strlen(client->name);

    if (!check_mix(client, "job", NULL))
        return false;
    (void)snprintf(line, sizeof line, "*3\r\n$5\r\nRPUSH\r\n$%zu\r\n%s\r\n$%zu\r\n", key, client->name,
                   client->options->size);
    if (!load_make_line(client, PUT, line, true, "\r\n"))
        return false;
    (void)snprintf(line, sizeof line, "*3\r\n$6\r\nLINDEX\r\n$%zu\r\n%s\r\n", key, client->name);
    if (!load_make_line(client, LOOK, line, false, "$1\r\n0\r\n"))
        return false;
    (void)snprintf(line, sizeof line, "*2\r\n$4\r\nLPOP\r\n$%zu\r\n%s\r\n", key, client->name);
    return load_make_line(client, REMOVE, line, false, "");
}

static bool redis_add(load_client *client, uint64_t due)
{
    uint32_t *next[STEPS] = {&client->sent, &client->looked, &client->removed};

    load_add(client, client->step, (*next[client->step])++, due);
    client->step = (uint8_t)((client->step + 1) % STEPS);
    client->in_round = client->step != PUT;
    return true;
}

static load_verdict redis_check(load_client *client, const load_request *request, const uint8_t *at,
                                size_t len, size_t *used)
{
    size_t line_len;

    if (!load_line_of(at, len, &line_len, used))
        return LOAD_NEED_MORE;
    if (request->step == PUT)
        return is(at, line_len, ":1") ? LOAD_RIGHT : LOAD_WRONG; /* clients share no list */
    if (at[0] != '$' || strtoul((const char *)at + 1, NULL, 10) != client->options->size)
        return LOAD_WRONG;
    return check_text(client, request->number, at, len, used);
}

const load_protocol load_redis = {"redis",   "job",       redis_prepare, NULL,
                                  redis_add, redis_check, round_of_three};

/* ---- beanstalkd: put, peek, delete in a tube of the client's own ---- */

static bool beanstalk_prepare(load_client *client)
{
    char line[64];

    (void)snprintf(line, sizeof line, "put 0 0 60 %zu\r\n", client->options->size);
    return check_mix(client, "job", NULL) && load_make_line(client, PUT, line, true, "\r\n");
}

static bool beanstalk_on_connect(load_client *client)
{
    char line[64];
    char reply[64];
    int len = snprintf(line, sizeof line, "use %s\r\n", client->name);

    return load_ask(client->fd, line, (size_t)len, reply, sizeof reply);
}

/* peek and delete need the id of the job, which is in the reply to put. So a round is
 * `depth` times put, then peek, then delete. */
static bool beanstalk_add(load_client *client, uint64_t due)
{
    char line[64];

    if (client->step == PUT && client->sent - client->removed < client->options->depth) {
        load_add(client, PUT, client->sent++, due);
        client->in_round = true;
        return true;
    }
    if (client->step == PUT && client->count > 0)
        return false;
    if (client->step == PUT)
        client->step = LOOK;
    uint32_t number = client->step == LOOK ? client->looked++ : client->removed++;
    int len = snprintf(line, sizeof line, "%s %" PRIu64 "\r\n", client->step == LOOK ? "peek" : "delete",
                       client->ids[number % LOAD_DEPTH_MAX]);
    load_add_bytes(client, (load_request){client->step, number, due}, line, (size_t)len);
    if (client->step == LOOK && client->looked == client->sent)
        client->step = REMOVE;
    else if (client->step == REMOVE && client->removed == client->sent)
        client->step = PUT;
    client->in_round = client->step != PUT;
    return true;
}

static load_verdict beanstalk_check(load_client *client, const load_request *request, const uint8_t *at,
                                    size_t len, size_t *used)
{
    size_t line_len;

    if (!load_line_of(at, len, &line_len, used))
        return LOAD_NEED_MORE;
    if (request->step == REMOVE)
        return is(at, line_len, "DELETED") ? LOAD_RIGHT : LOAD_WRONG;
    if (request->step == LOOK)
        return begins(at, line_len, "FOUND ") ? check_text(client, request->number, at, len, used)
                                              : LOAD_WRONG;
    if (!begins(at, line_len, "INSERTED "))
        return LOAD_WRONG;
    client->ids[request->number % LOAD_DEPTH_MAX] = strtoull((const char *)at + 9, NULL, 10);
    return LOAD_RIGHT;
}

const load_protocol load_beanstalk = {"beanstalkd",  "job",           beanstalk_prepare, beanstalk_on_connect,
                                      beanstalk_add, beanstalk_check, round_of_three};

/* ---- Echo: the server returns each line ---- */

static bool echo_prepare(load_client *client)
{
    return check_mix(client, "echo", "connect") && load_make_line(client, PUT, "=", true, "\n");
}

static bool echo_add(load_client *client, uint64_t due)
{
    load_add(client, PUT, client->sent++, due);
    return true;
}

static load_verdict echo_check(load_client *client, const load_request *request, const uint8_t *at,
                               size_t len, size_t *used)
{
    size_t line_len;

    if (!load_line_of(at, len, &line_len, used))
        return LOAD_NEED_MORE;
    return at[0] == '=' && load_text_is(client, request->number, at + 1, line_len - 1) ? LOAD_RIGHT
                                                                                       : LOAD_WRONG;
}

static bool each_is_a_round(const load_client *client, uint8_t step)
{
    (void)client;
    (void)step;
    return true;
}

const load_protocol load_echo = {"echo", "echo", echo_prepare, NULL, echo_add, echo_check, each_is_a_round};
