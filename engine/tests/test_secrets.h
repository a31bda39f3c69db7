/* SPDX-License-Identifier: ISC */
/* Predictable secrets, the same on every machine, for tests and for programs that
 * compare replies. */
#ifndef SMSP_TEST_SECRETS_H
#define SMSP_TEST_SECRETS_H

#include <string.h>

#include "siphash.h"
#include "smsp.h"

/* A token depends on the bytes and the domain, not on the byte order of the machine. */
static inline void test_token(uint8_t domain, const uint8_t *at, size_t len, smsp_token *out)
{
    for (uint8_t part = 0; part < SMSP_TOKEN_LEN / 8; part++) {
        const uint8_t key[SMSP_KEY_LEN] = {domain, part};
        uint64_t hash = smsp_siphash(key, at, len);
        for (size_t i = 0; i < 8; i++)
            out->bytes[8u * part + i] = (uint8_t)(hash >> (8 * i));
    }
}

/* "Randomness" for smsp_secrets: context is an uint32_t that counts the draws. */
static inline bool test_draw_counted(void *context, uint8_t *out, size_t len)
{
    uint32_t *count = context;
    uint8_t input[4];
    smsp_token drawn;

    ++*count;
    for (size_t i = 0; i < sizeof input; i++)
        input[i] = (uint8_t)(*count >> (8 * i));
    test_token(4, input, sizeof input, &drawn);
    memcpy(out, drawn.bytes, len < SMSP_TOKEN_LEN ? len : SMSP_TOKEN_LEN);
    return true;
}

static inline bool test_password(void *context, smsp_span password, const smsp_salt *salt, smsp_token *out)
{
    uint8_t input[SMSP_SALT_LEN + SMSP_PASSWORD_MAX];

    (void)context;
    memcpy(input, salt->bytes, SMSP_SALT_LEN);
    memcpy(input + SMSP_SALT_LEN, password.at, password.len);
    test_token(1, input, SMSP_SALT_LEN + password.len, out);
    return true;
}

static inline void test_cookie(void *context, smsp_span cookie, smsp_token *out)
{
    (void)context;
    test_token(2, cookie.at, cookie.len, out);
}

static inline void test_verifier(void *context, const smsp_token *token, smsp_token *out)
{
    (void)context;
    test_token(3, token->bytes, SMSP_TOKEN_LEN, out);
}

#endif
