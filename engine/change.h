/* SPDX-License-Identifier: ISC */
/* The six changes that a state can undergo, one for each kind of effect. Each
 * is all or nothing, and within a batch leaves in the journal what takes it
 * back. The callers have checked who may do what; here it is about room. */
#ifndef SMSP_CHANGE_H
#define SMSP_CHANGE_H

#include "state.h"

/* All: SMSP_FULL if a limit is reached or the state is read-only, then
 * SMSP_JOURNAL_FULL if the batch is full. */

/* The account of an SMSP_EFFECT_ACCOUNT, with an empty mailbox and, if it has a
 * cookie, a session. Name and cookie must not be in use. */
smsp_error smsp_change_account(smsp_state *state, const smsp_effect *account) SMSP_MUST_USE;

/* cookie, which is not in use, becomes the user's session. */
smsp_error smsp_change_session(smsp_state *state, uint32_t user, const smsp_token *cookie) SMSP_MUST_USE;

/* The user has a session; it ends. */
smsp_error smsp_change_logout(smsp_state *state, uint32_t user) SMSP_MUST_USE;

/* content, 1 to SMSP_CONTENT_MAX bytes, goes onto the IMQ. */
smsp_error smsp_change_message(smsp_state *state, uint32_t sender, smsp_span content) SMSP_MUST_USE;

/* The IMQ is not empty: its most recent message goes to the end of the mailbox. */
smsp_error smsp_change_store(smsp_state *state, uint32_t user) SMSP_MUST_USE;

/* The mailbox is not empty: its first message goes. */
smsp_error smsp_change_delete(smsp_state *state, uint32_t user) SMSP_MUST_USE;

#endif
