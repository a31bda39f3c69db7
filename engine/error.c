/* SPDX-License-Identifier: ISC */
/* One sentence for each result. */
#include "smsp.h"

const char *smsp_strerror(smsp_error error)
{
    switch (error) {
    case SMSP_OK:
        return "no error";
    case SMSP_NEED_MORE:
        return "the input is not complete yet";
    case SMSP_TOO_LONG:
        return "the line is longer than the protocol allows";
    case SMSP_BAD_BYTES:
        return "the text contains a control character or is not UTF-8";
    case SMSP_BAD_VERB:
        return "the first word is not a command of the protocol";
    case SMSP_BAD_PARTS:
        return "the command has too few or too many parts, or a part that cannot be sent";
    case SMSP_BAD_REPLY:
        return "this is not a reply to the request";
    case SMSP_BAD_EFFECT:
        return "the effect is malformed or does not apply to this state";
    case SMSP_BAD_LIMITS:
        return "a limit is zero, or the state would be too large";
    case SMSP_BAD_SECRET:
        return "hashing a password or drawing a cookie failed";
    case SMSP_NO_ROOM:
        return "the buffer or memory is too small";
    case SMSP_FULL:
        return "a limit of the state is reached";
    case SMSP_JOURNAL_FULL:
        return "the journal of the batch is full; commit it first";
    case SMSP_STOPPED:
        return "a callback stopped the call";
    case SMSP_ERROR_COUNT:
        break;
    }
    return "unknown error";
}
