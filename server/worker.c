/* SPDX-License-Identifier: ISC */
/* The worker: one process for each client. It frames, parses, tokenizes and formats,
 * so all that touches hostile bytes happens here; it holds no mail. */
#define _GNU_SOURCE
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "sandbox/confine.h"
#include "reply_buffer.h"
#include "secret/secret.h"

#define PENALTY_MS    1000 /* for each failed login after FREE_FAILURES */
#define FREE_FAILURES 3
#define PAIR_MS       20   /* for the rest of a request that follows a MESSAGE (FRM-11) */
#define DRAIN_MS      1000 /* FRM-13 */
#define FRAME_BYTES   32768u
_Static_assert(FRAME_BYTES >= SMSP_FRAME_SIZE(SMSP_REQUEST_MAX), "the longest request fits");

/* What became of one request of a run. */
typedef struct step {
    uint16_t len; /* bytes of its entry in the slot; 0: answered here */
    uint8_t verb;
    uint8_t code; /* the reply, if answered here */
} step;

typedef struct worker {
    slot *slot;
    const server_status *status;
    framing_mode framing;
    smsp_frame frame;
    smsp_secrets secrets; /* as secret_worker gave them */
    smsp_secrets tokenizing; /* the same, remembering the last cookie */
    uint8_t last_cookie[SMSP_COOKIE_LEN];
    smsp_token last_token;
    bool has_last;
    bool ended;        /* the client sends no more */
    bool ends_here;    /* the silence or the end that ends a request has come, FRM-4, FRM-5 */
    bool broken;       /* no more can be sent, or the keeper makes no sense */
    bool late;         /* it let a time run out */
    bool partial;      /* half a request is there, since */
    int64_t since;     /* ms */
    int request_ms;    /* for a whole request to arrive, and for replies to be read */
    unsigned failures; /* of LOGIN */
    size_t dirty;      /* bytes of the buffer that were in use */

    /* The run under way, and lines that have to wait for the next one. */
    step plan[SLOT_RUN_MAX];
    uint32_t planned;
    uint32_t count; /* entries in the slot */
    size_t len;     /* and their bytes */
    smsp_span line; /* of the last step */
    smsp_span held[2];
    uint32_t held_count;
    int64_t pair_until; /* when waiting for the rest of a pair ends; 0: it has not begun */

    /* A REGISTER or LOGIN whose salt has been asked for: the last of its run. */
    smsp_request login;
    smsp_salt salt;
    bool has_salt;

    reply_buffer out;
    uint8_t buffer[FRAME_BYTES];
} worker;

/* ---- Replies ---- */

static void emit(worker *w, const smsp_reply *reply)
{
    reply_buffer_add(&w->out, reply, w->frame.ending);
    w->broken |= w->out.broken;
}

static void flush(worker *w)
{
    reply_buffer_flush(&w->out);
    w->broken |= w->out.broken;
}

static void emit_code(worker *w, smsp_reply_code code)
{
    emit(w, &(smsp_reply){.code = code});
}

static void emit_result(worker *w, const smsp_result *result, smsp_span text)
{
    if (result->code == SMSP_REPLY_SALT) {
        w->salt = result->salt;
        w->has_salt = true;
        return;
    }
    emit(w, &(smsp_reply){.code = result->code, .count = result->count, .text = text});
}

/* ---- Runs: hand over, take the replies ---- */

/* Takes the reply to plan[i] from *at on; false, and broken, if it is none. */
static bool take_reply(worker *w, size_t *at, smsp_result *result, smsp_span *text)
{
    const slot *s = w->slot;
    size_t len = 0;

    if (s->reply_len > SLOT_BYTES || *at > s->reply_len ||
        slot_get_reply(s->replies + *at, s->reply_len - *at, result, text, &len) != SLOT_OK)
        w->broken = true;
    *at += len;
    return !w->broken;
}

/* Hands over what is in the slot, the first of it plan[next], and emits the
 * replies in order. Gives back the first step that has no reply yet. */
static uint32_t exchange(worker *w, uint32_t next)
{
    size_t replies = 0;
    size_t used = 0;
    smsp_result result;
    smsp_span text;

    slot_exchange(w->slot, w->status, WAKE_FD, w->count, (uint32_t)w->len);
    uint32_t consumed = w->slot->consumed;
    if (consumed == 0 || consumed > w->count)
        w->broken = true;
    for (uint32_t left = consumed; left > 0 && !w->broken; next++) {
        const step *s = &w->plan[next];
        if (s->len == 0) {
            emit_code(w, (smsp_reply_code)s->code);
        } else if (take_reply(w, &replies, &result, &text)) {
            emit_result(w, &result, text);
            used += s->len;
            left--;
        }
    }
    if (w->broken)
        return next;
    w->count -= consumed;
    w->len -= used;
    memmove(w->slot->requests, w->slot->requests + used, w->len);
    explicit_bzero(w->slot->requests + w->len, used);
    explicit_bzero(w->slot->replies, replies);
    return next;
}

/* One exchange of one request, for REGISTER and LOGIN. */
static smsp_reply_code exchange_one(worker *w, const smsp_tokenized *tokenized)
{
    size_t replies = 0;
    size_t len;
    smsp_result result;
    smsp_span text;

    if (slot_put_request(w->slot->requests, SLOT_BYTES, tokenized, &len) != SLOT_OK)
        return SMSP_REPLY_KO;
    slot_exchange(w->slot, w->status, WAKE_FD, 1, (uint32_t)len);
    return take_reply(w, &replies, &result, &text) ? result.code : SMSP_REPLY_KO;
}

/* Guessing passwords is slow work: known names and unknown ones alike. */
static void delay_failed_login(worker *w)
{
    if (++w->failures <= FREE_FAILURES)
        return;
    flush(w);
    (void)poll(NULL, 0, PENALTY_MS);
}

/* The salt has come: hash the password, and draw cookies until one is free (REG-5). */
static void finish_login(worker *w)
{
    smsp_tokenized tokenized;
    smsp_cookie candidate;
    smsp_reply reply = {.code = SMSP_REPLY_KO, .text = {candidate.hex, SMSP_COOKIE_LEN}};
    smsp_error error = smsp_tokenize_login(&w->secrets, &w->login, &w->salt, &tokenized, &candidate);

    for (unsigned draws = 1; error == SMSP_OK; draws++) {
        reply.code = exchange_one(w, &tokenized);
        if (reply.code != SMSP_REPLY_AGAIN)
            break;
        reply.code = SMSP_REPLY_KO;
        error = draws < SMSP_DRAWS_MAX ? smsp_draw_cookie(&w->secrets, &tokenized, &candidate) : SMSP_BAD_SECRET;
    }
    w->has_salt = false;
    explicit_bzero(w->buffer + (w->login.password.at - w->buffer), w->login.password.len);
    explicit_bzero(w->slot->requests, SLOT_REQUEST_MAX);
    explicit_bzero(&tokenized, sizeof tokenized);
    if (w->login.verb == SMSP_LOGIN && reply.code == SMSP_REPLY_KO)
        delay_failed_login(w);
    emit(w, &reply);
    explicit_bzero(&candidate, sizeof candidate);
}

static void answer_run(worker *w)
{
    uint32_t next = 0;
    const step *first = &w->plan[0];

    if (first->len > 0 && (first->verb == SMSP_REGISTER || first->verb == SMSP_LOGIN))
        flush(w); /* a hash takes long; no permit yet, so a client that does not read holds none */
    while (next < w->planned && !w->broken) {
        if (w->plan[next].len == 0)
            emit_code(w, (smsp_reply_code)w->plan[next++].code);
        else
            next = exchange(w, next);
    }
    if (w->has_salt && !w->broken)
        finish_login(w);
}

/* ---- Runs: collect ---- */

/* Reads what has come, or waits for it. */
static void read_input(worker *w)
{
    size_t room;
    uint8_t *at = smsp_frame_room(&w->frame, &room);
    ssize_t got = read(CLIENT_FD, at, room);

    if (got > 0)
        w->broken = smsp_frame_fed(&w->frame, (size_t)got) != SMSP_OK;
    else if (got == 0) {
        w->ended = true;
        w->ends_here = w->framing != FRAMING_TERMINATED;
    } else if (errno == EAGAIN)
        w->late = true; /* the socket's own timeout, that of an idle client */
    else if (errno != EINTR)
        w->broken = true;
    if (w->frame.end > w->dirty)
        w->dirty = w->frame.end;
}

/* Without a word about the client to be had, it is given up rather than waited for. */
static bool readable(worker *w, int milliseconds)
{
    struct pollfd client = {.fd = CLIENT_FD, .events = POLLIN};
    int ready = poll(&client, 1, milliseconds);

    w->broken |= ready < 0;
    return ready > 0;
}

static smsp_error next_line(worker *w, smsp_span *line)
{
    if (w->held_count > 0) {
        *line = w->held[--w->held_count];
        return SMSP_OK;
    }
    smsp_error error = smsp_frame_next(&w->frame, line);
    if (error == SMSP_NEED_MORE && w->ends_here) {
        w->ends_here = false;
        error = smsp_frame_end_here(&w->frame, line);
    }
    return error;
}

/* The run is full. If it would end with a MESSAGE, that waits for the next run
 * too, so that its STORE can follow it there (FRM-11). */
static void take_back_message(worker *w)
{
    if (w->planned < 2 || w->plan[w->planned - 1].verb != SMSP_MESSAGE)
        return;
    const step *s = &w->plan[--w->planned];
    if (s->len > 0) {
        w->count--;
        w->len -= s->len;
    }
    w->held[w->held_count++] = w->line;
}

/* FRM-11: a MESSAGE is the last that is here, and its STORE may be on its way: half
 * of it has come, or the cut was right between the two. Waits for the rest of a
 * half, PAIR_MS in all for a run; true if there is something new. */
static bool await_pair(worker *w)
{
    bool message = w->planned > 0 && w->plan[w->planned - 1].verb == SMSP_MESSAGE;
    bool half = smsp_frame_partial(&w->frame);

    if (!message || w->ended || w->late || (!half && !readable(w, 0)))
        return false;
    if (SLOT_BYTES - w->len < SLOT_REQUEST_MAX) { /* it might not fit, and fetch moves the lines */
        take_back_message(w);
        return false;
    }
    if (half) {
        int64_t now = clock_ms();
        if (w->pair_until == 0)
            w->pair_until = now + PAIR_MS;
        if (now >= w->pair_until || !readable(w, (int)(w->pair_until - now)))
            return false;
    }
    read_input(w);
    return true;
}

/* Puts a tokenized request into the slot; false if there is no room for it. */
static bool plan_entry(worker *w, step *s, const smsp_tokenized *tokenized)
{
    size_t len;
    slot_error error = slot_put_request(w->slot->requests + w->len, SLOT_BYTES - w->len, tokenized, &len);

    if (error == SLOT_NO_ROOM)
        return false;
    if (error != SLOT_OK)
        return true; /* no entry can say it: the KO stays */
    s->len = (uint16_t)len;
    w->len += len;
    w->count++;
    return true;
}

/* Adds one line to the run; false if the run is complete. The salt that REGISTER
 * and LOGIN ask for is a permit to hash, of which there are few: it comes in a run
 * of its own, so that no reply waits for a permit, and no permit for a client that
 * does not read its replies. */
static bool plan_line(worker *w, smsp_error framed, smsp_span line)
{
    step *s = &w->plan[w->planned];
    smsp_request request;
    smsp_tokenized tokenized = {.verb = SMSP_DUMP};
    smsp_reply_code code = SMSP_REPLY_KO;
    smsp_next_step next = SMSP_NEXT_REPLY;

    *s = (step){.verb = SMSP_NO_VERB};
    if (framed == SMSP_OK && smsp_request_parse(line.at, line.len, &request) == SMSP_OK) {
        s->verb = (uint8_t)request.verb;
        next = smsp_tokenize(&w->tokenizing, &request, &tokenized, &code);
    }
    s->code = (uint8_t)code;
    if (next == SMSP_NEXT_SALT && w->planned > 0) {
        w->held[w->held_count++] = line;
        return false;
    }
    if (next != SMSP_NEXT_REPLY && !plan_entry(w, s, &tokenized)) {
        w->held[w->held_count++] = line;
        take_back_message(w);
        return false;
    }
    if (next == SMSP_NEXT_SALT)
        w->login = request;
    w->line = line;
    w->planned++;
    return next != SMSP_NEXT_SALT && s->verb != SMSP_DUMP;
}

/* Collects the requests that are there; false if there are none. */
static bool fill_run(worker *w)
{
    smsp_span line = {w->buffer, 0};
    bool more = true;

    w->planned = 0;
    w->count = 0;
    w->len = 0;
    w->pair_until = 0;
    while (more && !w->broken && w->planned < SLOT_RUN_MAX) {
        smsp_error framed = next_line(w, &line);
        more = framed == SMSP_NEED_MORE ? await_pair(w) : plan_line(w, framed, line);
    }
    if (w->planned == SLOT_RUN_MAX)
        take_back_message(w);
    return w->planned > 0 && !w->broken;
}

/* ---- The client ---- */

/* Waits for bytes, for the silence that ends a request, or for the client's end. */
static void receive(worker *w)
{
    int timeout = w->framing == FRAMING_TERMINATED ? -1 : smsp_frame_silence_ms(&w->frame);
    int64_t left = w->since + w->request_ms - clock_ms();

    if (w->partial && left < (timeout < 0 ? INT32_MAX : timeout)) {
        w->late = left <= 0 || !readable(w, (int)left);
        timeout = -1;
    }
    if (w->late || w->broken)
        return;
    if (timeout < 0 || readable(w, timeout))
        read_input(w);
    else
        w->ends_here = true;
}

/* What a client has sent is kept no longer than it takes to answer it. */
static void wipe_input(worker *w)
{
    if (w->partial)
        return;
    explicit_bzero(w->buffer, w->dirty);
    explicit_bzero(w->last_cookie, sizeof w->last_cookie);
    w->has_last = false;
    w->dirty = 0;
}

static void serve(worker *w)
{
    while (!w->ended && !w->broken && !w->late) {
        bool whole = false;
        receive(w);
        for (; fill_run(w); whole = true)
            answer_run(w);
        flush(w);
        bool partial = smsp_frame_partial(&w->frame);
        if (partial && (whole || !w->partial))
            w->since = clock_ms();
        w->partial = partial;
        wipe_input(w);
    }
}

/* FRM-13: no reset destroys the last reply. */
static void close_gracefully(worker *w)
{
    int64_t until = clock_ms() + DRAIN_MS;

    if (w->ended) /* all that it sent has been read, so no reset can come */
        return;
    if (shutdown(CLIENT_FD, SHUT_WR) != 0)
        return;
    for (int64_t left = DRAIN_MS; left > 0; left = until - clock_ms()) {
        if (!readable(w, (int)left) || read(CLIENT_FD, w->buffer, sizeof w->buffer) <= 0)
            return;
    }
}

/* Pipelined requests mostly bring the same cookie: its token is remembered. */
static void cookie_token(void *context, smsp_span cookie, smsp_token *out)
{
    worker *w = context;

    if (!w->has_last || cookie.len != sizeof w->last_cookie ||
        memcmp(w->last_cookie, cookie.at, sizeof w->last_cookie) != 0) {
        w->secrets.cookie(w->secrets.context, cookie, &w->last_token);
        w->has_last = cookie.len == sizeof w->last_cookie;
        memcpy(w->last_cookie, cookie.at, w->has_last ? sizeof w->last_cookie : 0);
    }
    *out = w->last_token;
}

noreturn void worker_run(const server_options *options, const slots *all, uint32_t mine, int client,
                         pid_t parent)
{
    static worker w; /* zero pages until they are used */

    if (!confine_worker(options, all, mine, client, parent)) {
        log_line("a worker cannot be confined: %s", log_reason(errno));
        _exit(1);
    }
    w.slot = slots_at(all, mine);
    w.status = all->status;
    w.framing = options->framing;
    w.request_ms = (int)options->request_seconds * 1000;
    w.out.client = CLIENT_FD;
    w.out.timeout_ms = w.request_ms;
    w.out.course = options->framing == FRAMING_COURSE;
    secret_worker(&w.secrets);
    w.tokenizing = w.secrets;
    w.tokenizing.context = &w;
    w.tokenizing.cookie = cookie_token;
    if (smsp_frame_init(&w.frame, w.buffer, sizeof w.buffer, SMSP_REQUEST_MAX) != SMSP_OK)
        _exit(1);
    serve(&w);
    w.partial = false;
    wipe_input(&w);
    secret_wipe();
    close_gracefully(&w);
    _exit(0);
}
