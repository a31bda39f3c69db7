/* What people would use instead, doing the same job in their own protocols: a
 * message is taken in, looked at, removed. And an echo server, for the time that
 * loopback and the kernel take alone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "load.h"

enum { PUT, LOOK, REMOVE, STEPS };

static bool prepare_nothing(load_client *client)
{
    (void)client;
    return true;
}

static bool greet_nothing(load_client *client)
{
    (void)client;
    return true;
}

static bool round_of_three(const load_client *client, uint8_t step)
{
    (void)client;
    return step == REMOVE;
}

/* The line at the front, without CR LF; NULL if it is not whole. */
static const uint8_t *line_of(const uint8_t *at, size_t len, size_t *line_len, size_t *used)
{
    const uint8_t *end = memchr(at, '\n', len);

    if (end == NULL)
        return NULL;
    *used = (size_t)(end - at) + 1;
    *line_len = *used >= 2 && end[-1] == '\r' ? *used - 2 : *used - 1;
    return at;
}

static bool is(const uint8_t *at, size_t len, const char *word)
{
    return len == strlen(word) && memcmp(at, word, len) == 0;
}

/* ---- Redis: RPUSH, LINDEX 0, LPOP on a list of the client's own ---- */

static bool redis_send(load_client *client, uint64_t due)
{
    char text[LOAD_TEXT_MAX];
    char line[2 * LOAD_TEXT_MAX];
    uint32_t number = client->step == PUT ? client->sent++ : client->step == LOOK ? client->looked++ : client->removed++;
    size_t size = load_text(client, number, text);
    size_t key = strlen(client->name);
    int len;

    if (client->step == PUT)
        len = snprintf(line, sizeof line, "*3\r\n$5\r\nRPUSH\r\n$%zu\r\n%s\r\n$%zu\r\n%.*s\r\n", key, client->name,
                       size, (int)size, text);
    else if (client->step == LOOK)
        len = snprintf(line, sizeof line, "*3\r\n$6\r\nLINDEX\r\n$%zu\r\n%s\r\n$1\r\n0\r\n", key, client->name);
    else
        len = snprintf(line, sizeof line, "*2\r\n$4\r\nLPOP\r\n$%zu\r\n%s\r\n", key, client->name);
    load_put(client, client->step, number, due, line, (size_t)len);
    client->step = (uint8_t)((client->step + 1) % STEPS);
    client->in_round = client->step != PUT;
    return true;
}

static load_verdict redis_take(load_client *client, const load_request *request, const uint8_t *at, size_t len,
                               size_t *used)
{
    char text[LOAD_TEXT_MAX];
    char head[32];
    size_t line_len;
    const uint8_t *line = line_of(at, len, &line_len, used);

    if (line == NULL)
        return LOAD_MORE;
    if (request->step == PUT)
        return line[0] == ':' ? LOAD_RIGHT : LOAD_WRONG;
    size_t size = load_text(client, request->number, text);
    (void)snprintf(head, sizeof head, "$%zu", size);
    if (!is(line, line_len, head))
        return LOAD_WRONG;
    if (len < *used + size + 2)
        return LOAD_MORE;
    bool same = memcmp(at + *used, text, size) == 0;
    *used += size + 2;
    return same ? LOAD_RIGHT : LOAD_WRONG;
}

const load_protocol load_redis = {"redis", prepare_nothing, greet_nothing, redis_send, redis_take, round_of_three};

/* ---- beanstalkd: put, peek, delete in a tube of the client's own ---- */

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
    unsigned depth = client->options->depth;
    char text[LOAD_TEXT_MAX];
    char line[2 * LOAD_TEXT_MAX];
    int len;

    if (client->step == PUT && client->sent - client->removed < depth) {
        uint32_t number = client->sent++;
        size_t size = load_text(client, number, text);
        len = snprintf(line, sizeof line, "put 0 0 60 %zu\r\n%.*s\r\n", size, (int)size, text);
        load_put(client, PUT, number, due, line, (size_t)len);
        client->in_round = true;
        return true;
    }
    if (client->step == PUT && client->count > 0)
        return false;
    if (client->step == PUT)
        client->step = LOOK;
    uint32_t number = client->step == LOOK ? client->looked++ : client->removed++;
    len = snprintf(line, sizeof line, "%s %" PRIu64 "\r\n", client->step == LOOK ? "peek" : "delete",
                   client->ids[number % LOAD_DEPTH_MAX]);
    load_put(client, client->step, number, due, line, (size_t)len);
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
    char text[LOAD_TEXT_MAX];
    size_t line_len;
    const uint8_t *line = line_of(at, len, &line_len, used);

    if (line == NULL)
        return LOAD_MORE;
    if (request->step == REMOVE)
        return is(line, line_len, "DELETED") ? LOAD_RIGHT : LOAD_WRONG;
    if (request->step == PUT) {
        if (line_len < 10 || memcmp(line, "INSERTED ", 9) != 0)
            return LOAD_WRONG;
        client->ids[request->number % LOAD_DEPTH_MAX] = strtoull((const char *)line + 9, NULL, 10);
        return LOAD_RIGHT;
    }
    if (line_len < 6 || memcmp(line, "FOUND ", 6) != 0)
        return LOAD_WRONG;
    size_t size = load_text(client, request->number, text);
    if (len < *used + size + 2)
        return LOAD_MORE;
    bool same = memcmp(at + *used, text, size) == 0;
    *used += size + 2;
    return same ? LOAD_RIGHT : LOAD_WRONG;
}

const load_protocol load_beanstalk = {"beanstalkd",   prepare_nothing, beanstalk_greet,
                                      beanstalk_send, beanstalk_take,  round_of_three};

/* ---- Echo: the text and LF come back ---- */

static bool echo_send(load_client *client, uint64_t due)
{
    char line[LOAD_TEXT_MAX + 1];
    size_t len = load_text(client, client->sent, line);

    line[len] = '\n';
    load_put(client, PUT, client->sent++, due, line, len + 1);
    return true;
}

static load_verdict echo_take(load_client *client, const load_request *request, const uint8_t *at, size_t len,
                              size_t *used)
{
    char text[LOAD_TEXT_MAX];
    size_t line_len;
    const uint8_t *line = line_of(at, len, &line_len, used);

    if (line == NULL)
        return LOAD_MORE;
    return load_text(client, request->number, text) == line_len && memcmp(text, line, line_len) == 0 ? LOAD_RIGHT
                                                                                                     : LOAD_WRONG;
}

static bool each_is_a_round(const load_client *client, uint8_t step)
{
    (void)client;
    (void)step;
    return true;
}

const load_protocol load_echo = {"echo", prepare_nothing, greet_nothing, echo_send, echo_take, each_is_a_round};
