/* SPDX-License-Identifier: ISC */
/* Bytes from the client, and the silences that end a request (FRM-4, FRM-5). */
#define _GNU_SOURCE
#include "worker_parts.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "clock.h"
#include "sandbox/confine.h"

bool worker_readable(worker *w, int milliseconds)
{
    struct pollfd client = {.fd = CLIENT_FD, .events = POLLIN};
    int ready = poll(&client, 1, milliseconds);

    w->broken |= ready < 0; /* if poll fails, drop the client */
    return ready > 0;
}

void worker_read_input(worker *w)
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
        w->late = true; /* the socket's own timeout: the client is idle */
    else if (errno != EINTR)
        w->broken = true;
    if (w->frame.end > w->dirty)
        w->dirty = w->frame.end;
}

smsp_error worker_next_line(worker *w, smsp_span *line)
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

void worker_receive(worker *w)
{
    int timeout = w->framing == FRAMING_TERMINATED ? -1 : smsp_frame_silence_ms(&w->frame);
    int64_t left = w->partial_since + w->request_ms - clock_ms();

    if (w->partial && left < (timeout < 0 ? INT32_MAX : timeout)) {
        w->late = left <= 0 || !worker_readable(w, (int)left);
        timeout = -1;
    }
    if (w->late || w->broken)
        return;
    if (timeout < 0 || worker_readable(w, timeout))
        worker_read_input(w);
    else
        w->ends_here = true;
}
