/* SPDX-License-Identifier: ISC */
/* The Simple Mail Server Protocol. If the depth allows, MESSAGE and STORE are sent in
 * one write, so that each client gets its own texts back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "smsp.h"

enum { MESSAGE, STORE, COUNT, GETMSG, DELMSG, LOGIN };
#define DELETED_TOGETHER 100u /* requests in one write; at most LOAD_DEPTH_MAX */
_Static_assert(LOGIN < LOAD_STEPS_MAX, "each step has a line");

static const char *const verbs[] = {"MESSAGE", "STORE", "COUNT", "GETMSG", "DELMSG", "LOGIN"};

/* The steps of one round of each mix. */
static const struct {
    const char *name;
    uint8_t steps[5];
    uint8_t count;
} mixes[] = {
    {"cycle", {MESSAGE, STORE, COUNT, GETMSG, DELMSG}, 5},
    {"job", {MESSAGE, STORE, GETMSG, DELMSG}, 4},
    {"send", {MESSAGE, STORE}, 2},
    {"fetch", {COUNT, GETMSG, DELMSG}, 3},
    {"count", {COUNT}, 1},
    {"login", {LOGIN}, 1},
    {"connect", {COUNT}, 1},
};

static bool choose_mix(load_client *client)
{
    for (size_t i = 0; i < sizeof mixes / sizeof mixes[0]; i++) {
        if (strcmp(mixes[i].name, client->options->mix) == 0) {
            client->steps = mixes[i].steps;
            client->step_count = mixes[i].count;
            return true;
        }
    }
    fprintf(stderr, "smsp-load: --mix %s: choose cycle, job, send, fetch, count, login or connect\n",
            client->options->mix);
    return false;
}

static bool make_lines(load_client *client)
{
    char before[100];
    char after[LOAD_COOKIE_MAX + 2];
    bool done = true;

    (void)snprintf(after, sizeof after, " %s\n", client->cookie);
    for (unsigned step = STORE; step <= DELMSG; step++) {
        (void)snprintf(before, sizeof before, "%s %s", verbs[step], client->name);
        done = done && load_make_line(client, (uint8_t)step, before, false, after);
    }
    (void)snprintf(before, sizeof before, "LOGIN %s load\n", client->name);
    return done && load_make_line(client, MESSAGE, "MESSAGE ", true, after) &&
           load_make_line(client, LOGIN, before, false, "");
}

/* Uses the cookie of an earlier run, if its session is still valid. */
static bool reuse_session(load_client *client, int fd)
{
    char line[100 + LOAD_COOKIE_MAX];
    char reply[LOAD_COOKIE_MAX];
    size_t name = strlen(client->name);
    FILE *file = client->options->cookies != NULL ? fopen(client->options->cookies, "re") : NULL;

    client->cookie[0] = '\0';
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, client->name, name) == 0 && line[name] == ' ' &&
            strlen(line + name + 1) < LOAD_COOKIE_MAX)
            memcpy(client->cookie, line + name + 1,
                   strlen(line + name + 1) + 1); /* the last line of the account counts */
    }
    if (file != NULL)
        (void)fclose(file);
    int len = snprintf(line, sizeof line, "COUNT %s %s\n", client->name, client->cookie);
    return client->cookie[0] != '\0' && load_ask(fd, line, (size_t)len, reply, sizeof reply) &&
           strncmp(reply, "COUNTED ", 8) == 0;
}

static bool store_cookie(const load_client *client)
{
    const char *name = client->options->cookies;
    int fd = name != NULL ? open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;

    if (name == NULL)
        return true;
    bool kept = fd >= 0 && dprintf(fd, "%s %s\n", client->name, client->cookie) > 0;
    if (!kept)
        fprintf(stderr, "smsp-load: --cookies %s: %s\n", name, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return kept;
}

/* REGISTER, or LOGIN if the account exists. */
static bool log_in(load_client *client, int fd)
{
    static const char *const words[] = {"REGISTER", "LOGIN"};
    char line[100];
    char reply[LOAD_COOKIE_MAX + 4];

    for (size_t i = 0; i < 2; i++) {
        int len = snprintf(line, sizeof line, "%s %s load\n", words[i], client->name);
        if (!load_ask(fd, line, (size_t)len, reply, sizeof reply))
            return false;
        if (strncmp(reply, "OK ", 3) == 0 && strlen(reply + 3) < LOAD_COOKIE_MAX) {
            memcpy(client->cookie, reply + 3, strlen(reply + 3) + 1);
            return store_cookie(client);
        }
    }
    fprintf(stderr, "smsp-load: REGISTER and LOGIN of %s both failed: %s\n", client->name, reply);
    return false;
}

static bool reads_messages(const load_client *client)
{
    return memchr(client->steps, GETMSG, client->step_count) != NULL;
}

/* Deletes `count` messages with one write. */
static bool delete_messages(load_client *client, int fd, unsigned long count)
{
    char reply[100];
    bool done = true;

    client->out_len = client->count = 0;
    for (unsigned long i = 0; i < count; i++)
        load_add(client, DELMSG, 0, 0);
    for (unsigned long i = 0; done && i < count; i++)
        done = load_ask(fd, (const char *)client->out, i == 0 ? client->out_len : 0, reply, sizeof reply);
    client->out_len = client->count = 0;
    return done;
}

/* Deletes the messages that an earlier run has left: one that was interrupted, or one
 * with the mix send. They would be counted as wrong replies. */
static bool empty_mailbox(load_client *client, int fd)
{
    const load_line *count = &client->lines[COUNT];
    char reply[100];
    unsigned long left = 0;

    if (!load_ask(fd, (const char *)count->bytes, count->len, reply, sizeof reply))
        return false;
    if (strncmp(reply, "COUNTED ", 8) == 0)
        left = strtoul(reply + 8, NULL, 10);
    for (unsigned long some; left > 0; left -= some) {
        some = left < DELETED_TOGETHER ? left : DELETED_TOGETHER;
        if (!delete_messages(client, fd, some))
            return false;
    }
    return true;
}

/* For fetch: stores as many messages as the client will read. */
static bool fill_mailbox(load_client *client, int fd)
{
    const load_options *o = client->options;
    uint64_t messages = strcmp(o->mix, "fetch") == 0 ? o->requests / 3 / o->clients + 1 : 0;
    char reply[100];

    for (uint64_t i = 0; i < messages; i++) {
        client->out_len = client->count = 0;
        load_add(client, MESSAGE, client->sent++, 0);
        load_add(client, STORE, 0, 0);
        if (!load_ask(fd, (const char *)client->out, client->out_len, reply, sizeof reply) ||
            !load_ask(fd, "", 0, reply, sizeof reply))
            return false;
        if (strcmp(reply, "OK") != 0) {
            fprintf(stderr, "smsp-load: filling the mailbox of %s: STORE answered %s\n", client->name, reply);
            return false;
        }
    }
    client->out_len = client->count = 0;
    return true;
}

static bool prepare(load_client *client)
{
    if (!choose_mix(client))
        return false;
    bool known = client->cookie[0] != '\0'; /* another client shares the account */
    int fd = load_connect(client->options);
    if (fd < 0)
        return false;
    bool done = (known || reuse_session(client, fd) || log_in(client, fd)) && make_lines(client) &&
                (known || !reads_messages(client) || empty_mailbox(client, fd)) && fill_mailbox(client, fd);
    load_disconnect(fd);
    return done;
}

/* fetch: the client has read all messages of its mailbox. */
static bool mailbox_is_empty(const load_client *client)
{
    return client->step_count == 3 && client->steps[0] == COUNT && client->step == 0 &&
           client->looked >= client->sent;
}

static bool add_requests(load_client *client, uint64_t due)
{
    uint8_t step = client->steps[client->step];
    bool pair = step == MESSAGE && client->options->depth >= 2;
    uint8_t adds = pair ? 2 : 1;

    if (client->count + adds > client->options->depth || mailbox_is_empty(client))
        return false;
    load_add(client, step, step == MESSAGE ? client->sent++ : step == GETMSG ? client->looked++ : 0, due);
    if (pair)
        load_add(client, STORE, 0, due);
    client->step = (uint8_t)((client->step + adds) % client->step_count);
    client->in_round = client->step != 0;
    return true;
}

/* Must the client get its own text back? Not if the STORE of another client may have
 * come between MESSAGE and STORE, or if clients share a mailbox. */
static bool own_text(const load_client *client)
{
    const load_options *o = client->options;
    bool in_order = o->depth >= 2 || o->clients == 1 || strcmp(o->mix, "fetch") == 0;

    return in_order && o->accounts >= o->clients;
}

/* If the client has a mailbox of its own, its message is there when COUNT is executed. */
static bool count_right(const load_client *client, uint32_t count)
{
    bool waits = client->step_count > 1 && client->options->accounts >= client->options->clients;

    return !waits || count > 0;
}

static bool reply_right(load_client *client, const load_request *request, const uint8_t *at, size_t len)
{
    smsp_reply reply;

    switch (request->step) {
    case COUNT:
        return smsp_reply_parse(SMSP_COUNT, at, len, &reply) == SMSP_OK && reply.code == SMSP_REPLY_COUNTED &&
               count_right(client, reply.count);
    case GETMSG:
        return own_text(client) ? load_text_is(client, request->number, at, len)
                                : load_text_of_anyone(client, at, len);
    case LOGIN:
        return smsp_reply_parse(SMSP_LOGIN, at, len, &reply) == SMSP_OK && reply.code == SMSP_REPLY_COOKIE;
    default:
        return len == 2 && memcmp(at, "OK", 2) == 0;
    }
}

static load_verdict check_reply(load_client *client, const load_request *request, const uint8_t *at,
                                size_t len, size_t *used)
{
    size_t line_len;

    if (!load_line_of(at, len, &line_len, used))
        return LOAD_NEED_MORE;
    return reply_right(client, request, at, *used - 1) ? LOAD_RIGHT : LOAD_WRONG;
}

static bool ends_round(const load_client *client, uint8_t step)
{
    return step == client->steps[client->step_count - 1];
}

const load_protocol load_smsp = {"smsp", "cycle", prepare, NULL, add_requests, check_reply, ends_round};
