/* What turns passwords and cookies into tokens, and where randomness comes from.
 * secret_none.c needs only libc. */
#ifndef SECRET_H
#define SECRET_H

#include "smsp.h"

/* What is built in, for start-up and --version. */
const char *secret_about(void);

/* Supervisor, before the first fork: draws the keys. False: no randomness. */
bool secret_init(void) SMSP_MUST_USE;

/* Worker: its callbacks for smsp_seal. */
void secret_worker(smsp_secrets *out);

/* Keeper: fills in keys, cost and verifier, and forgets what only workers need.
 * False: no randomness. */
bool secret_keeper(smsp_config *config) SMSP_MUST_USE;

/* Wipes the keys of this process. */
void secret_wipe(void);

#endif
