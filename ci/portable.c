/* SPDX-License-Identifier: ISC */
/* Answers requests in one process and prints every reply, for builds of the
 * engine to be compared: the same requests must give the same bytes whatever the
 * compiler, the word size or the byte order.
 *
 * The requests are made by a generator with a fixed seed, or, with an argument,
 * read from a file, one on each line. At the end comes what DUMP prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smsp.h"
#include "tests/test_secrets.h"

#define USERS 6u

/* ---- Requests ---- */

static uint32_t random_number(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 10) % below;
}

/* Mostly well-made requests, some cut short, some with a byte changed. */
static size_t make_request(uint32_t *seed, char cookies[USERS][SMSP_COOKIE_LEN + 1], uint32_t *who, char *line,
                           size_t size)
{
    static const char *const verbs[] = {"REGISTER", "LOGIN", "LOGOUT", "MESSAGE", "MESSAGE",
                                        "STORE",    "COUNT", "DELMSG", "GETMSG",  "DUMP"};
    const char *verb = verbs[random_number(seed, 10)];
    const char *text = random_number(seed, 2) ? "caf\xc3\xa9 \xf0\x9f\x93\xac" : "plain text";
    unsigned whom = (unsigned)random_number(seed, USERS + 1);
    int len;

    *who = random_number(seed, USERS);
    if (verb[0] == 'R' || strcmp(verb, "LOGIN") == 0)
        len = snprintf(line, size, "%s user%u pass", verb, (unsigned)*who);
    else if (strcmp(verb, "LOGOUT") == 0)
        len = snprintf(line, size, "LOGOUT %s", cookies[*who]);
    else if (verb[0] == 'M')
        len = snprintf(line, size, "MESSAGE %s %0*d %s", text, (int)random_number(seed, 400) + 1, 7, cookies[*who]);
    else if (verb[1] == 'U')
        len = snprintf(line, size, "DUMP");
    else
        len = snprintf(line, size, "%s user%u %s", verb, random_number(seed, 3) ? (unsigned)*who : whom, cookies[*who]);
    if (random_number(seed, 10) == 0)
        len = (int)random_number(seed, (uint32_t)len + 1);
    if (len > 0 && random_number(seed, 10) == 0)
        line[random_number(seed, (uint32_t)len)] = (char)random_number(seed, 256);
    return (size_t)len;
}

/* ---- Answers ---- */

static bool print(void *unused, const uint8_t *at, size_t len)
{
    (void)unused;
    return fwrite(at, 1, len, stdout) == len;
}

typedef struct {
    smsp_state *state;
    smsp_secrets secrets;
    uint8_t reply[SMSP_REPLY_MAX + 1];
    size_t len;
} server;

static bool answer(server *s, const char *line, size_t len)
{
    smsp_line in = {{(const uint8_t *)line, len}, len > SMSP_REQUEST_MAX, SMSP_ENDS_LF};
    smsp_answer_out what;

    if (smsp_answer(s->state, &s->secrets, &in, s->reply, sizeof s->reply, &what) != SMSP_OK)
        return false;
    s->len = what.len;
    return print(NULL, s->reply, s->len) && smsp_state_check(s->state) == NULL;
}

static bool play_made(server *s)
{
    char cookies[USERS][SMSP_COOKIE_LEN + 1] = {"none", "none", "none", "none", "none", "none"};
    char line[SMSP_REQUEST_MAX + 1];
    uint32_t seed = 1;
    uint32_t who;

    for (int i = 0; i < 20000; i++) {
        size_t len = make_request(&seed, cookies, &who, line, sizeof line);
        if (!answer(s, line, len))
            return false;
        if (s->len == 3 + SMSP_COOKIE_LEN + 1 && memcmp(s->reply, "OK ", 3) == 0)
            memcpy(cookies[who], s->reply + 3, SMSP_COOKIE_LEN);
    }
    return true;
}

static bool play_file(server *s, const char *name)
{
    static char line[1 << 20];
    FILE *file = fopen(name, "rb");
    bool fine = file != NULL;

    while (fine && fgets(line, sizeof line, file) != NULL)
        fine = answer(s, line, strcspn(line, "\n"));
    if (file == NULL)
        perror(name);
    else
        (void)fclose(file);
    return fine;
}

/* As many messages as 32 bits can count: more memory than such a machine has. */
static bool large_limits(void)
{
    smsp_limits limits = smsp_limits_default();

    limits.messages = limits.journal = UINT32_MAX;
    return (smsp_state_size(&limits) == 0) == (sizeof(size_t) < 8);
}

int main(int argc, char **argv)
{
    uint32_t draws = 0;
    smsp_config config = {
        .limits = {.accounts = 5, .messages = 60, .text = 64 * 200, .mailbox = 20, .journal = 10}, .cost = 1};
    size_t size = smsp_state_size(&config.limits);
    void *memory = malloc(size);
    server s = {.secrets = {&draws, test_draw_counted, test_password, test_cookie}};
    bool fine = large_limits() && memory != NULL && smsp_state_init(memory, size, &config, &s.state) == SMSP_OK &&
                (argc > 1 ? play_file(&s, argv[1]) : play_made(&s)) && smsp_dump(s.state, print, NULL) == SMSP_OK;

    if (fine)
        printf("digest %016llx\n", (unsigned long long)smsp_state_digest(s.state));
    else
        fputs("the engine could not answer, or its state is not sound\n", stderr);
    free(memory);
    return fine ? 0 : 1;
}
