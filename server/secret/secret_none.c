/* SPDX-License-Identifier: ISC */
/* Secrets of a build without libsodium: keyed hashes instead of Argon2id. */
#define _GNU_SOURCE
#include "secret.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "siphash.h"

/* Four keyed hashes of 64 bits make a token. Cookies and passwords have keys of
 * their own, so that a token of one kind is never valid as the other. */
#define HASHES (SMSP_TOKEN_LEN / 8u)

typedef struct token_keys {
    uint8_t cookie[HASHES][SMSP_KEY_LEN];
    uint8_t password[HASHES][SMSP_KEY_LEN];
} token_keys;

static token_keys keys;

const char *secret_about(void)
{
    return "keyed SipHash of passwords and cookies (built without libsodium)";
}

static bool draw(void *context, uint8_t *out, size_t len)
{
    size_t have = 0;

    (void)context;
    while (have < len) {
        ssize_t got = getrandom(out + have, len - have, 0);
        if (got < 0 && errno != EINTR)
            return false;
        have += got > 0 ? (size_t)got : 0;
    }
    return true;
}

static void hash(uint8_t key[HASHES][SMSP_KEY_LEN], const uint8_t *at, size_t len, smsp_token *out)
{
    for (size_t i = 0; i < HASHES; i++) {
        uint64_t part = smsp_siphash(key[i], at, len);
        memcpy(out->bytes + 8 * i, &part, 8);
    }
}

static void cookie_token(void *context, smsp_span cookie, smsp_token *out)
{
    (void)context;
    hash(keys.cookie, cookie.at, cookie.len, out);
}

static bool password_token(void *context, smsp_span password, const smsp_salt *salt, smsp_token *out)
{
    uint8_t salted[SMSP_SALT_LEN + SMSP_PASSWORD_MAX];

    (void)context;
    if (password.len > SMSP_PASSWORD_MAX)
        return false;
    memcpy(salted, salt->bytes, SMSP_SALT_LEN);
    if (password.len > 0)
        memcpy(salted + SMSP_SALT_LEN, password.at, password.len);
    hash(keys.password, salted, SMSP_SALT_LEN + password.len, out);
    explicit_bzero(salted, sizeof salted);
    return true;
}

bool secret_lasts(void)
{
    return false; /* the keys die with the server */
}

bool secret_init(void)
{
    return draw(NULL, (uint8_t *)&keys, sizeof keys);
}

void secret_worker(smsp_secrets *out)
{
    *out = (smsp_secrets){.draw = draw, .password = password_token, .cookie = cookie_token};
}

bool secret_keeper(smsp_config *config, bool test_cost)
{
    (void)test_cost; /* a SipHash costs next to nothing anyway */
    return draw(NULL, config->hash_key, SMSP_KEY_LEN) && draw(NULL, config->salt_key, SMSP_KEY_LEN);
}

uint32_t secret_least_ms(bool test_cost)
{
    (void)test_cost;
    return 0;
}

void secret_wipe(void)
{
    explicit_bzero(&keys, sizeof keys);
}
