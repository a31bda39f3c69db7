/* SPDX-License-Identifier: ISC */
/* What turns passwords and cookies into tokens, and where randomness comes from:
 * secret_sodium.c, or secret_none.c that needs only libc. */
#ifndef SECRET_H
#define SECRET_H

#include "smsp.h"

/* What is built in, for start-up and --version. */
const char *secret_about(void);

/* Do tokens mean the same after a restart? Only then may they be stored. */
bool secret_lasts(void);

/* Supervisor, before the first fork: draws the keys. False: no randomness. */
bool secret_init(void) SMSP_MUST_USE;

/* Worker: its callbacks for smsp_tokenize. */
void secret_worker(smsp_secrets *out);

/* Keeper: sets keys, verifier, and the cost of new passwords (almost none if test_cost).
 * False: no randomness. */
bool secret_keeper(smsp_config *config, bool test_cost) SMSP_MUST_USE;

/* The least time that hashing a password takes on any machine, in ms. */
uint32_t secret_least_ms(bool test_cost);

/* Wipes the keys of this process. */
void secret_wipe(void);

#endif
