/* SPDX-License-Identifier: ISC */
/* smsp: the Simple Mail Server Protocol as an engine.
 *
 * The engine does no I/O, reads no clock, allocates nothing and has no global
 * state. The caller gives it memory, bytes and callbacks; the same calls always
 * give the same answers. PROTOCOL.md is its specification: names such as FRM-2
 * below are rules of that page.
 *
 * A request goes through four steps. A server may run them in one process
 * (smsp_answer) or split them over two that do not trust each other:
 *
 *   frame    smsp_frame_next     bytes from the network   -> one line
 *   parse    smsp_request_parse  the line                 -> spans into it
 *   tokenize     smsp_tokenize           password and cookie      -> opaque tokens
 *   execute  smsp_execute        the tokenized request       -> a result, at most one effect
 *   format   smsp_reply_format   the result               -> one line
 *
 * Conventions: lengths are in bytes; an out-parameter is written only if the
 * result is SMSP_OK, unless its comment says otherwise; a call that does not
 * return SMSP_OK has changed nothing, unless its comment says otherwise.
 */
#ifndef SMSP_H
#define SMSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMSP_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define SMSP_MUST_USE __attribute__((warn_unused_result))
#else
#define SMSP_MUST_USE
#endif

/* ---- Limits of the wire (PROTOCOL.md, section 8); small ones for fuzzing ---- */

#ifndef SMSP_NAME_MAX
#define SMSP_NAME_MAX 32u /* bytes of a username */
#endif
#ifndef SMSP_PASSWORD_MAX
#define SMSP_PASSWORD_MAX 128u
#endif
#ifndef SMSP_CONTENT_MAX
#define SMSP_CONTENT_MAX 4096u
#endif
#ifndef SMSP_COOKIE_BYTES
#define SMSP_COOKIE_BYTES 16u /* random bytes in a cookie */
#endif
#define SMSP_COOKIE_LEN (2u * SMSP_COOKIE_BYTES) /* two hexadecimal digits a byte */

/* How long a client without a terminator is silent at the end of a request. */
#define SMSP_FIRST_SILENCE_MS 150 /* its first request, FRM-4 */
#define SMSP_SILENCE_MS       20  /* a later one, FRM-5 */

/* The longest request: "MESSAGE " (8), content, space (1), cookie. */
#define SMSP_REQUEST_MAX (8u + SMSP_CONTENT_MAX + 1u + SMSP_COOKIE_LEN)
/* The longest reply: a content. "OK " and a cookie or "COUNTED 4294967295" must fit too. */
#define SMSP_REPLY_MAX (SMSP_CONTENT_MAX < 40u ? 40u : SMSP_CONTENT_MAX)

#define SMSP_TOKEN_LEN 32u
#define SMSP_SALT_LEN 16u
#define SMSP_KEY_LEN 16u

/* ---- Results ---- */

typedef enum smsp_error {
    SMSP_OK = 0,
    SMSP_NEED_MORE,    /* no whole request yet; feed more bytes */
    SMSP_TOO_LONG,     /* a line is longer than the protocol allows */
    SMSP_BAD_BYTES,    /* a control character, or not UTF-8 */
    SMSP_BAD_VERB,     /* the first word is no command of the protocol */
    SMSP_BAD_PARTS,    /* a wrong number of parts, or a part that cannot be sent */
    SMSP_BAD_REPLY,    /* no reply that the request could have */
    SMSP_BAD_EFFECT,   /* misshapen, or does not apply to this state */
    SMSP_BAD_LIMITS,   /* a limit is zero, or the state would be too large */
    SMSP_BAD_SECRET,   /* a secrets callback could not do its work */
    SMSP_NO_ROOM,      /* the caller's buffer or memory is too small */
    SMSP_FULL,         /* a limit of the state is reached */
    SMSP_JOURNAL_FULL, /* commit, then do the same call again */
    SMSP_STOPPED,      /* the caller's callback asked to stop */
    SMSP_ERROR_COUNT   /* not an error: how many there are */
} smsp_error;

/* One sentence for each error, and one for any other number: never NULL. */
const char *smsp_strerror(smsp_error error);

/* Bytes that belong to somebody else; not NUL-terminated. at may be NULL if len is 0. */
typedef struct smsp_span {
    const uint8_t *at;
    size_t len;
} smsp_span;

/* ---- Text ---- */

/* True if the len bytes are UTF-8 (RFC 3629) without control characters:
 * C0 with TAB, DEL, C1 (REQ-1). Empty text is fine. */
bool smsp_text_ok(const uint8_t *at, size_t len);

/* True for 1 to SMSP_NAME_MAX bytes of a-z A-Z 0-9 (REG-7). */
bool smsp_name_ok(const uint8_t *at, size_t len);

/* True for SMSP_COOKIE_LEN bytes of 0-9 a-f. */
bool smsp_cookie_ok(const uint8_t *at, size_t len);

/* ---- Frame: find the requests in a stream (FRM-1 to FRM-8, FRM-15) ---- */

typedef enum smsp_ending {
    SMSP_ENDS_UNKNOWN, /* nothing seen yet that tells */
    SMSP_ENDS_LF,
    SMSP_ENDS_NUL,
    SMSP_ENDS_SILENCE /* an unterminated client, FRM-4 */
} smsp_ending;

/* Read the fields, do not write them. */
typedef struct smsp_frame {
    uint8_t *buffer;
    size_t size;
    size_t longest;    /* bytes of the longest line, without its terminator */
    size_t start;      /* of the line under way */
    size_t scanned;    /* up to here there is no terminator; never less than start */
    size_t end;        /* of what was fed */
    smsp_ending ending;
    bool discarding;   /* the line under way is too long, its bytes are dropped */
} smsp_frame;

/* The bytes that a frame's buffer needs for lines of up to longest bytes: the
 * line, CR LF, and one byte more to see that it is too long. */
#define SMSP_FRAME_SIZE(longest) ((size_t)(longest) + 3u)

/* Begins a stream in the caller's buffer of size bytes, which the frame uses
 * until the stream ends. Any larger size than SMSP_FRAME_SIZE(longest) is fine.
 * SMSP_NO_ROOM: size is smaller. */
smsp_error smsp_frame_init(smsp_frame *frame, uint8_t *buffer, size_t size, size_t longest) SMSP_MUST_USE;

/* Where to put the next bytes, and in *room how many at most. Moves a line that
 * is under way to the front of the buffer, so spans given out before are gone.
 * *room is 0 only if smsp_frame_next has not been called until SMSP_NEED_MORE. */
uint8_t *smsp_frame_room(smsp_frame *frame, size_t *room);

/* Says that count bytes were put there. SMSP_NO_ROOM: more than *room was. */
smsp_error smsp_frame_fed(smsp_frame *frame, size_t count) SMSP_MUST_USE;

/* The next line, without its terminator, as a span into the buffer that stays
 * until smsp_frame_room. SMSP_NEED_MORE: no whole line yet. SMSP_TOO_LONG: a
 * line over the limit has ended and was dropped (FRM-7); go on. No byte is
 * looked at twice, however the stream is cut. */
smsp_error smsp_frame_next(smsp_frame *frame, smsp_span *line) SMSP_MUST_USE;

/* "The request ends here": the client has been silent for as long as FRM-4 or
 * FRM-5 say, or its input has ended. On an unterminated stream, or on one that
 * may become one, takes what is there as a line; results as above.
 * SMSP_NEED_MORE: there is nothing to take. On a terminated stream always
 * SMSP_NEED_MORE (FRM-8). */
smsp_error smsp_frame_end_here(smsp_frame *frame, smsp_span *line) SMSP_MUST_USE;

/* For how many milliseconds a client must be silent until smsp_frame_end_here is
 * to be called: SMSP_FIRST_SILENCE_MS (FRM-4) or SMSP_SILENCE_MS (FRM-5). -1: silence
 * does not end a request now, because none has begun or because requests end
 * with a terminator; poll(2) takes -1 as "no timeout". */
int smsp_frame_silence_ms(const smsp_frame *frame) SMSP_MUST_USE;

/* True if the line under way has begun, so that more of it should come. */
bool smsp_frame_partial(const smsp_frame *frame);

/* ---- Parse and format requests (REQ-1 to REQ-5, MSG-3) ---- */

/* The commands of the protocol, one line each: the verb; its name in small letters; the
 * parts that follow the verb; the reply to a request that succeeds; the reply to an
 * unknown cookie, for commands that have one. Each may also be answered KO. A new command
 * is one line here and one function execute_NAME in execute.c. */
#define SMSP_COMMANDS(X)                                   \
    X(REGISTER, register, NAME_PASSWORD, COOKIE, KO)       \
    X(LOGIN, login, NAME_PASSWORD, COOKIE, KO)             \
    X(LOGOUT, logout, COOKIE, OK, KO)                      \
    X(MESSAGE, message, CONTENT_COOKIE, OK, LOG_IN)        \
    X(STORE, store, NAME_COOKIE, OK, LOG_IN)               \
    X(COUNT, count, NAME_COOKIE, COUNTED, LOG_IN)          \
    X(DELMSG, delmsg, NAME_COOKIE, OK, LOG_IN)             \
    X(GETMSG, getmsg, NAME_COOKIE, TEXT, LOG_IN)           \
    X(DUMP, dump, NONE, OK, KO)

/* SMSP_REGISTER to SMSP_DUMP, and two values that no line of the protocol has. */
typedef enum smsp_verb {
#define SMSP_ENUMERATOR(verb, name, parts, success, unknown_cookie) SMSP_##verb,
    SMSP_COMMANDS(SMSP_ENUMERATOR)
#undef SMSP_ENUMERATOR
    SMSP_SALT,   /* only in smsp_tokenized: asks for the salt of a username */
    SMSP_NO_VERB /* the verb of a line that is not a request */
} smsp_verb;

/* The number of commands: 9. */
#define SMSP_PLUS_ONE(verb, name, parts, success, unknown_cookie) +1
#define SMSP_VERBS (SMSP_COMMANDS(SMSP_PLUS_ONE))

/* What follows the verb. */
typedef enum smsp_parts {
    SMSP_PARTS_NAME_PASSWORD,
    SMSP_PARTS_NAME_COOKIE,
    SMSP_PARTS_CONTENT_COOKIE, /* up to here a verb alone is SMSP_BAD_PARTS (REQ-4, REQ-5) */
    SMSP_PARTS_COOKIE,         /* the rest of the line (LGO-3) */
    SMSP_PARTS_NONE            /* further words are ignored (DMP-3) */
} smsp_parts;

/* "REGISTER" to "DUMP"; "?" for every other value. Never NULL. */
const char *smsp_verb_name(smsp_verb verb);

/* A part that the verb does not have is empty, and so is a misshapen one:
 * an empty username is no such user, an empty cookie is an unknown one (REQ-5). */
typedef struct smsp_request {
    smsp_verb verb;
    smsp_span username; /* as smsp_name_ok, or empty */
    smsp_span password; /* 1 to SMSP_PASSWORD_MAX bytes without space, or empty */
    smsp_span content;  /* as smsp_text_ok, at most SMSP_REQUEST_MAX - 8 bytes */
    smsp_span cookie;   /* as smsp_cookie_ok, or empty */
} smsp_request;

/* Reads one line (without terminator) into spans of it. After an error the verb
 * is SMSP_NO_VERB and the rest means nothing: *request is filled in place, since a
 * copy costs half of the time.
 * SMSP_TOO_LONG: over SMSP_REQUEST_MAX bytes; SMSP_BAD_BYTES: REQ-1;
 * SMSP_BAD_VERB: REQ-3 (an empty line too, REQ-2); SMSP_BAD_PARTS: REQ-4.
 * To a client each of them is KO. */
smsp_error smsp_request_parse(const uint8_t *line, size_t len, smsp_request *request) SMSP_MUST_USE;

/* Writes a request's line, without terminator, and its length to *len. It may
 * go to a server with other limits, so any non-empty username, password and
 * cookie without spaces will do, and any non-empty content.
 * SMSP_BAD_PARTS: a part that the verb needs is empty or holds a space;
 * SMSP_BAD_VERB: none of the wire; SMSP_BAD_BYTES: a part is not smsp_text_ok;
 * SMSP_NO_ROOM: the line has more than size bytes.
 * For a line that parses with no part emptied, and DUMP without further words,
 * format gives back the line. */
smsp_error smsp_request_format(const smsp_request *request, uint8_t *out, size_t size, size_t *len) SMSP_MUST_USE;

/* ---- Format and parse replies ---- */

typedef enum smsp_reply_code {
    SMSP_REPLY_OK,      /* "OK" */
    SMSP_REPLY_COOKIE,  /* "OK <cookie>", to REGISTER and LOGIN */
    SMSP_REPLY_KO,      /* "KO" */
    SMSP_REPLY_LOG_IN,  /* "You should log in first." */
    SMSP_REPLY_COUNTED, /* "COUNTED <n>" */
    SMSP_REPLY_TEXT,    /* a message, to GETMSG */
    SMSP_REPLY_SALT,    /* only from smsp_execute: the answer to SMSP_SALT */
    SMSP_REPLY_AGAIN,   /* only from smsp_execute: the candidate cookie is in AC, draw again (REG-5) */
    SMSP_NO_REPLY       /* not a reply; no function returns it */
} smsp_reply_code;

/* The number of replies that the protocol has: SMSP_REPLY_OK to SMSP_REPLY_TEXT. */
#define SMSP_REPLIES 6

typedef struct smsp_reply {
    smsp_reply_code code;
    uint32_t count; /* COUNTED */
    smsp_span text; /* COOKIE: the cookie; TEXT: the message */
} smsp_reply;

/* Writes the reply's line and its terminator: LF, NUL, or for
 * SMSP_ENDS_SILENCE none; for SMSP_ENDS_UNKNOWN it is LF (FRM-3, FRM-5, FRM-12).
 * SMSP_BAD_REPLY: not a reply of the wire; SMSP_NO_ROOM: it needs more than
 * size bytes (SMSP_REPLY_MAX + 1 are always enough). */
smsp_error smsp_reply_format(const smsp_reply *reply, smsp_ending ending, uint8_t *out, size_t size,
                             size_t *len) SMSP_MUST_USE;

/* Reads a server's reply to a request with this verb. It may come from a server
 * with other limits: a cookie is 1 to 255 bytes without space, a text anything
 * that is smsp_text_ok. Of GETMSG, "KO" and "You should log in first." are taken
 * for what they look like, everything else for a message.
 * SMSP_BAD_BYTES: not smsp_text_ok; SMSP_BAD_REPLY: not a reply to that verb. */
smsp_error smsp_reply_parse(smsp_verb verb, const uint8_t *line, size_t len, smsp_reply *reply) SMSP_MUST_USE;

/* ---- Tokenize: passwords and cookies become opaque tokens ---- */

typedef struct smsp_token {
    uint8_t bytes[SMSP_TOKEN_LEN];
} smsp_token;

typedef struct smsp_salt {
    uint8_t bytes[SMSP_SALT_LEN];
    uint32_t cost; /* means something to the secrets callbacks only */
} smsp_salt;

typedef struct smsp_cookie {
    uint8_t hex[SMSP_COOKIE_LEN];
} smsp_cookie;

/* What turns secrets into tokens, and where randomness comes from. */
typedef struct smsp_secrets {
    void *context;
    /* Fills len bytes with randomness; false: it could not. */
    bool (*draw)(void *context, uint8_t *out, size_t len);
    /* A password with its salt and cost; false: it could not. */
    bool (*password)(void *context, smsp_span password, const smsp_salt *salt, smsp_token *out);
    /* A cookie: fast, since every request needs it. */
    void (*cookie)(void *context, smsp_span cookie, smsp_token *out);
} smsp_secrets;

/* A request that holds no secret: all that the state machine is told. */
typedef struct smsp_tokenized {
    smsp_verb verb;     /* one of the wire, or SMSP_SALT */
    smsp_span username; /* as smsp_name_ok, or empty: no such user */
    smsp_span content;  /* MESSAGE */
    smsp_token cookie;  /* the session; of REGISTER and LOGIN the candidate */
    smsp_token password; /* REGISTER, LOGIN */
} smsp_tokenized;

typedef enum smsp_next_step {
    SMSP_NEXT_EXECUTE, /* tokenized is ready */
    SMSP_NEXT_SALT,    /* tokenized asks for the salt; go on with smsp_tokenize_login */
    SMSP_NEXT_REPLY    /* nothing to execute: *code is the reply (KO or LOG_IN) */
} smsp_next_step;

/* Tokenizes a parsed request; the result says how it goes on. Spans of tokenized point
 * where those of request do. */
smsp_next_step smsp_tokenize(const smsp_secrets *secrets, const smsp_request *request, smsp_tokenized *tokenized,
                             smsp_reply_code *code) SMSP_MUST_USE;

/* Tokenizes a REGISTER or LOGIN whose salt has come: hashes the password and draws
 * a candidate cookie. SMSP_BAD_SECRET: a callback failed. */
smsp_error smsp_tokenize_login(const smsp_secrets *secrets, const smsp_request *request, const smsp_salt *salt,
                               smsp_tokenized *tokenized, smsp_cookie *candidate) SMSP_MUST_USE;

/* Draws another candidate, after SMSP_REPLY_AGAIN. SMSP_BAD_SECRET as above. */
smsp_error smsp_draw_cookie(const smsp_secrets *secrets, smsp_tokenized *tokenized,
                            smsp_cookie *candidate) SMSP_MUST_USE;

/* After so many candidates that were all in AC the random source is broken: KO. */
#define SMSP_DRAWS_MAX 64u

/* ---- The state machine: RA, MBX, IMQ, ID, AC ---- */

typedef struct smsp_limits {
    uint32_t accounts;
    uint32_t messages; /* in IMQ and MBX together */
    uint64_t text;     /* bytes of memory for text, in blocks of 64 */
    uint32_t mailbox;  /* messages in one mailbox */
    uint32_t imq;      /* messages in the IMQ; 0: as many as messages */
    uint32_t share;    /* of them by one sender; 0: a quarter, rounded up */
    uint32_t journal;  /* effects between begin and commit */
} smsp_limits;

/* The defaults of PROTOCOL.md, section 8. */
smsp_limits smsp_limits_default(void);

typedef struct smsp_config {
    smsp_limits limits;
    uint8_t hash_key[SMSP_KEY_LEN]; /* random: peers cannot make names or cookies collide */
    uint8_t salt_key[SMSP_KEY_LEN]; /* secret, and the same whenever this state is loaded:
                                       a username's salt is made from it */
    uint32_t cost;                  /* of new accounts' passwords, into smsp_salt */
    bool shared_mailboxes;          /* any session opens any mailbox (DEL-3, GET-4) */
    void *context;
    /* What is kept of a password token, so that who reads the state cannot log
     * in with it. NULL: the token itself. */
    void (*verifier)(void *context, const smsp_token *token, smsp_token *out);
} smsp_config;

typedef struct smsp_state smsp_state;

/* The bytes of memory that a state with these limits needs; 0 if a limit is 0
 * (imq and share may be), too large to count, or not of use (BAD_LIMITS). */
size_t smsp_state_size(const smsp_limits *limits);

/* Makes an empty state in size bytes of memory that are aligned for any type
 * and belong to the state from then on; there is nothing to release. Only what
 * is used gets touched, besides 8 bytes an account.
 * SMSP_BAD_LIMITS, SMSP_NO_ROOM (size is under smsp_state_size, or misaligned). */
smsp_error smsp_state_init(void *memory, size_t size, const smsp_config *config, smsp_state **state) SMSP_MUST_USE;

/* While set, whatever would have an effect is answered KO and has none. */
void smsp_state_read_only(smsp_state *state, bool read_only);

/* What became of a request for good: at most one a request. Replaying the
 * effects of a state, in order, on an empty one with its limits rebuilds it. */
typedef enum smsp_effect_kind {
    SMSP_EFFECT_NONE,
    SMSP_EFFECT_ACCOUNT, /* username, verifier, salt; cookie if has_cookie */
    SMSP_EFFECT_SESSION, /* username, cookie: takes the place of the old one */
    SMSP_EFFECT_LOGOUT,  /* username */
    SMSP_EFFECT_MESSAGE, /* username (the sender), content: onto the IMQ */
    SMSP_EFFECT_STORE,   /* username: the most recent of the IMQ into that mailbox */
    SMSP_EFFECT_DELETE,  /* username: the first message of that mailbox */
    SMSP_EFFECTS         /* not an effect: how many there are */
} smsp_effect_kind;

typedef struct smsp_effect {
    smsp_effect_kind kind;
    bool has_cookie;
    smsp_span username; /* into the state or into the tokenized request */
    smsp_span content;
    smsp_token verifier;
    smsp_token cookie;
    smsp_salt salt;
} smsp_effect;

typedef struct smsp_result {
    smsp_reply_code code;
    uint32_t count;      /* COUNTED */
    uint32_t message;    /* TEXT: to smsp_message_read, until the next effect */
    uint32_t length;     /* TEXT: its bytes */
    smsp_salt salt;      /* SALT */
    smsp_effect effect;  /* its spans stay until the next call; only what its kind names is set */
} smsp_result;

/* Carries out one tokenized request (all rules of PROTOCOL.md, sections 5 and 6).
 * Only the fields of the result that its code and its effect's kind name are
 * set. SMSP_JOURNAL_FULL: commit first. For DUMP: OK, and the caller prints. */
smsp_error smsp_execute(smsp_state *state, const smsp_tokenized *tokenized, smsp_result *result) SMSP_MUST_USE;

/* Copies a message's text, as smsp_execute named it. SMSP_NO_ROOM: size is less
 * than its length. */
smsp_error smsp_message_read(const smsp_state *state, uint32_t message, uint8_t *out, size_t size,
                             size_t *len) SMSP_MUST_USE;

/* A batch. Between begin and commit or rollback, what was done can be undone;
 * outside one, every effect is final at once. A batch is begun once; a commit
 * or rollback without begin does nothing. */
void smsp_begin(smsp_state *state);
void smsp_commit(smsp_state *state);
void smsp_rollback(smsp_state *state);

/* Applies an effect, as recorded by smsp_execute or made from a store.
 * SMSP_BAD_EFFECT: misshapen, or it does not apply (no such user, a name or
 * cookie in use, nothing to store or delete); SMSP_FULL: over a limit;
 * SMSP_JOURNAL_FULL: commit first. A sender's share is not enforced. */
smsp_error smsp_replay(smsp_state *state, const smsp_effect *effect) SMSP_MUST_USE;

/* An effect as bytes, for a log or a wire, at most SMSP_EFFECT_MAX.
 * SMSP_BAD_EFFECT: misshapen; SMSP_NO_ROOM: more than size bytes. */
#define SMSP_EFFECT_MAX (4u + SMSP_NAME_MAX + SMSP_CONTENT_MAX + 2u * SMSP_TOKEN_LEN + SMSP_SALT_LEN + 4u)
smsp_error smsp_effect_encode(const smsp_effect *effect, uint8_t *out, size_t size, size_t *len) SMSP_MUST_USE;

/* Reads one effect from the front of len bytes that need not be trusted; *used
 * gets the bytes it took, its spans point into them. The shape of its parts is
 * checked (names, text). SMSP_NEED_MORE: not all of it is there;
 * SMSP_BAD_EFFECT: no effect. */
smsp_error smsp_effect_decode(const uint8_t *bytes, size_t len, smsp_effect *effect, size_t *used) SMSP_MUST_USE;

/* ---- Looking at a state ---- */

typedef struct smsp_counts {
    uint32_t accounts;
    uint32_t sessions;
    uint32_t messages; /* in IMQ and MBX */
    uint32_t imq;
    uint32_t blocks;   /* of text memory in use, 64 bytes each */
} smsp_counts;

smsp_counts smsp_state_counts(const smsp_state *state);

/* Prints IMQ and MBX (DMP-1, DMP-5, DMP-6) through write, in pieces of any
 * size, LF at each line's end. SMSP_STOPPED: write returned false. */
typedef bool (*smsp_write)(void *context, const uint8_t *at, size_t len);
smsp_error smsp_dump(const smsp_state *state, smsp_write write, void *context) SMSP_MUST_USE;

/* Gives a shortest list of effects that rebuilds the state: accounts in the
 * order of registration, mailboxes, then the IMQ. An effect and its spans stay
 * until take returns. SMSP_STOPPED: take returned false. */
typedef bool (*smsp_take)(void *context, const smsp_effect *effect);
smsp_error smsp_snapshot(const smsp_state *state, smsp_take take, void *context) SMSP_MUST_USE;

/* A number that two states share if and (but for chance) only if their
 * snapshots are equal. Time grows with the state. */
uint64_t smsp_state_digest(const smsp_state *state);

/* NULL if every invariant holds, otherwise a sentence on the first that does
 * not: a bug in the engine, or memory that was overwritten. Time grows with the
 * state; ends on any contents of its memory. */
const char *smsp_state_check(const smsp_state *state);

/* ---- All four steps in one process ---- */

/* A line as the frame gave it. */
typedef struct smsp_line {
    smsp_span text;     /* without its terminator; not read if too_long */
    bool too_long;      /* smsp_frame_next returned SMSP_TOO_LONG: the reply is KO (FRM-7) */
    smsp_ending ending; /* of the frame: the reply ends in the same way (FRM-3, FRM-5) */
} smsp_line;

/* What a request did. */
typedef struct smsp_answer_out {
    size_t len;         /* bytes of the reply, with its terminator */
    bool dump;          /* print smsp_dump before sending the reply */
    smsp_effect effect; /* as in smsp_result */
} smsp_answer_out;

/* Answers one line: writes the reply with its terminator to out and fills in *what.
 * SMSP_NO_ROOM: size is under SMSP_REPLY_MAX + 1. SMSP_JOURNAL_FULL: commit
 * first. */
smsp_error smsp_answer(smsp_state *state, const smsp_secrets *secrets, const smsp_line *line, uint8_t *out,
                       size_t size, smsp_answer_out *what) SMSP_MUST_USE;

#ifdef __cplusplus
}
#endif

#endif
