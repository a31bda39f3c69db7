/* SPDX-License-Identifier: ISC */
/* What people would use instead, doing the same job in their own protocols: a
 * message is taken in, looked at, removed. And an echo server, for the time that
 * loopback and the kernel take alone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum { PUT, LOOK, REMOVE, STEPS };

static bool only_mix(const load_client *client, const char *first, const char *second)
{
    const char *mix = client->options->mix;

    if (strcmp(mix, first) == 0 || (second != NULL && strcmp(mix, second) == 0))
        return true;
    fprintf(stderr, "smsp-load: --mix %s: with --protocol %s there is only %s%s%s\n", mix,
            client->options->protocol->name, first, second != NULL ? " and " : "", second != NULL ? second : "");
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

/* A text of our size and CR LF behind the line that has been used. */
static load_verdict take_text(load_client *client, uint32_t number, const uint8_t *at, size_t len, size_t *used)
{
    size_t size = client->options->size;

    if (len < *used + size + 2)
        return LOAD_MORE;
    bool right = load_text_is(client, number, at + *used, size) && memcmp(at + *used + size, "\r\n", 2) == 0;
    *used += size + 2;
    return right ? LOAD_RIGHT : LOAD_WRONG;
}

/* ---- Redis: RPUSH, LINDEX 0, LPOP on a list of the client's own ---- */

static bool redis_prepare(load_client *client)
{
    char line[100];
    size_t key = strlen(client->name);

    if (!only_mix(client, "job", NULL))
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

static bool redis_send(load_client *client, uint64_t due)
{
    uint32_t *next[STEPS] = {&client->sent, &client->looked, &client->removed};

    load_put(client, client->step, (*next[client->step])++, due);
    client->step = (uint8_t)((client->step + 1) % STEPS);
    client->in_round = client->step != PUT;
    return true;
}

static load_verdict redis_take(load_client *client, const load_request *request, const uint8_t *at, size_t len,
                               size_t *used)
{
    size_t line_len;

    if (!load_line_of(at, len, &line_len, used))
        return LOAD_MORE;
    if (request->step == PUT)
        return is(at, line_len, ":1") ? LOAD_RIGHT : LOAD_WRONG; /* no list is shared */
    if (at[0] != '$' || strtoul((const char *)at + 1, NULL, 10) != client->options->size)
        return LOAD_WRONG;
    return take_text(client, request->number, at, len, used);
}

const load_protocol load_redis = {"redis", "job", redis_prepare, NULL, redis_send, redis_take, round_of_three};

/* ---- beanstalkd: put, peek, delete in a tube of the client's own ---- */

static bool beanstalk_prepare(load_client *client)
{
    char line[64];

    (void)snprintf(line, sizeof line, "put 0 0 60 %zu\r\n", client->options->size);
    return only_mix(client, "job", NULL) && load_make_line(client, PUT, line, true, "\r\n");
}

static bool beanstalk_greet(load_client *client)
{
    char line[64];
    char reply[64];
    int len = snprintf(line, sizeof line, "use %s\r\n", client->name);

    return load_ask(client->fd, line, (size_t)len, reply, sizeof reply);
}

/* Peek and delete need the job's number, which the reply to put tells: so a
 * round goes depth puts, depth peeks, depth deletes. */
static bool beanstalk_send(load_client *client, uint64_t due)
{
    char line[64];

    if (client->step == PUT && client->sent - client->removed < client->options->depth) {
        load_put(client, PUT, client->sent++, due);
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
    load_put_bytes(client, (load_request){client->step, number, due}, line, (size_t)len);
    if (client->step == LOOK && client->looked == client->sent)
        client->step = REMOVE;
    else if (client->step == REMOVE && client->removed == client->sent)
        client->step = PUT;
    client->in_round = client->step != PUT;
    return true;
}

static load_verdict beanstalk_take(load_client *client, const load_request *request, const uint8_t *at, size_t len,
                                   size_t *used)
{
    size_t line_len;

    if (!load_line_of(at, len, &line_len, used))
        return LOAD_MORE;
    if (request->step == REMOVE)
        return is(at, line_len, "DELETED") ? LOAD_RIGHT : LOAD_WRONG;
    if (request->step == LOOK)
        return begins(at, line_len, "FOUND ") ? take_text(client, request->number, at, len, used) : LOAD_WRONG;
    if (!begins(at, line_len, "INSERTED "))
        return LOAD_WRONG;
    client->ids[request->number % LOAD_DEPTH_MAX] = strtoull((const char *)at + 9, NULL, 10);
    return LOAD_RIGHT;
}

const load_protocol load_beanstalk = {"beanstalkd",   "job",          beanstalk_prepare, beanstalk_greet,
                                      beanstalk_send, beanstalk_take, round_of_three};

/* ---- Echo: the text and LF come back ---- */

static bool echo_prepare(load_client *client)
{
    return only_mix(client, "echo", "connect") && load_make_line(client, PUT, "=", true, "\n");
}

static bool echo_send(load_client *client, uint64_t due)
{
    load_put(client, PUT, client->sent++, due);
    return true;
}

static load_verdict echo_take(load_client *client, const load_request *request, const uint8_t *at, size_t len,
                              size_t *used)
{
    size_t line_len;

    if (!load_line_of(at, len, &line_len, used))
        return LOAD_MORE;
    return at[0] == '=' && load_text_is(client, request->number, at + 1, line_len - 1) ? LOAD_RIGHT : LOAD_WRONG;
}

static bool each_is_a_round(const load_client *client, uint8_t step)
{
    (void)client;
    (void)step;
    return true;
}

const load_protocol load_echo = {"echo", "echo", echo_prepare, NULL, echo_send, echo_take, each_is_a_round};
