/* SPDX-License-Identifier: ISC */
/* Contracts of the static functions of effect.c. */
#ifndef SMSP_EFFECT_CONTRACTS_H
#define SMSP_EFFECT_CONTRACTS_H

/*@ assigns \nothing;
    ensures \result <==> kind == SMSP_EFFECT_MESSAGE;
*/
static bool has_content(smsp_effect_kind kind);

/*@ requires \valid_read(effect) && \valid_read(effect->username.at + (0 .. effect->username.len - 1));
    requires effect->kind == SMSP_EFFECT_MESSAGE ==> \valid_read(effect->content.at + (0 .. effect->content.len - 1));
    assigns \nothing;
    ensures \result <==> well_shaped(effect);
*/
static bool shape_ok(const smsp_effect *effect);

/*@ requires \valid(w) && writer_ok(w) && bytes <= 4;
    assigns w->full, w->len, w->out[w->len .. w->size - 1];
    ensures writer_ok(w) && w->len >= \old(w->len);
*/
static void put_little_endian(smsp_writer *w, uint32_t number, size_t bytes);

/*@ predicate reader_ok(reader *r) =
        \valid_read(r->at + (0 .. r->left - 1)) && (r->short_of == 0 || r->short_of == 1);

    // r has advanced from a reader at `at` with `left` bytes
    predicate taken_from(reader *r, uint8_t *at, integer left) = r->left <= left && r->at == at + (left - r->left);
*/

/*@ requires \valid(r) && reader_ok(r);
    assigns r->at, r->left, r->short_of;
    ensures reader_ok(r) && taken_from(r, \old(r->at), \old(r->left));
    ensures \result.at == \old(r->at) && (\result.len == 0 || \result.len == len);
    ensures \result.len == \old(r->left) - r->left;
    ensures \old(r->short_of) ==> r->short_of;
    ensures !r->short_of ==> \result.len == len;
*/
static smsp_span take(reader *r, size_t len);

/*@ requires \valid(r) && reader_ok(r) && bytes <= 4;
    assigns r->at, r->left, r->short_of;
    ensures reader_ok(r) && taken_from(r, \old(r->at), \old(r->left));
    ensures \old(r->short_of) ==> r->short_of;
    ensures !r->short_of ==> r->left == \old(r->left) - bytes;
*/
static uint32_t take_little_endian(reader *r, size_t bytes);

/*@ requires \valid(r) && reader_ok(r) && \valid(out + (0 .. len - 1));
    requires \separated(r, r->at + (0 .. r->left - 1), out + (0 .. len - 1));
    assigns r->at, r->left, r->short_of, out[0 .. len - 1];
    ensures reader_ok(r) && taken_from(r, \old(r->at), \old(r->left));
    ensures \old(r->short_of) ==> r->short_of;
*/
static void take_into(reader *r, uint8_t *out, size_t len);

/*@ requires \valid(r) && reader_ok(r) && \valid(effect);
    requires \separated(r, effect, r->at + (0 .. r->left - 1));
    assigns r->at, r->left, r->short_of, effect->verifier, effect->salt, effect->cookie, effect->content;
    ensures reader_ok(r);
    ensures taken_from(r, \old(r->at), \old(r->left));
    ensures \old(r->short_of) ==> r->short_of;
    ensures effect->kind == SMSP_EFFECT_MESSAGE ==>
        inside(effect->content.at, effect->content.len, \old(r->at), \old(r->left)) &&
        \valid_read(effect->content.at + (0 .. effect->content.len - 1));
*/
static void take_parts(reader *r, smsp_effect *effect);

#endif
