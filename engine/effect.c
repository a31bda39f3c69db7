/* SPDX-License-Identifier: ISC */
/* Effects: replaying them, and encoding and decoding them as bytes. */
#include "bytes.h"
#include "change.h"

/* A position in input that is not trusted. */
typedef struct {
    const uint8_t *at;
    size_t left;
    bool short_of; /* the input ended too early */
} reader;

#ifdef __FRAMAC__
#include "proof/effect_contracts.h"
#endif

/* ---- Shape ---- */

static bool has_content(smsp_effect_kind kind)
{
    return kind == SMSP_EFFECT_MESSAGE;
}

static bool shape_ok(const smsp_effect *effect)
{
    if (effect->kind <= SMSP_EFFECT_NONE || effect->kind >= SMSP_EFFECTS)
        return false;
    if (!smsp_name_ok(effect->username.at, effect->username.len))
        return false;
    if (!has_content(effect->kind))
        return true;
    return effect->content.len > 0 && effect->content.len <= SMSP_CONTENT_MAX &&
           smsp_text_ok(effect->content.at, effect->content.len);
}

/* ---- Replay ---- */

static bool cookie_in_use(const smsp_state *state, const smsp_effect *effect)
{
    return smsp_state_session(state, &effect->cookie) != SMSP_NIL;
}

static smsp_error replay_account(smsp_state *state, uint32_t user, const smsp_effect *effect)
{
    if (user != SMSP_NIL || (effect->has_cookie && cookie_in_use(state, effect)))
        return SMSP_BAD_EFFECT;
    return smsp_change_account(state, effect);
}

smsp_error smsp_replay(smsp_state *state, const smsp_effect *effect)
{
    if (!shape_ok(effect))
        return SMSP_BAD_EFFECT;

    uint32_t user = smsp_state_user(state, effect->username);
    if (effect->kind == SMSP_EFFECT_ACCOUNT)
        return replay_account(state, user, effect);
    if (user == SMSP_NIL)
        return SMSP_BAD_EFFECT;
    switch (effect->kind) {
    case SMSP_EFFECT_SESSION:
        return cookie_in_use(state, effect) ? SMSP_BAD_EFFECT
                                            : smsp_change_session(state, user, &effect->cookie);
    case SMSP_EFFECT_LOGOUT:
        return state->accounts[user].has_session ? smsp_change_logout(state, user) : SMSP_BAD_EFFECT;
    case SMSP_EFFECT_MESSAGE:
        return smsp_change_message(state, user, effect->content);
    case SMSP_EFFECT_STORE:
        return state->imq_count > 0 ? smsp_change_store(state, user) : SMSP_BAD_EFFECT;
    default: /* SMSP_EFFECT_DELETE: shape_ok has rejected every other kind */
        return state->accounts[user].count > 0 ? smsp_change_delete(state, user) : SMSP_BAD_EFFECT;
    }
}

/* ---- Bytes ----
 *
 *   kind 1, has_cookie 1, length of the username 1, username
 *   ACCOUNT: verifier 32, salt 16, cost 4, and if has_cookie: cookie 32
 *   SESSION: cookie 32
 *   MESSAGE: length of the content 2, content
 *
 * Numbers have their least significant byte first. */

static void put_little_endian(smsp_writer *w, uint32_t number, size_t bytes)
{
    /*@ loop invariant 0 <= i <= bytes && writer_ok(w) && w->len >= \at(w->len, Pre);
        loop assigns i, w->full, w->len, w->out[\at(w->len, Pre) .. w->size - 1];
        loop variant bytes - i;
    */
    for (size_t i = 0; i < bytes; i++)
        smsp_put_byte(w, (uint8_t)(number >> (8 * i)));
}

smsp_error smsp_effect_encode(const smsp_effect *effect, uint8_t *out, size_t size, size_t *len)
{
    smsp_writer w = {out, size, 0, false};
    bool cookie = effect->kind == SMSP_EFFECT_ACCOUNT && effect->has_cookie;

    if (!shape_ok(effect))
        return SMSP_BAD_EFFECT;
    smsp_put_byte(&w, (uint8_t)effect->kind);
    smsp_put_byte(&w, cookie);
    smsp_put_byte(&w, (uint8_t)effect->username.len);
    smsp_put_span(&w, effect->username);
    if (effect->kind == SMSP_EFFECT_ACCOUNT) {
        smsp_put(&w, effect->verifier.bytes, SMSP_TOKEN_LEN);
        smsp_put(&w, effect->salt.bytes, SMSP_SALT_LEN);
        put_little_endian(&w, effect->salt.cost, 4);
    }
    if (cookie || effect->kind == SMSP_EFFECT_SESSION)
        smsp_put(&w, effect->cookie.bytes, SMSP_TOKEN_LEN);
    if (has_content(effect->kind)) {
        put_little_endian(&w, (uint32_t)effect->content.len, 2);
        smsp_put_span(&w, effect->content);
    }
    if (w.full)
        return SMSP_NO_ROOM;
    *len = w.len;
    return SMSP_OK;
}

static smsp_span take(reader *r, size_t len)
{
    smsp_span taken = {r->at, 0};

    if (r->short_of || len > r->left) {
        r->short_of = true;
        return taken;
    }
    taken.len = len;
    r->at += len;
    r->left -= len;
    return taken;
}

static uint32_t take_little_endian(reader *r, size_t bytes)
{
    smsp_span span = take(r, bytes);
    uint32_t number = 0;

    /*@ loop invariant 0 <= i <= span.len;
        loop assigns i, number;
        loop variant span.len - i;
    */
    for (size_t i = 0; i < span.len; i++)
        number |= (uint32_t)span.at[i] << (8 * i);
    return number;
}

static void take_into(reader *r, uint8_t *out, size_t len)
{
    smsp_span span = take(r, len);
    smsp_writer w = {out, len, 0, false};

    smsp_put_span(&w, span);
}

/* What follows the username. */
static void take_parts(reader *r, smsp_effect *effect)
{
    if (effect->kind == SMSP_EFFECT_ACCOUNT) {
        take_into(r, effect->verifier.bytes, SMSP_TOKEN_LEN);
        take_into(r, effect->salt.bytes, SMSP_SALT_LEN);
        effect->salt.cost = take_little_endian(r, 4);
    }
    //@ assert reader_ok(r) && taken_from(r, \at(r->at, Pre), \at(r->left, Pre));
    if (effect->has_cookie || effect->kind == SMSP_EFFECT_SESSION)
        take_into(r, effect->cookie.bytes, SMSP_TOKEN_LEN);
    if (has_content(effect->kind))
        effect->content = take(r, take_little_endian(r, 2));
}

smsp_error smsp_effect_decode(const uint8_t *bytes, size_t len, smsp_effect *effect, size_t *used)
{
    reader r = {bytes, len, false};
    smsp_effect read = {.kind = SMSP_EFFECT_NONE};
    uint32_t kind = take_little_endian(&r, 1);
    uint32_t has_cookie = take_little_endian(&r, 1);

    if (!r.short_of &&
        (kind == 0 || kind >= SMSP_EFFECTS || has_cookie > (uint32_t)(kind == SMSP_EFFECT_ACCOUNT)))
        return SMSP_BAD_EFFECT;
    read.kind = (smsp_effect_kind)kind;
    read.has_cookie = has_cookie == 1;
    read.username = take(&r, take_little_endian(&r, 1));
    //@ assert taken_from(&r, bytes, len) && inside(read.username.at, read.username.len, bytes, len);
    //@ assert inside(r.at, r.left, bytes, len);
    take_parts(&r, &read);
    //@ assert taken_from(&r, bytes, len);
    //@ assert read.kind == SMSP_EFFECT_MESSAGE ==> inside(read.content.at, read.content.len, bytes, len);
    if (r.short_of)
        return SMSP_NEED_MORE;
    if (!shape_ok(&read))
        return SMSP_BAD_EFFECT;
    *effect = read;
    *used = len - r.left;
    return SMSP_OK;
}
