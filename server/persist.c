/* SPDX-License-Identifier: ISC */
/* Commits the changes of a batch to the store before its replies are sent. */
#define _GNU_SOURCE
#include "persist.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"
#include "log.h"
#include "secret/secret.h"
#include "slot.h"

#define PROBE_MS 200 /* between two tests whether the store accepts batches again */
#define LOOK_MS  100 /* between two looks for other writers */

void *persist_reserve(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (at != MAP_FAILED)
        return at;
    log_line("not enough memory for this many accounts, messages and text: %s; lower --max-accounts, --max-messages "
             "or --max-text",
             log_reason(errno));
    return NULL;
}

/* ---- Loading ---- */

/* The cost of new passwords, and those of the accounts (LGI-5). */
static void publish_costs(const persist *p)
{
    uint32_t costs[LOGIN_COSTS] = {p->config.cost};
    uint32_t count = 1 + store_costs(p->store, costs + 1, LOGIN_COSTS - 1);

    for (uint32_t i = 0; i < LOGIN_COSTS; i++) {
        bool again = i > 0 && costs[i] == p->config.cost;
        atomic_store(&p->costs[i], i < count && !again ? costs[i] : 0);
    }
}

/* Fills a new state from the store; p->memory is zero. */
static bool load(persist *p)
{
    smsp_error error = smsp_state_init(p->memory, p->size, &p->config, &p->state);

    if (error != SMSP_OK) {
        log_line("%s", smsp_strerror(error));
        return false;
    }
    if (!store_load(p->store, p->state))
        return false;
    publish_costs(p);
    return true;
}

/* Memory for the state, all zero. */
static bool reserve_state(persist *p)
{
    p->memory = persist_reserve(p->size);
    if (p->memory == NULL)
        return false;
    if (madvise(p->memory, p->size, MADV_HUGEPAGE) != 0)
        (void)0; /* a kernel without large pages: slower with many accounts, not wrong */
    return true;
}

/* Another program has written: loads the state from the database again. */
static bool reload(persist *p)
{
    log_line("another program has written to the database, or may have: loading it again");
    if (munmap(p->memory, p->size) != 0) {
        log_line("cannot give back the memory of the mail: %s", log_reason(errno));
        return false;
    }
    if (!reserve_state(p) || !load(p))
        return false;
    smsp_state_read_only(p->state, p->read_only);
    return true;
}

static void set_read_only(persist *p, bool read_only)
{
    if (p->read_only == read_only)
        return;
    if (read_only)
        log_line("nothing can be kept at the moment, changes are answered KO: %s", store_why(p->store));
    else
        log_line("changes are kept again");
    p->read_only = read_only;
    p->probe_at = 0; /* the next batch tries at once: the cause may be gone already */
    smsp_state_read_only(p->state, read_only);
}

bool persist_open(persist *p, const server_options *options, _Atomic uint32_t *costs)
{
    *p = (persist){.costs = costs, .config = {.limits = options->limits, .shared_mailboxes = options->shared_mailboxes}};
    if (!secret_keeper(&p->config, options->test_cost)) {
        log_line("cannot draw random numbers: %s", log_reason(errno));
        return false;
    }
    secret_wipe(); /* only workers need the keys of tokens */
    p->size = smsp_state_size(&options->limits);
    if (!reserve_state(p))
        return false;
    if (options->data != NULL) {
        store_at(options->data_name);
        p->store = store_open(options->data, p->config.salt_key);
        if (p->store == NULL)
            return false;
    }
    if (!load(p))
        return false;
    if (!store_probe(p->store))
        set_read_only(p, true);
    return true;
}

void persist_close(persist *p)
{
    store_close(p->store);
    p->store = NULL;
}

/* ---- Batches ---- */

static void try_to_write_again(persist *p, int64_t now)
{
    if (store_probe(p->store))
        set_read_only(p, false);
    else
        p->probe_at = now + PROBE_MS;
}

/* Checks whether another program has written, and whether changes can be stored again. */
static bool look_around(persist *p)
{
    int64_t now = clock_ms();

    if (now >= p->look_at) {
        p->look_at = now + LOOK_MS;
        if (store_changed(p->store) && !reload(p))
            return false;
    }
    if (p->read_only && now >= p->probe_at)
        try_to_write_again(p, now);
    return true;
}

bool persist_begin(persist *p)
{
    if (p->store != NULL && !p->again && !look_around(p))
        return false;
    smsp_begin(p->state);
    store_begin(p->store);
    return true;
}

void persist_effect(persist *p, const smsp_effect *effect)
{
    store_apply(p->store, effect);
}

persist_result persist_commit(persist *p)
{
    store_result kept = store_commit(p->store);
    bool reloaded = p->reloaded;

    p->reloaded = false;
    p->again = kept != STORE_DONE;
    if (kept == STORE_DONE) {
        smsp_commit(p->state);
        return PERSIST_DONE;
    }
    smsp_rollback(p->state);
    if (kept == STORE_UNKNOWN) {
        log_line("it is unknown whether the last changes were kept: %s", store_why(p->store));
        return PERSIST_FATAL;
    }
    if (kept == STORE_CHANGED && !reloaded) {
        p->reloaded = true;
        return reload(p) ? PERSIST_RETRY : PERSIST_FATAL;
    }
    set_read_only(p, true);
    return PERSIST_RETRY;
}
