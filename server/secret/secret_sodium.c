/* SPDX-License-Identifier: ISC */
/* Secrets with libsodium: Argon2id for passwords, BLAKE2b for all else. Nothing
 * here is secret itself, so tokens mean the same after a restart. */
#include "secret.h"

#include <sodium.h>
#include <stdio.h>

/* The cost of a password: passes and KiB of memory in one number, as it is kept
 * beside each salt. OWASP's m = 19 MiB, t = 2, p = 1. */
#define COST(passes, kib) ((uint32_t)(passes) << 24 | (uint32_t)(kib))
#define COST_FULL         COST(2, 19 * 1024)
#define COST_TEST         COST(1, 8)
#define LEAST_MS          10u /* of COST_FULL: 38 MiB written and read */
#define PASSES_MAX        10u           /* limits for a cost that comes from a database, */
#define KIB_MAX           (64u * 1024u) /* which somebody else may have written */

#define STACK_USED 16384u /* bytes of stack to wipe: more than Argon2id uses */

_Static_assert(SMSP_SALT_LEN == crypto_pwhash_argon2id_SALTBYTES, "a salt is Argon2id's");

/* Each use of BLAKE2b has a key of its own, so that a hash is valid for one use only. */
static const uint8_t for_cookies[] = "smsp: a session cookie";
static const uint8_t for_verifiers[] = "smsp: a password verifier";

const char *secret_about(void)
{
    static char about[64];

    (void)snprintf(about, sizeof about, "Argon2id and BLAKE2b (libsodium %s)", sodium_version_string());
    return about;
}

bool secret_lasts(void)
{
    return true;
}

bool secret_init(void)
{
    return sodium_init() >= 0;
}

/* If randomness fails, libsodium ends the program. */
static bool draw(void *context, uint8_t *out, size_t len)
{
    (void)context;
    randombytes_buf(out, len);
    return true;
}

/* The lengths are right at compile time, so it cannot fail. */
static void hash(const uint8_t *key, size_t key_len, const uint8_t *at, size_t len, smsp_token *out)
{
    (void)crypto_generichash(out->bytes, SMSP_TOKEN_LEN, at, len, key, key_len);
}

static void cookie_token(void *context, smsp_span cookie, smsp_token *out)
{
    (void)context;
    hash(for_cookies, sizeof for_cookies, cookie.at, cookie.len, out);
}

static bool password_token(void *context, smsp_span password, const smsp_salt *salt, smsp_token *out)
{
    uint32_t passes = salt->cost >> 24;
    uint32_t kib = salt->cost & 0xffffff;

    (void)context;
    if (passes == 0 || passes > PASSES_MAX || kib < 8 || kib > KIB_MAX)
        return false;
    int failed = crypto_pwhash(out->bytes, SMSP_TOKEN_LEN, (const char *)password.at, password.len,
                               salt->bytes, passes, (size_t)kib * 1024, crypto_pwhash_ALG_ARGON2ID13);
    sodium_stackzero(STACK_USED);
    return failed == 0;
}

static void verifier(void *context, const smsp_token *token, smsp_token *out)
{
    (void)context;
    hash(for_verifiers, sizeof for_verifiers, token->bytes, SMSP_TOKEN_LEN, out);
}

void secret_worker(smsp_secrets *out)
{
    *out = (smsp_secrets){.draw = draw, .password = password_token, .cookie = cookie_token};
}

bool secret_keeper(smsp_config *config, bool test_cost)
{
    config->cost = test_cost ? COST_TEST : COST_FULL;
    config->verifier = verifier;
    randombytes_buf(config->hash_key, SMSP_KEY_LEN);
    randombytes_buf(config->salt_key, SMSP_KEY_LEN);
    return true;
}

uint32_t secret_least_ms(bool test_cost)
{
    return test_cost ? 0 : LEAST_MS;
}

void secret_wipe(void)
{
    /* There are no keys. */
}
