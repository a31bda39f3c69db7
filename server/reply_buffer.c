/* SPDX-License-Identifier: ISC */
/* Collects replies and writes them to the client together. */
#define _GNU_SOURCE
#include "reply_buffer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

void reply_buffer_flush(reply_buffer *out)
{
    size_t done = 0;
    int64_t until = clock_ms() + out->timeout_ms;

    while (done < out->len && !out->broken) {
        ssize_t sent = write(out->client, out->bytes + done, out->len - done);
        if (sent < 0 && errno != EINTR)
            out->broken = true;
        done += sent > 0 ? (size_t)sent : 0;
        if (done < out->len && clock_ms() >= until)
            out->broken = true;
    }
    explicit_bzero(out->bytes, out->len);
    out->len = 0;
}

void reply_buffer_add(reply_buffer *out, const smsp_reply *reply, smsp_ending ending)
{
    size_t len = 0;

    if (ending == SMSP_ENDS_SILENCE && out->course)
        ending = SMSP_ENDS_NUL;
    if (sizeof out->bytes - out->len < SMSP_REPLY_MAX + 1)
        reply_buffer_flush(out);
    if (smsp_reply_format(reply, ending, out->bytes + out->len, sizeof out->bytes - out->len, &len) !=
        SMSP_OK)
        out->broken = true;
    out->len += len;
}
