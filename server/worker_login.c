/* SPDX-License-Identifier: ISC */
/* REGISTER and LOGIN: the only requests that need a password hash and a new cookie. */
#define _GNU_SOURCE
#include "worker_parts.h"

#include <string.h>

#include "sandbox/confine.h"

/* Pipelined requests mostly carry the same cookie. */
void worker_cookie_token(void *context, smsp_span cookie, smsp_token *out)
{
    worker *w = context;

    if (!w->has_last || cookie.len != sizeof w->last_cookie ||
        memcmp(w->last_cookie, cookie.at, sizeof w->last_cookie) != 0) {
        w->secrets.cookie(w->secrets.context, cookie, &w->last_token);
        w->has_last = cookie.len == sizeof w->last_cookie;
        memcpy(w->last_cookie, cookie.at, w->has_last ? sizeof w->last_cookie : 0);
    }
    *out = w->last_token;
}

/* Hands one request over and returns the code of its reply. */
static smsp_reply_code exchange_one(worker *w, const smsp_tokenized *tokenized)
{
    size_t replies = 0;
    size_t len;
    smsp_result result;
    smsp_span text;

    if (slot_put_request(w->slot->requests, SLOT_BYTES, tokenized, &len) != SLOT_OK)
        return SMSP_REPLY_KO;
    slot_exchange(&w->end, 1, (uint32_t)len);
    return worker_take_reply(w, &replies, &result, &text) ? result.code : SMSP_REPLY_KO;
}

/* A LOGIN costs the same for every name, known or not: its password is hashed at each cost that
 * some account has, too (LGI-5). */
static void pay_other_costs(const worker *w)
{
    smsp_salt salt = w->salt;
    smsp_token unused;

    for (uint32_t i = 0; i < LOGIN_COSTS; i++) {
        salt.cost = atomic_load_explicit(&w->end.status->costs[i], memory_order_relaxed);
        if (salt.cost != 0 && salt.cost != w->salt.cost &&
            w->secrets.password(w->secrets.context, w->login.password, &salt, &unused))
            explicit_bzero(&unused, sizeof unused);
    }
}

/* Draws cookies until one is not assigned (REG-5). */
void worker_finish_login(worker *w)
{
    smsp_tokenized tokenized;
    smsp_cookie candidate;
    smsp_reply reply = {.code = SMSP_REPLY_KO, .text = {candidate.hex, SMSP_COOKIE_LEN}};

    if (w->login.verb == SMSP_LOGIN)
        pay_other_costs(w);
    smsp_error error = smsp_tokenize_login(&w->secrets, &w->login, &w->salt, &tokenized, &candidate);

    for (unsigned draws = 1; error == SMSP_OK; draws++) {
        reply.code = exchange_one(w, &tokenized);
        if (reply.code != SMSP_REPLY_AGAIN)
            break;
        reply.code = SMSP_REPLY_KO;
        error = draws < SMSP_DRAWS_MAX ? smsp_draw_cookie(&w->secrets, &tokenized, &candidate) : SMSP_BAD_SECRET;
    }
    w->has_salt = false;
    explicit_bzero(w->buffer + (w->login.password.at - w->buffer), w->login.password.len);
    explicit_bzero(w->slot->requests, SLOT_REQUEST_MAX);
    explicit_bzero(&tokenized, sizeof tokenized);
    worker_reply(w, &reply);
    explicit_bzero(&candidate, sizeof candidate);
}
