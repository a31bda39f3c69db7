/* SPDX-License-Identifier: ISC */
/* Hands a run of requests to the keeper and turns its results into replies, in order. */
#define _GNU_SOURCE
#include "worker_parts.h"

#include <string.h>

#include "sandbox/confine.h"

/* ---- Replies ---- */

void worker_reply(worker *w, const smsp_reply *reply)
{
    reply_buffer_add(&w->replies, reply, w->frame.ending);
    w->broken |= w->replies.broken;
}

void worker_flush(worker *w)
{
    reply_buffer_flush(&w->replies);
    w->broken |= w->replies.broken;
}

static void reply_code(worker *w, smsp_reply_code code)
{
    worker_reply(w, &(smsp_reply){.code = code});
}

static void reply_result(worker *w, const smsp_result *result, smsp_span text)
{
    if (result->code == SMSP_REPLY_SALT) {
        w->salt = result->salt;
        w->has_salt = true;
        return;
    }
    worker_reply(w, &(smsp_reply){.code = result->code, .count = result->count, .text = text});
}

/* ---- Hand over, take the replies ---- */

bool worker_take_reply(worker *w, size_t *at, smsp_result *result, smsp_span *text)
{
    const slot *s = w->slot;
    size_t len = 0;

    if (s->reply_len > SLOT_BYTES || *at > s->reply_len ||
        slot_get_reply(s->replies + *at, s->reply_len - *at, result, text, &len) != SLOT_OK)
        w->broken = true;
    *at += len;
    return !w->broken;
}

/* Hands over the entries in the slot, the first of which belongs to steps[next], and
 * replies in order. Returns the first step that has no reply yet. */
static uint32_t exchange(worker *w, uint32_t next)
{
    size_t replies = 0;
    size_t used = 0;
    smsp_result result;
    smsp_span text;

    slot_exchange(&w->end, w->entries, (uint32_t)w->entry_bytes);
    uint32_t consumed = w->slot->consumed;
    if (consumed == 0 || consumed > w->entries)
        w->broken = true;
    for (uint32_t left = consumed; left > 0 && !w->broken; next++) {
        const step *s = &w->steps[next];
        if (s->len == 0) {
            reply_code(w, (smsp_reply_code)s->code);
        } else if (worker_take_reply(w, &replies, &result, &text)) {
            reply_result(w, &result, text);
            used += s->len;
            left--;
        }
    }
    if (w->broken)
        return next;
    w->entries -= consumed;
    w->entry_bytes -= used;
    memmove(w->slot->requests, w->slot->requests + used, w->entry_bytes);
    explicit_bzero(w->slot->requests + w->entry_bytes, used);
    explicit_bzero(w->slot->replies, replies);
    return next;
}

void worker_answer(worker *w)
{
    uint32_t next = 0;
    const step *first = &w->steps[0];

    if (first->len > 0 && (first->verb == SMSP_REGISTER || first->verb == SMSP_LOGIN))
        worker_flush(w); /* before asking for a permit: a client that reads nothing must not hold one */
    while (next < w->step_count && !w->broken) {
        if (w->steps[next].len == 0)
            reply_code(w, (smsp_reply_code)w->steps[next++].code);
        else
            next = exchange(w, next);
    }
    if (w->has_salt && !w->broken)
        worker_finish_login(w);
}
