/* SPDX-License-Identifier: ISC */
/* smsp_dump: what DUMP prints (DMP-1, DMP-5, DMP-6). */
#include "bytes.h"
#include "state.h"

/* Prints until write returns false. */
typedef struct {
    const smsp_state *state;
    smsp_write write;
    void *context;
    bool stopped;
} printer;

static void print(printer *p, const uint8_t *at, size_t len)
{
    if (!p->stopped)
        p->stopped = !p->write(p->context, at, len);
}

/* "<indent><name>: <number><end>"; the name may be empty, and then has no indent. */
static void print_heading(printer *p, const char *indent, size_t indent_len, smsp_span name, uint32_t number)
{
    uint8_t line[8 + SMSP_NAME_MAX + 16];
    smsp_writer w = {line, sizeof line, 0, false};

    smsp_put(&w, (const uint8_t *)indent, indent_len);
    smsp_put_span(&w, name);
    SMSP_PUT_WORD(&w, ": ");
    smsp_put_number(&w, number);
    smsp_put_byte(&w, '\n');
    print(p, line, w.len);
}

static void print_message(printer *p, size_t indent, uint32_t number, uint32_t message)
{
    uint8_t line[8 + 16];
    smsp_writer w = {line, sizeof line, 0, false};

    smsp_put(&w, (const uint8_t *)"    ", indent);
    smsp_put_number(&w, number);
    SMSP_PUT_WORD(&w, ": ");
    print(p, line, w.len);
    if (!p->stopped)
        p->stopped = !smsp_pool_write(&p->state->pool, message, p->write, p->context);
    print(p, (const uint8_t *)"\n", 1);
}

static void print_mailbox(printer *p, const smsp_account *account)
{
    uint32_t message = account->first;

    print_heading(p, "  ", 2, smsp_account_name(account), account->count);
    for (uint32_t i = 0; i < account->count && !p->stopped; i++) {
        print_message(p, 4, i + 1, message);
        message = smsp_pool_message(&p->state->pool, message)->next;
    }
}

smsp_error smsp_dump(const smsp_state *state, smsp_write write, void *context)
{
    printer p = {state, write, context, false};

    print_heading(&p, "IMQ", 3, (smsp_span){NULL, 0}, state->imq_count);
    for (uint32_t i = 0; i < state->imq_count && !p.stopped; i++)
        print_message(&p, 2, i + 1, state->imq[i]);
    print_heading(&p, "MBX", 3, (smsp_span){NULL, 0}, state->account_count);
    for (uint32_t user = 0; user < state->account_count && !p.stopped; user++)
        print_mailbox(&p, &state->accounts[user]);
    return p.stopped ? SMSP_STOPPED : SMSP_OK;
}
