/* SPDX-License-Identifier: ISC */
/* The tables of a state, and lookups in them. Only change.c writes to them. */
#ifndef SMSP_STATE_H
#define SMSP_STATE_H

#include "pool.h"
#include "table.h"
#include "smsp.h"

/* RA, ID and MBX of one user. Accounts are numbered in the order of registration. */
typedef struct smsp_account {
    uint8_t name[SMSP_NAME_MAX];
    uint8_t name_len;
    bool has_session;
    uint32_t first; /* the mailbox: a queue of messages, oldest first */
    uint32_t last;
    uint32_t count;
    uint32_t on_imq; /* messages of this sender on the IMQ */
    smsp_salt salt;
    smsp_token verifier; /* of the password */
    smsp_token cookie;   /* if has_session */
} smsp_account;

/* What undoes one change. */
typedef struct smsp_undo {
    smsp_effect_kind kind;
    uint32_t account;
    uint32_t message;
    uint32_t before;     /* STORE: the last message of the mailbox before the change */
    bool had_session;    /* SESSION */
    smsp_token cookie;   /* SESSION, LOGOUT: the cookie before the change */
} smsp_undo;

struct smsp_state {
    smsp_config config; /* limits with imq and share filled in */
    smsp_account *accounts;
    uint32_t account_count;
    uint32_t session_count;
    uint32_t message_count; /* in IMQ and MBX */
    smsp_table by_name;     /* RA: username to account */
    smsp_table by_cookie;   /* AC: cookie token to account */
    smsp_pool pool;
    uint32_t *imq; /* IMQ: messages, the most recent last */
    uint32_t imq_count;
    smsp_undo *journal; /* since begin */
    uint32_t journal_count;
    uint32_t deleted_count; /* messages whose text is freed at commit */
    bool in_batch;
    bool read_only;
};

/* Bytes between the tables, so that smsp_state_check detects a write past one of them. */
#define SMSP_GAP 64u
#define SMSP_GAP_BYTE 0xa5u

#define SMSP_GAPS 9u

/* The offsets of the gaps in the memory of the state; false if the limits are not valid. */
bool smsp_state_gaps(const smsp_limits *limits, size_t gaps[SMSP_GAPS]);

uint64_t smsp_state_hash(const smsp_state *state, const uint8_t *at, size_t len);

/* Return the account with this name or this cookie, or SMSP_NIL. */
uint32_t smsp_state_user(const smsp_state *state, smsp_span name);
uint32_t smsp_state_session(const smsp_state *state, const smsp_token *cookie);

static inline smsp_span smsp_account_name(const smsp_account *account)
{
    return (smsp_span){account->name, account->name_len};
}

/* The salt of the account; for an unknown name, the salt that a new account would get, so
 * that a client cannot distinguish the two (LGI-5). */
smsp_salt smsp_state_salt(const smsp_state *state, smsp_span name);

#endif
