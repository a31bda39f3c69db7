/* SPDX-License-Identifier: ISC */
/* What all protocols need: connections, and the lines and texts that a client sends
 * and expects. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "load.h"

/* ---- Connections ---- */

static struct addrinfo *server; /* never freed */

bool load_resolve(const load_options *options)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int error = getaddrinfo(options->host, options->port, &hints, &server);

    if (error != 0)
        fprintf(stderr, "smsp-load: cannot find host '%s' port '%s': %s\n", options->host, options->port,
                error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
    return error == 0;
}

int load_connect(const load_options *options)
{
    int one = 1;
    int fd = -1;
    int error = 0;

    for (struct addrinfo *a = server; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0 || connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            error = errno;
            if (fd >= 0)
                (void)close(fd);
            fd = -1;
        }
    }
    if (fd < 0)
        fprintf(stderr, "smsp-load: cannot connect to %s port %s: %s\n", options->host, options->port,
                strerror(error));
    else
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

void load_disconnect(int fd)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)close(fd);
}

/* False: an error has been printed. */
static bool read_line(int fd, char *reply, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        ssize_t got = recv(fd, reply + at, 1, 0);
        if (got < 0 && errno != ECONNRESET) {
            fprintf(stderr, "smsp-load: the connection failed: %s\n", strerror(errno));
            return false;
        }
        if (got <= 0) {
            fprintf(stderr, "smsp-load: the server closed the connection before its reply\n");
            return false;
        }
        if (reply[at] == '\n') {
            reply[at] = '\0';
            return true;
        }
    }
    fprintf(stderr, "smsp-load: the server sent a reply of more than %zu bytes\n", size - 1);
    return false;
}

bool load_ask(int fd, const char *request, size_t len, char *reply, size_t size)
{
    errno = ENOBUFS; /* for a short send, which does not set errno */
    if (len > 0 && send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len) {
        fprintf(stderr, "smsp-load: sending to the server: %s\n", strerror(errno));
        return false;
    }
    return read_line(fd, reply, size);
}

/* ---- Texts: four digits for the client, eight for the message, then padding ---- */

#define TEXT_HEAD 14u /* "cccc-nnnnnnnn-" */
_Static_assert(LOAD_TEXT_MIN > TEXT_HEAD, "the shortest text has padding");

static void put_digits(uint8_t *at, uint32_t value, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--, value >>= 4)
        at[i - 1] = (uint8_t) "0123456789abcdef"[value & 15u];
}

static void put_number(uint8_t *text, uint32_t number)
{
    put_digits(text + 5, number, 8);
}

static void make_text(load_client *client)
{
    memset(client->text, 'x', client->options->size);
    put_digits(client->text, client->number, 4);
    client->text[4] = client->text[13] = '-';
    put_number(client->text, 0);
}

bool load_text_is(load_client *client, uint32_t number, const uint8_t *at, size_t len)
{
    put_number(client->text, number);
    return len == client->options->size && memcmp(client->text, at, len) == 0;
}

static bool digits_at(const uint8_t *at, unsigned digits, uint32_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < digits; i++) {
        bool decimal = at[i] >= '0' && at[i] <= '9';
        if (!decimal && (at[i] < 'a' || at[i] > 'f'))
            return false;
        *value = *value * 16 + (decimal ? at[i] - (uint32_t)'0' : at[i] - (uint32_t)'a' + 10);
    }
    return true;
}

bool load_text_of_anyone(load_client *client, const uint8_t *at, size_t len)
{
    const load_options *o = client->options;
    uint32_t sender;
    uint32_t number;

    if (len != o->size || !digits_at(at, 4, &sender) || !digits_at(at + 5, 8, &number) ||
        sender >= o->clients)
        return false;
    return at[4] == '-' && at[13] == '-' &&
           memcmp(client->text + TEXT_HEAD, at + TEXT_HEAD, len - TEXT_HEAD) == 0;
}

/* ---- Lines ---- */

bool load_make_line(load_client *client, uint8_t step, const char *before, bool has_text, const char *after)
{
    size_t text = has_text ? client->options->size : 0;
    size_t text_at = strlen(before);
    size_t rest = strlen(after);
    size_t len = text_at + text + rest;
    load_line line = {.bytes = malloc(len), .len = len, .text_at = has_text ? text_at : 0};

    if (line.bytes == NULL) {
        fprintf(stderr, "smsp-load: out of memory for %u clients\n", client->options->clients);
        return false;
    }
    make_text(client);
    memcpy(line.bytes, before, text_at); /* NOLINT(bugprone-not-null-terminated-result): bytes of the wire */
    memcpy(line.bytes + text_at, client->text, text);
    memcpy(line.bytes + text_at + text, after,
           rest); /* NOLINT(bugprone-not-null-terminated-result): the same */
    client->lines[step] = line;
    return true;
}

void load_add_bytes(load_client *client, load_request request, const void *at, size_t len)
{
    client->window[(client->first + client->count++) % LOAD_DEPTH_MAX] = request;
    memcpy(client->out + client->out_len, at, len);
    client->out_len += len;
}

void load_add(load_client *client, uint8_t step, uint32_t number, uint64_t due)
{
    const load_line *line = &client->lines[step];
    uint8_t *at = client->out + client->out_len;

    load_add_bytes(client, (load_request){.step = step, .number = number, .due = due}, line->bytes,
                   line->len);
    if (line->text_at > 0)
        put_number(at + line->text_at, number);
}

bool load_line_of(const uint8_t *at, size_t len, size_t *line_len, size_t *used)
{
    const uint8_t *end = memchr(at, '\n', len);

    if (end == NULL)
        return false;
    *used = (size_t)(end - at) + 1;
    *line_len = *used >= 2 && end[-1] == '\r' ? *used - 2 : *used - 1;
    return true;
}
