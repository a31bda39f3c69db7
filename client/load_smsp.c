/* Our own protocol. MESSAGE and STORE go out in one write wherever the depth
 * allows, so that the text that comes back is the one that was sent. */
#include <stdio.h>
#include <string.h>

#include "load.h"
#include "smsp.h"

enum { MESSAGE, STORE, COUNT, GETMSG, DELMSG, LOGIN };

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

static const uint8_t *mix_of(const load_options *options, uint8_t *count)
{
    for (size_t i = 0; i < sizeof mixes / sizeof mixes[0]; i++) {
        if (strcmp(mixes[i].name, options->mix) == 0) {
            *count = mixes[i].count;
            return mixes[i].steps;
        }
    }
    *count = 0;
    return NULL;
}

/* REGISTER, or LOGIN where the account is there already. */
static bool enter(load_client *client, int fd)
{
    static const char *const words[] = {"REGISTER", "LOGIN"};
    char line[100];
    char reply[LOAD_COOKIE_MAX + 4];

    for (size_t i = 0; i < 2; i++) {
        int len = snprintf(line, sizeof line, "%s %s load\n", words[i], client->name);
        if (!load_ask(fd, line, (size_t)len, reply, sizeof reply))
            return false;
        if (strncmp(reply, "OK ", 3) == 0) {
            client->cookie_len = strlen(reply + 3);
            memcpy(client->cookie, reply + 3, client->cookie_len + 1);
            return true;
        }
    }
    fprintf(stderr, "smsp-load: REGISTER and LOGIN of %s both failed: %s\n", client->name, reply);
    return false;
}

/* For fetch: as many messages as the client will ask for. */
static bool fill_mailbox(load_client *client, int fd)
{
    const load_options *o = client->options;
    uint64_t messages = strcmp(o->mix, "fetch") == 0 ? o->requests / 3 / o->clients + 1 : 0;
    char text[LOAD_TEXT_MAX];
    char line[2 * LOAD_TEXT_MAX];
    char reply[100];

    for (uint64_t i = 0; i < messages; i++) {
        size_t size = load_text(client, client->sent++, text);
        int len = snprintf(line, sizeof line, "MESSAGE %.*s %s\nSTORE %s %s\n", (int)size, text, client->cookie,
                           client->name, client->cookie);
        if (!load_ask(fd, line, (size_t)len, reply, sizeof reply) || !load_ask(fd, "", 0, reply, sizeof reply))
            return false;
        if (strcmp(reply, "OK") != 0) {
            fprintf(stderr, "smsp-load: filling the mailbox of %s: STORE answered %s\n", client->name, reply);
            return false;
        }
    }
    return true;
}

static bool prepare(load_client *client)
{
    uint8_t count;

    if (mix_of(client->options, &count) == NULL) {
        fprintf(stderr, "smsp-load: no mix is called %s; there are cycle, job, send, fetch, count, login, connect\n",
                client->options->mix);
        return false;
    }
    int fd = load_connect(client->options);
    if (fd < 0)
        return false;
    bool done = enter(client, fd) && fill_mailbox(client, fd);
    load_disconnect(fd);
    return done;
}

static bool greet(load_client *client)
{
    (void)client;
    return true;
}

static void put(load_client *client, uint8_t step, uint64_t due)
{
    char text[LOAD_TEXT_MAX];
    char line[2 * LOAD_TEXT_MAX];
    uint32_t number = step == MESSAGE ? client->sent : step == GETMSG ? client->looked : 0;
    int len;

    if (step == MESSAGE) {
        size_t size = load_text(client, client->sent++, text);
        len = snprintf(line, sizeof line, "MESSAGE %.*s %s\n", (int)size, text, client->cookie);
    } else if (step == LOGIN) {
        len = snprintf(line, sizeof line, "LOGIN %s load\n", client->name);
    } else {
        client->looked += step == GETMSG;
        len = snprintf(line, sizeof line, "%s %s %s\n", verbs[step], client->name, client->cookie);
    }
    load_put(client, step, number, due, line, (size_t)len);
}

static bool send_next(load_client *client, uint64_t due)
{
    uint8_t count;
    const uint8_t *steps = mix_of(client->options, &count);
    uint8_t step = steps[client->step];
    bool pair = step == MESSAGE && client->options->depth >= 2;

    if (client->count + (pair ? 2 : 1) > client->options->depth)
        return false;
    put(client, step, due);
    if (pair)
        put(client, STORE, due);
    client->step = (uint8_t)((client->step + (pair ? 2 : 1)) % count);
    client->in_round = client->step != 0;
    return true;
}

/* Is the text that comes back surely the one that was sent? Not if another
 * client's STORE may have come between, or if clients share a mailbox. */
static bool own_text(const load_client *client)
{
    return client->options->depth >= 2 && client->options->accounts >= client->options->clients &&
           strcmp(client->options->mix, "send") != 0;
}

static bool reply_right(load_client *client, const load_request *request, const uint8_t *at, size_t len)
{
    char text[LOAD_TEXT_MAX];
    smsp_reply reply;

    switch (request->step) {
    case COUNT:
        return smsp_reply_parse(SMSP_COUNT, at, len, &reply) == SMSP_OK && reply.code == SMSP_REPLY_COUNTED;
    case GETMSG:
        if (!own_text(client))
            return load_text_shape(client, at, len);
        return load_text(client, request->number, text) == len && memcmp(text, at, len) == 0;
    case LOGIN:
        return smsp_reply_parse(SMSP_LOGIN, at, len, &reply) == SMSP_OK && reply.code == SMSP_REPLY_COOKIE;
    default:
        return len == 2 && memcmp(at, "OK", 2) == 0;
    }
}

static load_verdict take(load_client *client, const load_request *request, const uint8_t *at, size_t len, size_t *used)
{
    const uint8_t *end = memchr(at, '\n', len);

    if (end == NULL)
        return LOAD_MORE;
    *used = (size_t)(end - at) + 1;
    return reply_right(client, request, at, *used - 1) ? LOAD_RIGHT : LOAD_WRONG;
}

static bool ends_round(const load_client *client, uint8_t step)
{
    uint8_t count;
    const uint8_t *steps = mix_of(client->options, &count);

    return step == steps[count - 1];
}

const load_protocol load_smsp = {"smsp", prepare, greet, send_next, take, ends_round};
