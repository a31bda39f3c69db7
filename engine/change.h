/* SPDX-License-Identifier: ISC */
/* The six changes of a state, one for each kind of effect. Each happens completely or not
 * at all, and in a batch it records in the journal what undoes it. The caller has checked
 * permissions; a change checks limits. */
#ifndef SMSP_CHANGE_H
#define SMSP_CHANGE_H

#include "state.h"

/* Each returns SMSP_OK, SMSP_FULL if a limit is reached or the state is read-only, or
 * SMSP_JOURNAL_FULL if the journal is full. user and sender are account numbers. */

/* Adds the account of an SMSP_EFFECT_ACCOUNT, with an empty mailbox and, if it has a
 * cookie, a session. Its username and cookie must not be in use. */
smsp_error smsp_change_account(smsp_state *state, const smsp_effect *account) SMSP_MUST_USE;

/* Replaces the user's session by cookie, which must not be in use. */
smsp_error smsp_change_session(smsp_state *state, uint32_t user, const smsp_token *cookie) SMSP_MUST_USE;

/* Ends the user's session; there must be one. */
smsp_error smsp_change_logout(smsp_state *state, uint32_t user) SMSP_MUST_USE;

/* Puts content, 1 to SMSP_CONTENT_MAX bytes, onto the IMQ. */
smsp_error smsp_change_message(smsp_state *state, uint32_t sender, smsp_span content) SMSP_MUST_USE;

/* Moves the most recent message of the IMQ, which must not be empty, to the end of the
 * mailbox. */
smsp_error smsp_change_store(smsp_state *state, uint32_t user) SMSP_MUST_USE;

/* Removes the first message of the mailbox, which must not be empty. */
smsp_error smsp_change_delete(smsp_state *state, uint32_t user) SMSP_MUST_USE;

#endif
