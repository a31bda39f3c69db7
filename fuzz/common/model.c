/* SPDX-License-Identifier: ISC */
/* The independent model of the protocol that the fuzz targets compare the engine with. */
#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REDRAWS 64u /* after so many candidates that are in use the reply is KO */

/* ---- Memory ---- */

struct model_arena {
    void *block[4096];
    size_t count;
};

model_arena *model_arena_new(void)
{
    model_arena *arena = malloc(sizeof *arena);

    if (arena == NULL)
        abort();
    arena->count = 0;
    return arena;
}

void model_arena_free(model_arena *arena)
{
    while (arena->count > 0)
        free(arena->block[--arena->count]);
    free(arena);
}

static const uint8_t *keep(model *m, const uint8_t *at, size_t len)
{
    uint8_t *copy = malloc(len);

    if (copy == NULL || m->arena->count == sizeof m->arena->block / sizeof m->arena->block[0])
        abort();
    memcpy(copy, at, len);
    m->arena->block[m->arena->count++] = copy;
    return copy;
}

void model_init(model *m, const model_limits *limits, model_arena *arena)
{
    memset(m, 0, sizeof *m);
    m->limits = *limits;
    m->arena = arena;
}

/* ---- Parts: one more than the request has spaces (REQ-4) ---- */

typedef struct part {
    const uint8_t *at;
    size_t len;
} part;

static unsigned count_parts(const uint8_t *line, size_t len)
{
    unsigned count = 1;

    for (size_t i = 0; i < len; i++)
        count += line[i] == ' ';
    return count;
}

/* Part n, from 0. */
static part get_part(const uint8_t *line, size_t len, unsigned n)
{
    size_t begin = 0;
    size_t end;

    for (; n > 0; n--) {
        while (line[begin] != ' ')
            begin++;
        begin++;
    }
    for (end = begin; end < len && line[end] != ' '; end++)
        ;
    return (part){line + begin, end - begin};
}

static bool is(part p, const char *word)
{
    return p.len == strlen(word) && memcmp(p.at, word, p.len) == 0;
}

/* ---- RA, ID, AC ---- */

static model_user *find_user(model *m, part name)
{
    for (unsigned i = 0; i < m->user_count; i++)
        if (m->users[i].name_len == name.len && memcmp(m->users[i].name, name.at, name.len) == 0)
            return &m->users[i];
    return NULL;
}

static model_user *find_session(model *m, part cookie)
{
    for (unsigned i = 0; i < m->user_count; i++)
        if (m->users[i].cookie != NULL && cookie.len == m->limits.cookie &&
            memcmp(m->users[i].cookie, cookie.at, cookie.len) == 0)
            return &m->users[i];
    return NULL;
}

static bool is_assigned(const model *m, const uint8_t *cookie)
{
    for (unsigned i = 0; i < m->assigned_count; i++)
        if (memcmp(m->assigned[i], cookie, m->limits.cookie) == 0)
            return true;
    return false;
}

/* REG-5: the first candidate that is not in AC, or NULL. */
static const uint8_t *draw_cookie(model *m)
{
    for (unsigned n = 0; n < REDRAWS && !m->broken; n++) {
        const uint8_t *cookie = m->candidate(m->context, m->granted + n);
        if (!is_assigned(m, cookie))
            return cookie;
    }
    return NULL;
}

static void retire_cookie(model *m, model_user *user)
{
    for (unsigned i = 0; i < m->assigned_count; i++) {
        if (memcmp(m->assigned[i], user->cookie, m->limits.cookie) == 0) {
            m->assigned[i] = m->assigned[--m->assigned_count];
            break;
        }
    }
    user->cookie = NULL;
}

static void assign_cookie(model *m, model_user *user, const uint8_t *cookie)
{
    if (user->cookie != NULL)
        retire_cookie(m, user); /* LGI-3 */
    user->cookie = keep(m, cookie, m->limits.cookie);
    m->assigned[m->assigned_count++] = user->cookie;
    m->granted++;
}

/* ---- MBX, IMQ ---- */

static void append(model_queue *queue, model_message message)
{
    queue->at[queue->count++] = message;
}

static model_message take_first(model_queue *queue)
{
    model_message first = queue->at[0];

    for (unsigned i = 1; i < queue->count; i++)
        queue->at[i - 1] = queue->at[i];
    queue->count--;
    return first;
}

static unsigned blocks_of(const model_queue *queue)
{
    unsigned blocks = 0;

    for (unsigned i = 0; i < queue->count; i++) {
        blocks++;
        for (size_t held = 50; held < queue->at[i].len; held += 60)
            blocks++;
    }
    return blocks;
}

/* MSG-5 */
static bool has_room(const model *m, const model_message *message)
{
    model_queue one = {.at = {*message}, .count = 1};
    unsigned blocks = blocks_of(&one) + blocks_of(&m->imq);
    unsigned messages = m->imq.count;
    unsigned own = 0;

    for (unsigned i = 0; i < m->user_count; i++) {
        blocks += blocks_of(&m->users[i].mailbox);
        messages += m->users[i].mailbox.count;
    }
    for (unsigned i = 0; i < m->imq.count; i++)
        own += m->imq.at[i].sender == message->sender;
    return blocks <= m->limits.blocks && messages < m->limits.messages && m->imq.count < m->limits.imq &&
           own < m->limits.share;
}

/* ---- The commands: each writes its reply and returns the length ---- */

static size_t say(uint8_t *reply, const char *words)
{
    memcpy(reply, words, strlen(words));
    return strlen(words);
}

static size_t say_ko(uint8_t *reply)
{
    return say(reply, "KO");
}

static size_t say_cookie(const model *m, uint8_t *reply, const uint8_t *cookie)
{
    memcpy(reply, "OK ", 3);
    memcpy(reply + 3, cookie, m->limits.cookie);
    return 3 + m->limits.cookie;
}

static size_t say_counted(unsigned count, uint8_t *reply)
{
    char words[24];

    (void)snprintf(words, sizeof words, "COUNTED %u", count);
    return say(reply, words);
}

static bool password_fits(const model *m, part password)
{
    return password.len >= 1 && password.len <= m->limits.password;
}

static size_t do_register(model *m, part name, part password, uint8_t *reply)
{
    if (!model_is_name(&m->limits, name.at, name.len) || !password_fits(m, password))
        return say_ko(reply); /* REG-7, REG-8 */
    if (find_user(m, name) != NULL || m->user_count == m->limits.users || m->read_only)
        return say_ko(reply); /* REG-6, REG-9 */
    const uint8_t *cookie = draw_cookie(m);
    if (cookie == NULL)
        return say_ko(reply);
    model_user *user = &m->users[m->user_count++];
    memset(user, 0, sizeof *user);
    user->name = keep(m, name.at, name.len);
    user->name_len = name.len;
    user->password = keep(m, password.at, password.len);
    user->password_len = password.len;
    assign_cookie(m, user, cookie);
    return say_cookie(m, reply, cookie);
}

static size_t do_login(model *m, part name, part password, uint8_t *reply)
{
    model_user *user = find_user(m, name);

    if (user == NULL || user->password_len != password.len ||
        memcmp(user->password, password.at, password.len) != 0 || m->read_only)
        return say_ko(reply); /* LGI-4, LGI-5 */
    const uint8_t *cookie = draw_cookie(m);
    if (cookie == NULL)
        return say_ko(reply);
    assign_cookie(m, user, cookie);
    return say_cookie(m, reply, cookie);
}

static size_t do_logout(model *m, part cookie, uint8_t *reply)
{
    model_user *user = find_session(m, cookie);

    if (user == NULL || m->read_only)
        return say_ko(reply); /* LGO-3 */
    retire_cookie(m, user);
    return say(reply, "OK");
}

static size_t do_message(model *m, const model_user *sender, part content, uint8_t *reply)
{
    model_message message = {.len = content.len, .sender = (unsigned)(sender - m->users)};

    if (content.len == 0 || content.len > m->limits.content || !has_room(m, &message) || m->read_only)
        return say_ko(reply); /* MSG-4, MSG-5 */
    message.text = keep(m, content.at, content.len);
    append(&m->imq, message);
    return say(reply, "OK");
}

static size_t do_store(model *m, model_user *user, uint8_t *reply)
{
    if (user == NULL || m->imq.count == 0 || user->mailbox.count == m->limits.mailbox || m->read_only)
        return say_ko(reply); /* STO-3, STO-4, STO-5 */
    append(&user->mailbox, m->imq.at[--m->imq.count]);
    return say(reply, "OK");
}

static size_t do_mailbox(model *m, part verb, const model_user *sender, model_user *user, uint8_t *reply)
{
    if (user == NULL)
        return say_ko(reply); /* CNT-2, DEL-2, GET-3 */
    if (is(verb, "COUNT"))
        return say_counted(user->mailbox.count, reply);
    if (user->mailbox.count == 0 || (user != sender && !m->limits.shared_mailboxes))
        return say_ko(reply); /* DEL-2, DEL-3, GET-3, GET-4 */
    if (is(verb, "DELMSG")) {
        if (m->read_only)
            return say_ko(reply);
        (void)take_first(&user->mailbox);
        return say(reply, "OK");
    }
    memcpy(reply, user->mailbox.at[0].text, user->mailbox.at[0].len);
    return user->mailbox.at[0].len;
}

/* STORE, COUNT, DELMSG, GETMSG: <username> <session cookie> */
static size_t answer_user_cookie(model *m, const uint8_t *line, size_t len, uint8_t *reply)
{
    unsigned parts = count_parts(line, len);
    part verb = get_part(line, len, 0);

    if (parts != 3 && parts != 2)
        return say_ko(reply);
    model_user *sender = parts == 3 ? find_session(m, get_part(line, len, 2)) : NULL;
    if (sender == NULL)
        return say(reply, "You should log in first.");
    model_user *user = find_user(m, get_part(line, len, 1));
    return is(verb, "STORE") ? do_store(m, user, reply) : do_mailbox(m, verb, sender, user, reply);
}

/* MESSAGE <content> <session cookie>, the content with any number of spaces (MSG-3) */
static size_t answer_message(model *m, const uint8_t *line, size_t len, uint8_t *reply)
{
    unsigned parts = count_parts(line, len);

    if (parts == 1)
        return say_ko(reply);
    part cookie = get_part(line, len, parts - 1);
    model_user *sender = parts > 2 ? find_session(m, cookie) : NULL;
    if (sender == NULL)
        return say(reply, "You should log in first."); /* MSG-2 */
    part content = {line + 8, (size_t)(cookie.at - line) - 9};
    return do_message(m, sender, content, reply);
}

size_t model_answer(model *m, const uint8_t *line, size_t len, uint8_t *reply, bool *dump)
{
    *dump = false;
    if (len > 8 + m->limits.content + 1 + m->limits.cookie || len == 0 || !model_is_text(line, len))
        return say_ko(reply); /* FRM-7, REQ-1, REQ-2 */
    part verb = get_part(line, len, 0);
    unsigned parts = count_parts(line, len);

    if (is(verb, "DUMP")) {
        *dump = true;
        return say(reply, "OK"); /* DMP-2, DMP-3 */
    }
    if (is(verb, "REGISTER") && parts == 3)
        return do_register(m, get_part(line, len, 1), get_part(line, len, 2), reply);
    if (is(verb, "LOGIN") && parts == 3)
        return do_login(m, get_part(line, len, 1), get_part(line, len, 2), reply);
    if (is(verb, "LOGOUT") && parts == 2)
        return do_logout(m, get_part(line, len, 1), reply);
    if (is(verb, "MESSAGE"))
        return answer_message(m, line, len, reply);
    if (is(verb, "STORE") || is(verb, "COUNT") || is(verb, "DELMSG") || is(verb, "GETMSG"))
        return answer_user_cookie(m, line, len, reply);
    return say_ko(reply); /* REQ-3, REQ-4, LGO-3 */
}
