/* Confines workers and the keeper to what they need. sandbox_none.c confines
 * nothing, and says so. */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "smsp.h"

/* The active layers, for start-up and --version. */
const char *sandbox_about(void);

/* Supervisor, before the first fork: prepares what can be. False: it could not. */
bool sandbox_prepare(void) SMSP_MUST_USE;

/* Worker, before its first byte from the network: descriptors 0 (the client),
 * 1 (the eventfd) and 2 are open. False: not confined, so the worker must end. */
bool sandbox_worker(void) SMSP_MUST_USE;

/* Keeper, when its state is loaded. False as above. */
bool sandbox_keeper(void) SMSP_MUST_USE;

#endif
