/* SPDX-License-Identifier: ISC */
/* Collects the requests that have arrived into a run, which the keeper executes without
 * another client's requests between them. A MESSAGE and its STORE stay together (FRM-11). */
#define _GNU_SOURCE
#include "worker_parts.h"

#include "clock.h"

#define PAIR_MS 20 /* for the rest of a request that follows a MESSAGE (FRM-11) */

/* The run is full. If its last request is a MESSAGE, hold that one back, so that its STORE
 * can follow it in the next run (FRM-11). */
static void take_back_message(worker *w)
{
    if (w->step_count < 2 || w->steps[w->step_count - 1].verb != SMSP_MESSAGE)
        return;
    const step *s = &w->steps[--w->step_count];
    if (s->len > 0) {
        w->entries--;
        w->entry_bytes -= s->len;
    }
    w->held[w->held_count++] = w->line;
}

/* If the run ends with a MESSAGE, the network may have cut its STORE off (FRM-11). Reads
 * what has arrived; waits for the rest of half a request, PAIR_MS at most for each run.
 * True: there are new bytes. */
static bool await_pair(worker *w)
{
    bool message = w->step_count > 0 && w->steps[w->step_count - 1].verb == SMSP_MESSAGE;
    bool half = smsp_frame_partial(&w->frame);

    if (!message || w->ended || w->late || (!half && !worker_readable(w, 0)))
        return false;
    if (SLOT_BYTES - w->entry_bytes < SLOT_REQUEST_MAX) { /* the STORE might not fit; and no line may be held while reading moves the buffer */
        take_back_message(w);
        return false;
    }
    if (half) {
        int64_t now = clock_ms();
        if (w->pair_until == 0)
            w->pair_until = now + PAIR_MS;
        if (now >= w->pair_until || !worker_readable(w, (int)(w->pair_until - now)))
            return false;
    }
    worker_read_input(w);
    return true;
}

/* Puts a request into the slot. False: there is no room for it. */
static bool plan_entry(worker *w, step *s, const smsp_tokenized *tokenized)
{
    size_t len;
    slot_error error = slot_put_request(w->slot->requests + w->entry_bytes, SLOT_BYTES - w->entry_bytes, tokenized, &len);

    if (error == SLOT_NO_ROOM)
        return false;
    if (error != SLOT_OK)
        return true; /* no entry can hold it: the reply is KO */
    s->len = (uint16_t)len;
    w->entry_bytes += len;
    w->entries++;
    return true;
}

/* Adds one line to the run. False: the run is complete. REGISTER and LOGIN have a run of
 * their own: their salt is a permit to hash, permits are few, and no other reply should
 * wait for one. */
static bool plan_line(worker *w, smsp_error framed, smsp_span line)
{
    step *s = &w->steps[w->step_count];
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
    if (next == SMSP_NEXT_SALT && w->step_count > 0) {
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
    w->step_count++;
    return next != SMSP_NEXT_SALT && s->verb != SMSP_DUMP;
}

bool worker_collect(worker *w)
{
    smsp_span line = {w->buffer, 0};
    bool more = true;

    w->step_count = 0;
    w->entries = 0;
    w->entry_bytes = 0;
    w->pair_until = 0;
    while (more && !w->broken && w->step_count < SLOT_RUN_MAX) {
        smsp_error framed = worker_next_line(w, &line);
        more = framed == SMSP_NEED_MORE ? await_pair(w) : plan_line(w, framed, line);
    }
    if (w->step_count == SLOT_RUN_MAX)
        take_back_message(w);
    return w->step_count > 0 && !w->broken;
}
