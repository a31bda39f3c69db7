/* SPDX-License-Identifier: ISC */
#include "smsp.h"

const char *smsp_strerror(smsp_error error)
{
    switch (error) {
    case SMSP_OK:
        return "no error";
    case SMSP_NEED_MORE:
        return "not all of it has arrived yet";
    case SMSP_TOO_LONG:
        return "the line is longer than the protocol allows";
    case SMSP_BAD_BYTES:
        return "the text holds a control character or is not UTF-8";
    case SMSP_BAD_VERB:
        return "the first word is no command of the protocol";
    case SMSP_BAD_PARTS:
        return "the command has too few or too many parts, or one that cannot be sent";
    case SMSP_BAD_REPLY:
        return "this is no reply that the request could have";
    case SMSP_BAD_EFFECT:
        return "the effect is misshapen or does not apply to this state";
    case SMSP_BAD_LIMITS:
        return "a limit is zero, or the state would be too large";
    case SMSP_BAD_SECRET:
        return "a password could not be hashed or a cookie not drawn";
    case SMSP_NO_ROOM:
        return "the buffer or the memory given is too small";
    case SMSP_FULL:
        return "a limit of the state is reached";
    case SMSP_JOURNAL_FULL:
        return "the batch holds as many effects as it may; commit it first";
    case SMSP_STOPPED:
        return "the caller stopped it";
    case SMSP_ERROR_COUNT:
        break;
    }
    return "unknown error";
}
