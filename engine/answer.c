/* SPDX-License-Identifier: ISC */
/* All steps of a request in one process: for small servers, tests and fuzzers. */
#include "bytes.h"

static bool is_question(smsp_reply_code code)
{
    return code == SMSP_REPLY_SALT || code == SMSP_REPLY_AGAIN;
}

/* A REGISTER or LOGIN: asks for the salt, tokenizes, and draws cookies until one is not
 * in use. */
static smsp_error answer_login(smsp_state *state, const smsp_secrets *secrets, const smsp_request *request,
                               smsp_tokenized *tokenized, smsp_result *result, smsp_cookie *cookie)
{
    smsp_error error = smsp_execute(state, tokenized, result);

    for (unsigned draws = 0; error == SMSP_OK && is_question(result->code); draws++) {
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

smsp_error smsp_answer(smsp_state *state, const smsp_secrets *secrets, const smsp_line *line, uint8_t *out,
                       size_t size, smsp_answer_out *what)
{
    smsp_result result = {.code = SMSP_REPLY_KO};
    smsp_request request = {.verb = SMSP_NO_VERB};
    smsp_tokenized tokenized;
    smsp_cookie cookie;
    uint8_t text[SMSP_CONTENT_MAX];

    if (size < SMSP_REPLY_MAX + 1)
        return SMSP_NO_ROOM;
    if (!line->too_long && smsp_request_parse(line->text.at, line->text.len, &request) == SMSP_OK) {
        smsp_error error = SMSP_OK;
        smsp_next_step next = smsp_tokenize(secrets, &request, &tokenized, &result.code);
        if (next == SMSP_NEXT_EXECUTE)
            error = smsp_execute(state, &tokenized, &result);
        else if (next == SMSP_NEXT_SALT)
            error = answer_login(state, secrets, &request, &tokenized, &result, &cookie);
        if (error != SMSP_OK)
            return error;
    }
    smsp_reply reply = {.code = result.code, .count = result.count};
    if (result.code == SMSP_REPLY_COOKIE)
        reply.text = (smsp_span){cookie.hex, SMSP_COOKIE_LEN};
    if (result.code == SMSP_REPLY_TEXT) {
        reply.text.at = text;
        smsp_error error = smsp_message_read(state, result.message, text, sizeof text, &reply.text.len);
        if (error != SMSP_OK)
            return error;
    }
    what->dump = request.verb == SMSP_DUMP;
    what->effect = result.effect;
    return smsp_reply_format(&reply, line->ending, out, size, &what->len);
}
