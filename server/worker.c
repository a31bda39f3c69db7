/* SPDX-License-Identifier: ISC */
/* The worker: one process for each client. It frames, parses, tokenizes and formats:
 * all hostile bytes are handled here, and it has no mail. */
#define _GNU_SOURCE
#include "worker.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "sandbox/confine.h"
#include "secret/secret.h"
#include "worker_parts.h"

#define DRAIN_MS 1000 /* FRM-13 */

/* Requests hold secrets: they are wiped as soon as they are answered. The part of a request
 * that has arrived stays. */
static void wipe_input(worker *w)
{
    size_t start = w->partial ? w->frame.start : 0;
    size_t end = w->partial ? w->frame.end : 0;

    explicit_bzero(w->buffer, start);
    explicit_bzero(w->buffer + end, w->dirty - end);
    explicit_bzero(w->last_cookie, sizeof w->last_cookie);
    explicit_bzero(&w->last_token, sizeof w->last_token);
    explicit_bzero(&w->login, sizeof w->login);
    w->has_last = false;
    w->dirty = end;
}

static void serve(worker *w)
{
    while (!w->ended && !w->broken && !w->late) {
        bool whole = false;
        worker_receive(w);
        for (; worker_collect(w); whole = true)
            worker_answer(w);
        worker_flush(w);
        bool partial = smsp_frame_partial(&w->frame); /* its time begins when its first bytes are here */
        if (partial && (whole || !w->partial))
            w->partial_since = clock_ms();
        w->partial = partial;
        wipe_input(w);
    }
}

/* Reads what the client still sends, so that no reset destroys the last reply (FRM-13). */
static void close_gracefully(worker *w)
{
    int64_t until = clock_ms() + DRAIN_MS;

    if (w->ended) /* everything was read, so there is no reset */
        return;
    if (shutdown(CLIENT_FD, SHUT_WR) != 0)
        return;
    for (int64_t left = DRAIN_MS; left > 0; left = until - clock_ms()) {
        if (!worker_readable(w, (int)left) || read(CLIENT_FD, w->buffer, sizeof w->buffer) <= 0)
            return;
    }
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
    w.end = slots_end_of(all, mine, WAKE_FD);
    w.framing = options->framing;
    w.request_ms = (int)options->request_seconds * 1000;
    w.replies.client = CLIENT_FD;
    w.replies.timeout_ms = w.request_ms;
    w.replies.course = options->framing == FRAMING_COURSE;
    secret_worker(&w.secrets);
    w.tokenizing = w.secrets;
    w.tokenizing.context = &w;
    w.tokenizing.cookie = worker_cookie_token;
    if (smsp_frame_init(&w.frame, w.buffer, sizeof w.buffer, SMSP_REQUEST_MAX) != SMSP_OK)
        _exit(1);
    serve(&w);
    w.partial = false;
    wipe_input(&w);
    secret_wipe();
    close_gracefully(&w);
    _exit(0);
}
