/* SPDX-License-Identifier: ISC */
/* Contracts of the static functions of reply.c. */
#ifndef SMSP_REPLY_CONTRACTS_H
#define SMSP_REPLY_CONTRACTS_H

/*@ requires \valid(w) && writer_ok(w);
    assigns w->full, w->len, w->out[w->len .. w->size - 1];
    ensures writer_ok(w) && w->len >= \old(w->len);
*/
static void put_ending(smsp_writer *w, smsp_ending ending);

/*@ requires \valid(line) && \valid_read(line->at + (0 .. line->len - 1)) && \valid_read(word + (0 .. len - 1));
    requires \separated(line, line->at + (0 .. line->len - 1), word + (0 .. len - 1));
    assigns line->at, line->len;
    ensures \result ==> len <= \old(line->len);
    ensures \result ==> line->at == \old(line->at) + len && line->len == \old(line->len) - len;
*/
static bool cut_word(smsp_span *line, const uint8_t *word, size_t len);

/*@ requires \valid_read(line.at + (0 .. line.len - 1)) && \valid(reply);
    assigns reply->code, reply->text;
    ensures \result ==> reply->code == SMSP_REPLY_COOKIE && 0 < reply->text.len <= FOREIGN_COOKIE_MAX;
    ensures \result ==> inside(reply->text.at, reply->text.len, line.at, line.len);
*/
static bool parse_cookie(smsp_span line, smsp_reply *reply);

/*@ requires \valid_read(line.at + (0 .. line.len - 1)) && \valid(reply);
    assigns reply->code, reply->count;
    ensures \result ==> reply->code == SMSP_REPLY_COUNTED;
*/
static bool parse_counted(smsp_span line, smsp_reply *reply);

/*@ requires \valid_read(line.at + (0 .. line.len - 1)) && \valid(reply) && 0 <= verb < SMSP_VERBS;
    assigns reply->code;
    ensures \result ==> reply->code == SMSP_REPLY_KO || reply->code == SMSP_REPLY_OK || reply->code == SMSP_REPLY_LOG_IN;
    ensures !\result ==> reply->code == \old(reply->code);
*/
static bool parse_plain(smsp_verb verb, smsp_span line, smsp_reply *reply);

#endif
