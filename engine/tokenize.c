/* SPDX-License-Identifier: ISC */
/* Replaces the password and the cookie of a request by tokens, and draws cookies. */
#include "commands.h"

smsp_next_step smsp_tokenize(const smsp_secrets *secrets, const smsp_request *request, smsp_tokenized *tokenized,
                             smsp_reply_code *code)
{
    tokenized->verb = request->verb;
    tokenized->username = request->username;
    tokenized->content = request->content;
    *code = SMSP_REPLY_KO;
    if ((unsigned)request->verb >= SMSP_VERBS)
        return SMSP_NEXT_REPLY;
    smsp_parts parts = commands[request->verb].parts;
    if (parts == SMSP_PARTS_NONE)
        return SMSP_NEXT_EXECUTE;
    if (parts == SMSP_PARTS_NAME_PASSWORD) {
        if (request->username.len == 0 || request->password.len == 0)
            return SMSP_NEXT_REPLY; /* REG-7, REG-8, LGI-4, LGI-5 */
        tokenized->verb = request->verb == SMSP_REGISTER ? SMSP_SALT_NEW : SMSP_SALT;
        return SMSP_NEXT_SALT;
    }
    if (request->cookie.len == 0) {
        *code = commands[request->verb].unknown_cookie;
        return SMSP_NEXT_REPLY; /* REQ-5 */
    }
    secrets->cookie(secrets->context, request->cookie, &tokenized->cookie);
    return SMSP_NEXT_EXECUTE;
}

smsp_error smsp_tokenize_login(const smsp_secrets *secrets, const smsp_request *request, const smsp_salt *salt,
                               smsp_tokenized *tokenized, smsp_cookie *candidate)
{
    tokenized->verb = request->verb;
    tokenized->username = request->username;
    tokenized->content = (smsp_span){request->username.at, 0};
    if (!secrets->password(secrets->context, request->password, salt, &tokenized->password))
        return SMSP_BAD_SECRET;
    return smsp_draw_cookie(secrets, tokenized, candidate);
}

smsp_error smsp_draw_cookie(const smsp_secrets *secrets, smsp_tokenized *tokenized, smsp_cookie *candidate)
{
    static const uint8_t digits[] = "0123456789abcdef";
    uint8_t drawn[SMSP_COOKIE_BYTES];

    if (!secrets->draw(secrets->context, drawn, sizeof drawn))
        return SMSP_BAD_SECRET;
    for (size_t i = 0; i < SMSP_COOKIE_BYTES; i++) {
        candidate->hex[2 * i] = digits[drawn[i] >> 4];
        candidate->hex[2 * i + 1] = digits[drawn[i] & 15u];
    }
    secrets->cookie(secrets->context, (smsp_span){candidate->hex, SMSP_COOKIE_LEN}, &tokenized->cookie);
    return SMSP_OK;
}
