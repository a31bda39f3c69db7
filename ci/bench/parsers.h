/* SPDX-License-Identifier: ISC */
/* Two more parsers for the grammar of PROTOCOL.md, section 2, to compare ours
 * with: one that re2c makes, one of the kind people write with strtok. Both
 * take what the grammar allows and nothing else; they do not tell a misshapen
 * part from a missing one, which is less work than ours does. */
#ifndef BENCH_PARSERS_H
#define BENCH_PARSERS_H

#include "smsp.h"

/* A NUL stands behind the len bytes. The spans point into the line. */
bool parse_by_re2c(const uint8_t *line, size_t len, smsp_request *request);

/* The same; the spans point into a buffer of its own, until the next call. */
bool parse_by_strtok(const uint8_t *line, size_t len, smsp_request *request);

#endif
