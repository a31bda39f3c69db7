/* SPDX-License-Identifier: ISC */
/* The minimal server with a check that always finds its state damaged, for a test. */
#define _GNU_SOURCE
#include "smsp.h"

static const char *always_damaged(const smsp_state *state)
{
    (void)state;
    return "damaged by the test";
}

#define smsp_state_check always_damaged
#include "../minimal/smspd-minimal.c" // NOLINT(bugprone-suspicious-include): the same with another check
