/* SPDX-License-Identifier: ISC */
/* Arbitrary values for Eva. These functions have contracts only; Eva interprets them. */
#ifndef SMSP_ANY_H
#define SMSP_ANY_H

#include "smsp.h"

extern volatile int any_source;

/* An arbitrary number from least to most; the second analyses each number separately. */
/*@ requires order: least <= most;
    assigns \result \from least, most, any_source;
    ensures between: least <= \result <= most;
*/
int Frama_C_interval(int least, int most);

/*@ requires order: least <= most;
    assigns \result \from least, most, any_source;
    ensures between: least <= \result <= most;
*/
int Frama_C_interval_split(int least, int most);

/* Sets len bytes to arbitrary values. */
/*@ requires valid: \valid(at + (0 .. len - 1));
    assigns at[0 .. len - 1] \from any_source;
    ensures written: \initialized(at + (0 .. len - 1));
*/
void Frama_C_make_unknown(char *at, size_t len);

/* 0 to most, each analysed separately. */
static inline uint32_t one_of(uint32_t most)
{
    return (uint32_t)Frama_C_interval_split(0, (int)most);
}

static inline bool any_bool(void)
{
    return Frama_C_interval(0, 1) == 1;
}

static inline size_t any_size(size_t most)
{
    return (size_t)Frama_C_interval(0, (int)most);
}

static inline smsp_token any_token(void)
{
    smsp_token token;

    Frama_C_make_unknown((char *)&token, sizeof token);
    return token;
}

static inline smsp_salt any_salt(void)
{
    smsp_salt salt;

    Frama_C_make_unknown((char *)&salt, sizeof salt);
    return salt;
}

#endif
