/* SPDX-License-Identifier: ISC */
#include "bytes.h"

smsp_seal_next smsp_seal(const smsp_secrets *secrets, const smsp_request *request, smsp_sealed *sealed,
                         smsp_reply_code *code)
{
    sealed->verb = request->verb;
    sealed->username = request->username;
    sealed->content = request->content;
    if (request->verb == SMSP_DUMP)
        return SMSP_SEAL_EXECUTE;
    if (request->verb == SMSP_REGISTER || request->verb == SMSP_LOGIN) {
        *code = SMSP_REPLY_KO;
        if (request->username.len == 0 || request->password.len == 0)
            return SMSP_SEAL_REPLY; /* REG-7, REG-8, LGI-4, LGI-5 */
        sealed->verb = SMSP_SALT;
        return SMSP_SEAL_SALT;
    }
    if (request->cookie.len == 0) {
        *code = request->verb == SMSP_LOGOUT ? SMSP_REPLY_KO : SMSP_REPLY_LOG_IN;
        return SMSP_SEAL_REPLY; /* REQ-5 */
    }
    secrets->cookie(secrets->context, request->cookie, &sealed->cookie);
    return SMSP_SEAL_EXECUTE;
}

smsp_error smsp_seal_login(const smsp_secrets *secrets, const smsp_request *request, const smsp_salt *salt,
                           smsp_sealed *sealed, smsp_cookie *candidate)
{
    sealed->verb = request->verb;
    sealed->username = request->username;
    sealed->content = (smsp_span){request->username.at, 0};
    if (!secrets->password(secrets->context, request->password, salt, &sealed->password))
        return SMSP_BAD_SECRET;
    return smsp_seal_draw(secrets, sealed, candidate);
}

smsp_error smsp_seal_draw(const smsp_secrets *secrets, smsp_sealed *sealed, smsp_cookie *candidate)
{
    static const uint8_t digits[] = "0123456789abcdef";
    uint8_t drawn[SMSP_COOKIE_BYTES];

    if (!secrets->draw(secrets->context, drawn, sizeof drawn))
        return SMSP_BAD_SECRET;
    for (size_t i = 0; i < SMSP_COOKIE_BYTES; i++) {
        candidate->hex[2 * i] = digits[drawn[i] >> 4];
        candidate->hex[2 * i + 1] = digits[drawn[i] & 15u];
    }
    secrets->cookie(secrets->context, (smsp_span){candidate->hex, SMSP_COOKIE_LEN}, &sealed->cookie);
    return SMSP_OK;
}
