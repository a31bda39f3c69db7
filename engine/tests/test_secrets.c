/* SPDX-License-Identifier: ISC */
/* Salts, and what the state keeps of passwords and cookies. */
#include "state.h"
#include "test_support.h"

/* The salt of an unknown name does not change, and a new account of this name gets it. */
static void salts(void **data)
{
    world *w = *data;
    smsp_tokenized ask = {.verb = SMSP_SALT, .username = SPAN("alice")};
    smsp_result before, after, other;
    cookie_text alice;

    assert_int_equal(smsp_execute(w->state, &ask, &before), SMSP_OK);
    assert_int_equal(before.code, SMSP_REPLY_SALT);
    assert_int_equal(before.salt.cost, 7);
    enter(w, "REGISTER", "alice", alice);
    assert_int_equal(smsp_execute(w->state, &ask, &after), SMSP_OK);
    assert_memory_equal(&before.salt, &after.salt, sizeof before.salt);
    ask.username = SPAN("alicf");
    assert_int_equal(smsp_execute(w->state, &ask, &other), SMSP_OK);
    assert_memory_not_equal(before.salt.bytes, other.salt.bytes, SMSP_SALT_LEN);
    assert_memory_not_equal(before.salt.bytes, before.salt.bytes + 8, 8);
}

/* REGISTER of a name that is taken gets its KO instead of the salt; a free name gets the salt. */
static void salt_of_a_new_name(void **data)
{
    world *w = *data;
    smsp_tokenized ask = {.verb = SMSP_SALT_NEW, .username = SPAN("alice")};
    smsp_tokenized login = {.verb = SMSP_SALT, .username = SPAN("alice")};
    smsp_result new, old;
    cookie_text alice;

    assert_int_equal(smsp_execute(w->state, &ask, &new), SMSP_OK);
    assert_int_equal(new.code, SMSP_REPLY_SALT);
    assert_int_equal(smsp_execute(w->state, &login, &old), SMSP_OK);
    assert_memory_equal(&new.salt, &old.salt, sizeof new.salt);
    enter(w, "REGISTER", "alice", alice);
    assert_int_equal(smsp_execute(w->state, &ask, &new), SMSP_OK);
    assert_int_equal(new.code, SMSP_REPLY_KO);
    assert_int_equal(new.effect.kind, SMSP_EFFECT_NONE);
    ask.username = SPAN("alicf");
    assert_int_equal(smsp_execute(w->state, &ask, &new), SMSP_OK);
    assert_int_equal(new.code, SMSP_REPLY_SALT);
    ask.verb = SMSP_REGISTER; /* two clients asked for the salt before either registered */
    ask.username = SPAN("alice");
    assert_int_equal(smsp_execute(w->state, &ask, &new), SMSP_OK);
    assert_int_equal(new.code, SMSP_REPLY_KO);
    assert_int_equal(new.effect.kind, SMSP_EFFECT_NONE);
}

/* 62 names, so that a byte of the salt that is constant or has few values is detected. */
static void each_byte_of_a_salt_varies(void **data)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    world *w = *data;
    smsp_tokenized ask = {.verb = SMSP_SALT};
    smsp_result result;

    for (size_t byte = 0; byte < SMSP_SALT_LEN; byte++) {
        bool seen[256] = {false};
        size_t different = 0;
        for (size_t i = 0; i < sizeof letters - 1; i++) {
            ask.username = (smsp_span){(const uint8_t *)&letters[i], 1};
            assert_int_equal(smsp_execute(w->state, &ask, &result), SMSP_OK);
            different += !seen[result.salt.bytes[byte]];
            seen[result.salt.bytes[byte]] = true;
        }
        assert_in_range(different, 40, 62);
    }
}

static void each_byte_of_a_name_counts_for_its_salt(void **data)
{
    world *w = *data;
    uint8_t name[SMSP_NAME_MAX];
    smsp_tokenized ask = {.verb = SMSP_SALT, .username = {name, sizeof name}};
    smsp_result one, other;

    memset(name, 'n', sizeof name);
    assert_int_equal(smsp_execute(w->state, &ask, &one), SMSP_OK);
    for (size_t i = 0; i < sizeof name; i++) {
        name[i] = 'm';
        assert_int_equal(smsp_execute(w->state, &ask, &other), SMSP_OK);
        assert_memory_not_equal(one.salt.bytes, other.salt.bytes, 8);
        assert_memory_not_equal(one.salt.bytes + 8, other.salt.bytes + 8, 8);
        assert_int_equal(other.salt.cost, 7);
        name[i] = 'n';
    }
}

/* The state keeps the verifier, not the token of the password. */
static void kept_secrets(void **data)
{
    world *w = *data;
    cookie_text alice;
    smsp_token password, verifier;
    smsp_salt salt = {.cost = 0};
    smsp_span word = SPAN("password");

    enter(w, "REGISTER", "alice", alice);
    salt = w->what.effect.salt;
    assert_true(test_password(w, word, &salt, &password));
    test_verifier(NULL, &password, &verifier);
    assert_memory_equal(&w->what.effect.verifier, &verifier, sizeof verifier);
}

/* Without a verifier the state keeps the tokens. A token of zeros, which represents an unknown
 * user's account, opens no account. */
static void tokens_without_a_verifier(void **data)
{
    world *w = *data;
    cookie_text alice;
    smsp_result result;
    smsp_tokenized tokenized = {.verb = SMSP_LOGIN, .username = SPAN("nobody"), .cookie = {{1}}};

    w->state->config.verifier = NULL;
    enter(w, "REGISTER", "alice", alice);
    smsp_salt salt = w->what.effect.salt;
    assert_true(test_password(NULL, SPAN("password"), &salt, &tokenized.password));
    assert_memory_equal(&w->what.effect.verifier, &tokenized.password, sizeof tokenized.password);
    enter(w, "LOGIN", "alice", alice);
    tokenized.password = (smsp_token){{0}};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(smsp_execute(w->state, &tokenized, &result), SMSP_OK);
        assert_int_equal(result.code, SMSP_REPLY_KO);
        tokenized.username = SPAN("alice");
    }
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(salts),
        test(salt_of_a_new_name),
        test(each_byte_of_a_salt_varies),
        test(each_byte_of_a_name_counts_for_its_salt),
        test(kept_secrets),
        test(tokens_without_a_verifier),
    };
    return cmocka_run_group_tests_name("secrets", tests, NULL, NULL);
}
