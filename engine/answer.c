/* SPDX-License-Identifier: ISC */
#include "bytes.h"

/* A REGISTER or LOGIN: ask for the salt, tokenize, and draw cookies until one is
 * not assigned. */
static smsp_error answer_login(smsp_state *state, const smsp_secrets *secrets, const smsp_request *request,
                               smsp_tokenized *tokenized, smsp_result *result, smsp_cookie *cookie)
{
    smsp_error error = smsp_execute(state, tokenized, result);

    for (unsigned draws = 0; error == SMSP_OK && result->code >= SMSP_REPLIES; draws++) { /* SALT, then AGAIN */
        smsp_error drawn = SMSP_BAD_SECRET;
        if (draws == 0)
            drawn = smsp_tokenize_login(secrets, request, &result->salt, tokenized, cookie);
        else if (draws < SMSP_DRAWS_MAX)
            drawn = smsp_draw_cookie(secrets, tokenized, cookie);
        if (drawn != SMSP_OK)
            result->code = SMSP_REPLY_KO;
        else
            error = smsp_execute(state, tokenized, result);
    }
    return error;
}

smsp_error smsp_answer(smsp_state *state, const smsp_secrets *secrets, smsp_error framed, smsp_span line,
                       smsp_ending ending, uint8_t *out, size_t size, size_t *len, smsp_answer_out *what)
{
    smsp_result result = {.code = SMSP_REPLY_KO};
    smsp_request request;
    smsp_tokenized tokenized;
    smsp_cookie cookie;
    uint8_t text[SMSP_CONTENT_MAX];
    smsp_reply reply = {.code = SMSP_REPLY_KO};
    smsp_error error = framed == SMSP_OK ? smsp_request_parse(line.at, line.len, &request) : framed;
    bool dump = error == SMSP_OK && request.verb == SMSP_DUMP;

    if (size < SMSP_REPLY_MAX + 1)
        return SMSP_NO_ROOM;
    if (error == SMSP_OK) {
        smsp_next_step next = smsp_tokenize(secrets, &request, &tokenized, &result.code);
        if (next == SMSP_NEXT_EXECUTE)
            error = smsp_execute(state, &tokenized, &result);
        else if (next == SMSP_NEXT_SALT)
            error = answer_login(state, secrets, &request, &tokenized, &result, &cookie);
        if (error != SMSP_OK)
            return error;
    }
    reply.code = result.code;
    reply.count = result.count;
    if (result.code == SMSP_REPLY_COOKIE)
        reply.text = (smsp_span){cookie.hex, SMSP_COOKIE_LEN};
    if (result.code == SMSP_REPLY_TEXT) {
        reply.text.at = text;
        error = smsp_message_read(state, result.message, text, sizeof text, &reply.text.len);
        if (error != SMSP_OK)
            return error;
    }
    what->dump = dump;
    what->effect = result.effect;
    return smsp_reply_format(&reply, ending, out, size, len);
}
