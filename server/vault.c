/* SPDX-License-Identifier: ISC */
#define _GNU_SOURCE
#include "vault.h"

#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "log.h"
#include "secret.h"

#define PROBE_MS 200 /* between two tries to keep something again */
#define LOOK_MS  100 /* between two looks for other writers */

void *vault_set_aside(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (at != MAP_FAILED)
        return at;
    log_line("not enough memory for this many accounts, messages and text: lower the limits");
    return NULL;
}

/* ---- Loading ---- */

/* Fills a new state from the store; v->memory is zero. */
static bool load(vault *v)
{
    smsp_error error = smsp_state_init(v->memory, v->size, &v->config, &v->state);

    if (error != SMSP_OK) {
        log_line("%s", smsp_strerror(error));
        return false;
    }
    return store_load(v->store, v->state);
}

/* Somebody else has written: what they left is the state. */
static bool reload(vault *v)
{
    log_line("another program has written to the database, or may have: loading it again");
    if (madvise(v->memory, v->size, MADV_DONTNEED) != 0 || !load(v))
        return false;
    smsp_state_read_only(v->state, v->read_only);
    return true;
}

static void set_read_only(vault *v, bool read_only)
{
    if (v->read_only == read_only)
        return;
    if (read_only)
        log_line("nothing can be kept at the moment, changes are answered KO: %s", store_why(v->store));
    else
        log_line("changes are kept again");
    v->read_only = read_only;
    v->probe_at = 0; /* the next batch tries at once: it may have been for a moment only */
    smsp_state_read_only(v->state, read_only);
}

bool vault_open(vault *v, const server_options *options)
{
    *v = (vault){.config = {.limits = options->limits, .shared_mailboxes = options->shared_mailboxes}};
    if (!secret_keeper(&v->config, options->test_cost)) {
        log_line("no randomness to be had");
        return false;
    }
    v->size = smsp_state_size(&options->limits);
    v->memory = vault_set_aside(v->size);
    if (v->memory == NULL)
        return false;
    if (madvise(v->memory, v->size, MADV_HUGEPAGE) != 0)
        (void)0; /* a kernel without large pages: slower with many accounts, not wrong */
    if (options->data != NULL) {
        v->store = store_open(options->data, v->config.salt_key);
        if (v->store == NULL)
            return false;
    }
    if (!load(v))
        return false;
    if (!store_probe(v->store))
        set_read_only(v, true);
    return true;
}

void vault_close(vault *v)
{
    store_close(v->store);
    v->store = NULL;
}

/* ---- Batches ---- */

static void try_to_write_again(vault *v, int64_t now)
{
    if (store_probe(v->store))
        set_read_only(v, false);
    else
        v->probe_at = now + PROBE_MS;
}

/* Has somebody else written? Can changes be kept again? */
static bool look_around(vault *v)
{
    int64_t now = clock_ms();

    if (now >= v->look_at) {
        v->look_at = now + LOOK_MS;
        if (store_changed(v->store) && !reload(v))
            return false;
    }
    if (v->read_only && now >= v->probe_at)
        try_to_write_again(v, now);
    return true;
}

bool vault_begin(vault *v)
{
    if (v->store != NULL && !v->again && !look_around(v))
        return false;
    smsp_begin(v->state);
    store_begin(v->store);
    return true;
}

void vault_keep(vault *v, const smsp_effect *effect)
{
    store_apply(v->store, effect);
}

vault_result vault_end(vault *v)
{
    store_result kept = store_commit(v->store);
    bool reloaded = v->reloaded;

    v->reloaded = false;
    v->again = kept != STORE_DONE;
    if (kept == STORE_DONE) {
        smsp_commit(v->state);
        return VAULT_KEPT;
    }
    smsp_rollback(v->state);
    if (kept == STORE_UNKNOWN) {
        log_line("it is unknown whether the last changes were kept: %s", store_why(v->store));
        return VAULT_LOST;
    }
    if (kept == STORE_CHANGED && !reloaded) {
        v->reloaded = true;
        return reload(v) ? VAULT_AGAIN : VAULT_LOST;
    }
    set_read_only(v, true);
    return VAULT_AGAIN;
}
