/* SPDX-License-Identifier: ISC */
/* Formatting and parsing replies. */
#include "bytes.h"
#include "commands.h"

#define LOG_IN "You should log in first."

/* Bytes of the longest cookie that we accept from another server. */
#define FOREIGN_COOKIE_MAX 255u

#ifdef __FRAMAC__
#include "proof/reply_contracts.h"
#endif

/* ---- Format ---- */

static void put_ending(smsp_writer *w, smsp_ending ending)
{
    if (ending == SMSP_ENDS_NUL)
        smsp_put_byte(w, '\0');
    else if (ending != SMSP_ENDS_SILENCE)
        smsp_put_byte(w, '\n');
}

smsp_error smsp_reply_format(const smsp_reply *reply, smsp_ending ending, uint8_t *out, size_t size,
                             size_t *len)
{
    smsp_writer w = {out, size, 0, false};

    switch (reply->code) {
    case SMSP_REPLY_OK:
        SMSP_PUT_WORD(&w, "OK");
        break;
    case SMSP_REPLY_COOKIE:
        SMSP_PUT_WORD(&w, "OK ");
        smsp_put_span(&w, reply->text);
        break;
    case SMSP_REPLY_KO:
        SMSP_PUT_WORD(&w, "KO");
        break;
    case SMSP_REPLY_LOG_IN:
        SMSP_PUT_WORD(&w, LOG_IN);
        break;
    case SMSP_REPLY_COUNTED:
        SMSP_PUT_WORD(&w, "COUNTED ");
        smsp_put_number(&w, reply->count);
        break;
    case SMSP_REPLY_TEXT:
        smsp_put_span(&w, reply->text);
        break;
    default:
        return SMSP_BAD_REPLY;
    }
    put_ending(&w, ending);
    if (w.full)
        return SMSP_NO_ROOM;
    *len = w.len;
    return SMSP_OK;
}

/* ---- Parse ---- */

/* Removes the word from the front of the line; false if it does not begin with it. */
static bool cut_word(smsp_span *line, const uint8_t *word, size_t len)
{
    if (line->len < len || !smsp_same(line->at, len, word, len))
        return false;
    line->at += len;
    line->len -= len;
    return true;
}

#define CUT_WORD(line, literal) cut_word((line), (const uint8_t[]){literal}, sizeof(literal) - 1)

/* "OK <cookie>" */
static bool parse_cookie(smsp_span line, smsp_reply *reply)
{
    if (!CUT_WORD(&line, "OK ") || line.len == 0 || line.len > FOREIGN_COOKIE_MAX)
        return false;
    /*@ loop invariant 0 <= i <= line.len;
        loop assigns i;
        loop variant line.len - i;
    */
    for (size_t i = 0; i < line.len; i++)
        if (line.at[i] == ' ')
            return false;
    reply->code = SMSP_REPLY_COOKIE;
    reply->text = line;
    return true;
}

/* "COUNTED <n>", n in decimal without leading zeros (CNT-1) */
static bool parse_counted(smsp_span line, smsp_reply *reply)
{
    uint32_t number = 0;

    if (!CUT_WORD(&line, "COUNTED ") || line.len == 0)
        return false;
    if (line.at[0] == '0' && line.len > 1)
        return false;
    /*@ loop invariant 0 <= i <= line.len;
        loop assigns i, number;
        loop variant line.len - i;
    */
    for (size_t i = 0; i < line.len; i++) {
        if (line.at[i] < '0' || line.at[i] > '9')
            return false;
        uint32_t digit = (uint32_t)(line.at[i] - '0');
        if (number > (UINT32_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    reply->code = SMSP_REPLY_COUNTED;
    reply->count = number;
    return true;
}

/* The replies without a cookie, number or text. */
static bool parse_plain(smsp_verb verb, smsp_span line, smsp_reply *reply)
{
    if (SMSP_IS_WORD(line.at, line.len, "KO"))
        reply->code = SMSP_REPLY_KO;
    else if (commands[verb].success == SMSP_REPLY_OK && SMSP_IS_WORD(line.at, line.len, "OK"))
        reply->code = SMSP_REPLY_OK;
    else if (smsp_parts_have_cookie(commands[verb].parts) && SMSP_IS_WORD(line.at, line.len, LOG_IN))
        reply->code = SMSP_REPLY_LOG_IN;
    else
        return false;
    return true;
}

smsp_error smsp_reply_parse(smsp_verb verb, const uint8_t *line, size_t len, smsp_reply *reply)
{
    const smsp_span all = {line, len};
    smsp_reply parsed = {.code = SMSP_REPLY_TEXT, .text = all};
    bool found;

    if ((unsigned)verb >= SMSP_VERBS)
        return SMSP_BAD_REPLY;
    if (!smsp_text_ok(line, len))
        return SMSP_BAD_BYTES;
    found = parse_plain(verb, all, &parsed);
    if (!found && commands[verb].success == SMSP_REPLY_COOKIE)
        found = parse_cookie(all, &parsed);
    else if (!found && commands[verb].success == SMSP_REPLY_COUNTED)
        found = parse_counted(all, &parsed);
    else if (!found && commands[verb].success == SMSP_REPLY_TEXT)
        found = len > 0;
    if (!found)
        return SMSP_BAD_REPLY;
    if (parsed.code != SMSP_REPLY_TEXT && parsed.code != SMSP_REPLY_COOKIE)
        parsed.text = (smsp_span){line, 0};
    *reply = parsed;
    return SMSP_OK;
}
