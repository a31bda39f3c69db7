/* SPDX-License-Identifier: ISC */
/* smsp: the Simple Mail Server Protocol as a library without I/O. The public header.
 *
 * The engine does no I/O, reads no clock, allocates no memory and has no global variables.
 * The caller passes in memory, bytes and callbacks. The same calls give the same results.
 * PROTOCOL.md is the specification; an id such as FRM-2 below is a rule of that page.
 *
 * A request passes five steps. One process can run them all (smsp_answer), or two processes
 * that do not trust each other share them: smspd tokenizes in the worker of the client and
 * executes in the keeper, which has the mail.
 *
 *   frame     smsp_frame_next     bytes from the network -> one line
 *   parse     smsp_request_parse  the line               -> spans into it
 *   tokenize  smsp_tokenize       password and cookie    -> tokens, which reveal neither
 *   execute   smsp_execute        the tokenized request  -> a result and at most one effect
 *   format    smsp_reply_format   the result             -> one line
 *
 * Conventions:
 * - Lengths and sizes are in bytes, unless a comment names another unit.
 * - (at, len) is input; (out, size) is a buffer to write to; *len is the length written.
 * - A function that does not return SMSP_OK has changed nothing and set no output, unless its
 *   comment says otherwise; but the buffer out may have been written to. */
#ifndef SMSP_H
#define SMSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMSP_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __GNUC__
#define SMSP_MUST_USE __attribute__((warn_unused_result))
#else
#define SMSP_MUST_USE
#endif

/* ---- Limits of the protocol (PROTOCOL.md, section 8), in bytes; set smaller for fuzzing ---- */

#ifndef SMSP_NAME_MAX
#define SMSP_NAME_MAX 32u /* of a username */
#endif
#ifndef SMSP_PASSWORD_MAX
#define SMSP_PASSWORD_MAX 128u
#endif
#ifndef SMSP_CONTENT_MAX
#define SMSP_CONTENT_MAX 4096u
#endif
#ifndef SMSP_COOKIE_BYTES
#define SMSP_COOKIE_BYTES 16u /* random bytes of a cookie */
#endif
#define SMSP_COOKIE_LEN (2u * SMSP_COOKIE_BYTES) /* two hexadecimal digits for each byte */

/* How long the client is silent at the end of a request without a terminator. */
#define SMSP_FIRST_SILENCE_MS 150 /* the first request of a connection, FRM-4 */
#define SMSP_SILENCE_MS       20  /* each later one, FRM-5 */

/* The longest request: "MESSAGE " (8), content, space (1), cookie. */
#define SMSP_REQUEST_MAX (8u + SMSP_CONTENT_MAX + 1u + SMSP_COOKIE_LEN)
/* The longest reply: a content, or "OK " and a cookie. */
#define SMSP_REPLY_MAX (SMSP_CONTENT_MAX < 40u ? 40u : SMSP_CONTENT_MAX)
#define SMSP_TOKEN_LEN 32u
#define SMSP_SALT_LEN 16u
#define SMSP_KEY_LEN 16u

/* ---- Results ---- */

typedef enum smsp_error {
    SMSP_OK = 0,
    SMSP_NEED_MORE,    /* not an error: the request or effect is not complete yet */
    SMSP_TOO_LONG,     /* the line is longer than the limit */
    SMSP_BAD_BYTES,    /* a control character, or not UTF-8 */
    SMSP_BAD_VERB,     /* the first word is not a command */
    SMSP_BAD_PARTS,    /* the wrong number of parts, or a part that cannot be sent */
    SMSP_BAD_REPLY,    /* not a reply to this request */
    SMSP_BAD_EFFECT,   /* the effect is malformed or does not apply to this state */
    SMSP_BAD_LIMITS,   /* a limit is 0, or the state would be too large */
    SMSP_BAD_SECRET,   /* a callback of smsp_secrets failed */
    SMSP_NO_ROOM,      /* the caller's buffer or memory is too small */
    SMSP_FULL,         /* a limit of the state is reached */
    SMSP_JOURNAL_FULL, /* call smsp_commit, then repeat the call */
    SMSP_STOPPED,      /* the caller's callback returned false */
    SMSP_ERROR_COUNT   /* not a result: the number of results */
} smsp_error;

/* Returns one sentence about the result, or "unknown error" for any other number. Never NULL. */
const char *smsp_strerror(smsp_error error);

/* Bytes that another object owns; without a terminating NUL. at may be NULL if len is 0. */
typedef struct smsp_span {
    const uint8_t *at;
    size_t len;
} smsp_span;

/* ---- Text ---- */

/* Returns true if the len bytes are UTF-8 (RFC 3629) without control characters: U+0000 to
 * U+001F, U+007F, U+0080 to U+009F (REQ-1). Empty text is valid. */
bool smsp_text_ok(const uint8_t *at, size_t len);

/* Returns true if the bytes are a username: 1 to SMSP_NAME_MAX of a-z A-Z 0-9 (REG-7). */
bool smsp_name_ok(const uint8_t *at, size_t len);

/* Returns true if the bytes have the form of our cookies: SMSP_COOKIE_LEN of 0-9 a-f. */
bool smsp_cookie_ok(const uint8_t *at, size_t len);

/* ---- Frame: finds the requests in a stream of bytes (FRM-1 to FRM-8, FRM-15) ---- */

/* How the client ends its requests. */
typedef enum smsp_ending {
    SMSP_ENDS_UNKNOWN, /* not known yet */
    SMSP_ENDS_LF,
    SMSP_ENDS_NUL,
    SMSP_ENDS_SILENCE /* without a terminator, FRM-4 */
} smsp_ending;

/* The state of one stream. The caller may read the fields, but must not write them. */
typedef struct smsp_frame {
    uint8_t *buffer;
    size_t size;
    size_t longest; /* limit of a line without its terminator, in bytes */
    size_t start;   /* offset of the current line */
    size_t scanned; /* no terminator between start and this offset */
    size_t end;     /* offset behind the last byte received */
    smsp_ending ending;
    bool discarding; /* the current line is too long, and its bytes are dropped */
} smsp_frame;

/* The size of a buffer for lines of up to longest bytes: the line, CR LF, and one byte more,
 * which shows that the line is too long. */
#define SMSP_FRAME_SIZE(longest) ((size_t)(longest) + 3u)

/* Starts a stream. buffer: size bytes, which the frame uses until the stream ends.
 * longest: limit of a line without its terminator, in bytes.
 * Returns SMSP_OK, or SMSP_NO_ROOM if size is less than SMSP_FRAME_SIZE(longest). */
smsp_error smsp_frame_init(smsp_frame *frame, uint8_t *buffer, size_t size, size_t longest) SMSP_MUST_USE;

/* Returns where to write the next bytes of the stream; *room is how many fit. Moves an
 * incomplete line to the front of the buffer, so that earlier spans become invalid.
 * *room is 0 only if smsp_frame_next was not called until it returned SMSP_NEED_MORE. */
uint8_t *smsp_frame_room(smsp_frame *frame, size_t *room);

/* Adds the count bytes that the caller has written there.
 * Returns SMSP_OK, or SMSP_NO_ROOM if count is more than *room was. */
smsp_error smsp_frame_fed(smsp_frame *frame, size_t count) SMSP_MUST_USE;

/* Takes the next line. *line: the line without its terminator, a span into the buffer that is
 * valid until smsp_frame_room. The function examines each byte once, however the stream is
 * cut (FRM-15). Returns SMSP_OK, SMSP_NEED_MORE (no complete line is left), or SMSP_TOO_LONG
 * (a line over the limit has ended and was dropped, FRM-7; call again). */
smsp_error smsp_frame_next(smsp_frame *frame, smsp_span *line) SMSP_MUST_USE;

/* Ends the current request without a terminator. Call it after smsp_frame_next has returned
 * SMSP_NEED_MORE, and when the client was silent for smsp_frame_silence_ms or has closed its
 * sending side (FRM-4 to FRM-6). *line and results as for smsp_frame_next; SMSP_NEED_MORE
 * also if the stream has terminators (FRM-8). */
smsp_error smsp_frame_end_here(smsp_frame *frame, smsp_span *line) SMSP_MUST_USE;

/* Returns the silence that ends the current request, in milliseconds: SMSP_FIRST_SILENCE_MS
 * (FRM-4) or SMSP_SILENCE_MS (FRM-5). Returns -1 (for poll: no timeout) if silence ends no
 * request now: because no request has begun, or because the stream has terminators. */
int smsp_frame_silence_ms(const smsp_frame *frame) SMSP_MUST_USE;

/* Returns true if the current line has begun: some of its bytes were received. */
bool smsp_frame_partial(const smsp_frame *frame);

/* ---- Parse and format requests (REQ-1 to REQ-5, MSG-3) ---- */

/* The commands of the protocol, one line each: verb, name in small letters, parts behind the
 * verb, reply on success, reply to an unknown cookie (KO if the command has no cookie). A
 * command with a cookie needs a session. Each command may also be answered KO. A new command
 * is one line here and one function execute_NAME in execute.c. */
#define SMSP_COMMANDS(X)                             \
    X(REGISTER, register, NAME_PASSWORD, COOKIE, KO) \
    X(LOGIN, login, NAME_PASSWORD, COOKIE, KO)       \
    X(LOGOUT, logout, COOKIE, OK, KO)                \
    X(MESSAGE, message, CONTENT_COOKIE, OK, LOG_IN)  \
    X(STORE, store, NAME_COOKIE, OK, LOG_IN)         \
    X(COUNT, count, NAME_COOKIE, COUNTED, LOG_IN)    \
    X(DELMSG, delmsg, NAME_COOKIE, OK, LOG_IN)       \
    X(GETMSG, getmsg, NAME_COOKIE, TEXT, LOG_IN)     \
    X(DUMP, dump, NONE, OK, KO)

/* The parts behind the verb. */
typedef enum smsp_parts {
    SMSP_PARTS_NAME_PASSWORD,
    SMSP_PARTS_NAME_COOKIE,
    SMSP_PARTS_CONTENT_COOKIE,
    SMSP_PARTS_COOKIE, /* all of the rest, LGO-3 */
    SMSP_PARTS_NONE    /* further words are ignored, DMP-3 */
} smsp_parts;

/* SMSP_REGISTER to SMSP_DUMP, and three values that are not commands. */
typedef enum smsp_verb {
#define SMSP_ENUMERATOR(verb, name, parts, success, unknown_cookie) SMSP_##verb,
    SMSP_COMMANDS(SMSP_ENUMERATOR)
#undef SMSP_ENUMERATOR
    SMSP_SALT_NEW, /* only in smsp_tokenized: as SMSP_SALT, but KO if the username is taken (REG-6) */
    SMSP_SALT,     /* only in smsp_tokenized: asks for the salt of a username */
    SMSP_NO_VERB   /* the line is not a request */
} smsp_verb;

/* The number of commands. */
#define SMSP_PLUS_ONE(verb, name, parts, success, unknown_cookie) +1 /* NOLINT(bugprone-macro-parentheses) */
#define SMSP_VERBS (SMSP_COMMANDS(SMSP_PLUS_ONE))

/* Returns "REGISTER" to "DUMP"; "?" for any other value. Never NULL. */
const char *smsp_verb_name(smsp_verb verb);

/* A part that the command does not have is empty. A malformed part is empty, too: an empty
 * username is an unknown user, an empty cookie is an unknown cookie (REQ-5). */
typedef struct smsp_request {
    smsp_verb verb;
    smsp_span username; /* valid for smsp_name_ok, or empty */
    smsp_span password; /* 1 to SMSP_PASSWORD_MAX bytes without a space, or empty */
    smsp_span content;  /* valid for smsp_text_ok, at most SMSP_REQUEST_MAX - 8 bytes */
    smsp_span cookie;   /* valid for smsp_cookie_ok, or empty */
} smsp_request;

/* Parses one line of len bytes, without its terminator. *request: spans into the line; after
 * an error its verb is SMSP_NO_VERB and its spans are not valid. The reply to every error is
 * KO. Returns SMSP_OK, or the first of these that applies (REQ-6):
 * SMSP_TOO_LONG: more than SMSP_REQUEST_MAX bytes (FRM-7);
 * SMSP_BAD_BYTES: not smsp_text_ok (REQ-1);
 * SMSP_BAD_VERB: an empty line (REQ-2), or an unknown command (REQ-3);
 * SMSP_BAD_PARTS: the wrong number of parts (REQ-4). */
smsp_error smsp_request_parse(const uint8_t *line, size_t len, smsp_request *request) SMSP_MUST_USE;

/* Writes the line of a request, without terminator, for any server: its parts need not keep
 * our limits. Returns SMSP_OK with *len,
 * SMSP_BAD_VERB: the verb is not one of the protocol;
 * SMSP_BAD_PARTS: a part of the command is empty, or has a space and is not the content;
 * SMSP_BAD_BYTES: a part is not smsp_text_ok (REQ-1);
 * SMSP_NO_ROOM: the line has more than size bytes. */
smsp_error smsp_request_format(const smsp_request *request, uint8_t *out, size_t size, size_t *len) SMSP_MUST_USE;

/* ---- Format and parse replies ---- */

typedef enum smsp_reply_code {
    SMSP_REPLY_OK,      /* "OK" */
    SMSP_REPLY_COOKIE,  /* "OK <cookie>" */
    SMSP_REPLY_KO,      /* "KO" */
    SMSP_REPLY_LOG_IN,  /* "You should log in first." */
    SMSP_REPLY_COUNTED, /* "COUNTED <n>" */
    SMSP_REPLY_TEXT,    /* the text of a message */
    SMSP_REPLY_SALT,    /* only from smsp_execute: the answer to SMSP_SALT and SMSP_SALT_NEW */
    SMSP_REPLY_AGAIN,   /* only from smsp_execute: the cookie is in use, draw another (REG-5) */
    SMSP_NO_REPLY       /* not a reply: for callers that have none yet; no function returns it */
} smsp_reply_code;

/* The number of replies of the protocol: SMSP_REPLY_OK to SMSP_REPLY_TEXT. */
#define SMSP_REPLIES 6

typedef struct smsp_reply {
    smsp_reply_code code;
    uint32_t count; /* COUNTED */
    smsp_span text; /* COOKIE: the cookie; TEXT: the message */
} smsp_reply;

/* Writes the line of a reply and its terminator: LF for SMSP_ENDS_LF and SMSP_ENDS_UNKNOWN,
 * NUL for SMSP_ENDS_NUL, nothing for SMSP_ENDS_SILENCE (FRM-3, FRM-5, FRM-12). Returns SMSP_OK
 * with *len, terminator included,
 * SMSP_BAD_REPLY: the code is not one of the protocol;
 * SMSP_NO_ROOM: more than size bytes; SMSP_REPLY_MAX + 1 are always enough. */
smsp_error smsp_reply_format(const smsp_reply *reply, smsp_ending ending, uint8_t *out, size_t size,
                             size_t *len) SMSP_MUST_USE;

/* Parses the reply of any server to a request with this verb: a line of len bytes, without its
 * terminator. A cookie may have 1 to 255 bytes without a space, a text any length. "KO" and
 * "You should log in first." in reply to GETMSG are parsed as these replies, not as texts.
 * *reply: its text is a span into the line. Returns SMSP_OK, or
 * SMSP_BAD_BYTES: not smsp_text_ok (REQ-1);
 * SMSP_BAD_REPLY: not a reply to this verb (table SMSP_COMMANDS). */
smsp_error smsp_reply_parse(smsp_verb verb, const uint8_t *line, size_t len, smsp_reply *reply) SMSP_MUST_USE;

/* ---- Tokenize: replaces passwords and cookies by tokens ---- */

typedef struct smsp_token { uint8_t bytes[SMSP_TOKEN_LEN]; } smsp_token;
typedef struct smsp_salt {
    uint8_t bytes[SMSP_SALT_LEN];
    uint32_t cost; /* the callbacks of smsp_secrets define its meaning */
} smsp_salt;
typedef struct smsp_cookie { uint8_t hex[SMSP_COOKIE_LEN]; } smsp_cookie;

/* The caller's hash functions and source of randomness; each gets context. */
typedef struct smsp_secrets {
    void *context;
    /* Fills len bytes with random ones; false on failure. */
    bool (*draw)(void *context, uint8_t *out, size_t len);
    /* Hashes a password with salt and cost, slowly; false on failure. */
    bool (*password)(void *context, smsp_span password, const smsp_salt *salt, smsp_token *out);
    /* Hashes a cookie, fast: every request with a cookie calls it. */
    void (*cookie)(void *context, smsp_span cookie, smsp_token *out);
} smsp_secrets;

/* A request without its secrets: the input of the state machine. */
typedef struct smsp_tokenized {
    smsp_verb verb;      /* one of the protocol, SMSP_SALT or SMSP_SALT_NEW */
    smsp_span username;  /* valid for smsp_name_ok, or empty: an unknown user */
    smsp_span content;   /* MESSAGE */
    smsp_token cookie;   /* of the session; REGISTER and LOGIN: of the new cookie */
    smsp_token password; /* REGISTER, LOGIN */
} smsp_tokenized;

/* What to do with a request after smsp_tokenize. */
typedef enum smsp_next_step {
    SMSP_NEXT_EXECUTE, /* execute *tokenized */
    SMSP_NEXT_SALT,    /* execute *tokenized, which asks for the salt; then smsp_tokenize_login */
    SMSP_NEXT_REPLY    /* nothing to execute: reply *code */
} smsp_next_step;

/* Tokenizes a parsed request. *tokenized is set, with the spans of the request, unless the
 * result is SMSP_NEXT_REPLY; then *code is KO or LOG_IN (REQ-5, REG-7, REG-8, LGI-4, LGI-5). */
smsp_next_step smsp_tokenize(const smsp_secrets *secrets, const smsp_request *request, smsp_tokenized *tokenized,
                             smsp_reply_code *code) SMSP_MUST_USE;

/* Tokenizes a REGISTER or LOGIN with the salt of SMSP_REPLY_SALT: hashes the password and
 * draws a cookie. *tokenized: ready to execute; *cookie: the cookie to send if the result is
 * SMSP_REPLY_COOKIE. Returns SMSP_OK, or SMSP_BAD_SECRET if a callback failed; then
 * *tokenized is not valid, and the reply is KO. */
smsp_error smsp_tokenize_login(const smsp_secrets *secrets, const smsp_request *request, const smsp_salt *salt,
                               smsp_tokenized *tokenized, smsp_cookie *cookie) SMSP_MUST_USE;

/* Draws another cookie after SMSP_REPLY_AGAIN (REG-5, LGI-2, SES-3). *tokenized: its cookie is
 * replaced; *cookie: as above. Returns SMSP_OK, or SMSP_BAD_SECRET if draw failed. */
smsp_error smsp_draw_cookie(const smsp_secrets *secrets, smsp_tokenized *tokenized,
                            smsp_cookie *cookie) SMSP_MUST_USE;

/* If this many drawn cookies in a row are in use, the random source is broken: reply KO. */
#define SMSP_DRAWS_MAX 64u

/* ---- The state: RA, MBX, IMQ, ID and AC of PROTOCOL.md, section 1 ---- */

typedef struct smsp_limits {
    uint32_t accounts;
    uint32_t messages; /* in IMQ and MBX together */
    uint64_t text;     /* bytes of memory for message texts, in blocks of 64 */
    uint32_t mailbox;  /* messages in one mailbox */
    uint32_t imq;      /* messages in the IMQ; 0: the same as messages */
    uint32_t share;    /* messages of one sender in the IMQ; 0: a quarter of imq, rounded up */
    uint32_t journal;  /* effects between smsp_begin and smsp_commit */
} smsp_limits;

/* Returns the defaults of PROTOCOL.md, section 8. */
smsp_limits smsp_limits_default(void);

typedef struct smsp_config {
    smsp_limits limits;
    uint8_t hash_key[SMSP_KEY_LEN]; /* random: clients cannot choose names that collide */
    uint8_t salt_key[SMSP_KEY_LEN]; /* secret, the same each time this state is loaded: the salt
                                       of a username is derived from it */
    uint32_t cost;                  /* the cost in the salt of a new account */
    bool shared_mailboxes;          /* a session may open every mailbox (DEL-3, GET-4) */
    void *context;                  /* for verifier */
    /* Hashes a password token once more, so that nobody who reads the state can log in with
     * it. NULL: the state keeps the token itself. */
    void (*verifier)(void *context, const smsp_token *token, smsp_token *out);
} smsp_config;

typedef struct smsp_state smsp_state;

/* Returns the memory that a state with these limits needs, in bytes; 0 if the limits are not
 * valid: one is 0 (only imq and share may be), or the state would be too large. */
size_t smsp_state_size(const smsp_limits *limits);

/* Makes an empty state. memory: size bytes, aligned for any type, which the state uses from
 * then on. Only memory in use is touched, and 8 bytes for each of limits.accounts.
 * There is nothing to release. *state: points into memory. Returns SMSP_OK,
 * SMSP_BAD_LIMITS (smsp_state_size is 0), or
 * SMSP_NO_ROOM (size is less than smsp_state_size, or memory is not aligned). */
smsp_error smsp_state_init(void *memory, size_t size, const smsp_config *config, smsp_state **state) SMSP_MUST_USE;

/* While read_only is set, a request that would have an effect is answered KO (REQ-7). */
void smsp_state_read_only(smsp_state *state, bool read_only);

/* A change of the state. Replaying all effects of a state, in order, on an empty state with
 * the same limits rebuilds it. */
typedef enum smsp_effect_kind {
    SMSP_EFFECT_NONE,
    SMSP_EFFECT_ACCOUNT, /* username, verifier, salt; cookie if has_cookie: a new account */
    SMSP_EFFECT_SESSION, /* username, cookie: replaces the session of the user */
    SMSP_EFFECT_LOGOUT,  /* username: the session ends */
    SMSP_EFFECT_MESSAGE, /* username (the sender), content: a message on the IMQ */
    SMSP_EFFECT_STORE,   /* username: the most recent message of the IMQ moves to the mailbox */
    SMSP_EFFECT_DELETE,  /* username: the first message of the mailbox is removed */
    SMSP_EFFECTS         /* not an effect: the number of kinds */
} smsp_effect_kind;

/* Only the fields that the comment of its kind names are set. */
typedef struct smsp_effect {
    smsp_effect_kind kind;
    bool has_cookie;
    smsp_span username;
    smsp_span content;
    smsp_token verifier;
    smsp_token cookie;
    smsp_salt salt;
} smsp_effect;

/* Only code, effect.kind, and the fields that belong to these two are set. */
typedef struct smsp_result {
    smsp_reply_code code;
    uint32_t count;     /* COUNTED: messages */
    uint32_t message;   /* TEXT: for smsp_message_read, valid until the next effect */
    uint32_t length;    /* TEXT: its length in bytes */
    smsp_salt salt;     /* SALT */
    smsp_effect effect; /* its spans point into the state or the request, until the next call */
} smsp_result;

/* Executes one tokenized request (sections 5 to 7 of PROTOCOL.md). DUMP does nothing: the
 * caller prints smsp_dump. A request that smsp_tokenize never makes gets KO. Returns SMSP_OK
 * with *result, or SMSP_JOURNAL_FULL. */
smsp_error smsp_execute(smsp_state *state, const smsp_tokenized *tokenized, smsp_result *result) SMSP_MUST_USE;

/* Copies the text of a message that smsp_execute has named (GET-1, MSG-6).
 * Returns SMSP_OK with *len, or SMSP_NO_ROOM if the text has more than size bytes. */
smsp_error smsp_message_read(const smsp_state *state, uint32_t message, uint8_t *out, size_t size,
                             size_t *len) SMSP_MUST_USE;

/* A batch: smsp_rollback undoes all effects since smsp_begin. Outside of a batch each effect
 * is final. Batches do not nest. Commit and rollback outside of a batch do nothing. */
void smsp_begin(smsp_state *state);
void smsp_commit(smsp_state *state);
void smsp_rollback(smsp_state *state);

/* Applies an effect that smsp_execute recorded or a store contains. Does not check the share
 * of the sender. Returns SMSP_OK, SMSP_JOURNAL_FULL, SMSP_FULL (a limit of the state), or
 * SMSP_BAD_EFFECT: malformed, or not applicable (unknown user, username or cookie in use,
 * nothing to store or delete). */
smsp_error smsp_replay(smsp_state *state, const smsp_effect *effect) SMSP_MUST_USE;

/* Encodes an effect as at most SMSP_EFFECT_MAX bytes. Returns SMSP_OK with *len,
 * SMSP_BAD_EFFECT if it is malformed, or SMSP_NO_ROOM if size is too small. */
#define SMSP_EFFECT_MAX (4u + SMSP_NAME_MAX + SMSP_CONTENT_MAX + 2u * SMSP_TOKEN_LEN + SMSP_SALT_LEN + 4u)
smsp_error smsp_effect_encode(const smsp_effect *effect, uint8_t *out, size_t size, size_t *len) SMSP_MUST_USE;

/* Decodes the effect at the front of len bytes, which need not be trusted: names and texts are
 * checked. *effect: its spans point into bytes; *used: how many bytes it has. Returns SMSP_OK,
 * SMSP_NEED_MORE (it is not complete), or SMSP_BAD_EFFECT. */
smsp_error smsp_effect_decode(const uint8_t *bytes, size_t len, smsp_effect *effect, size_t *used) SMSP_MUST_USE;

/* ---- Reading a state ---- */

typedef struct smsp_counts {
    uint32_t accounts;
    uint32_t sessions;
    uint32_t messages; /* in IMQ and MBX */
    uint32_t imq;
    uint32_t blocks;   /* blocks of 64 bytes in use for texts */
} smsp_counts;

smsp_counts smsp_state_counts(const smsp_state *state);

/* Prints IMQ and MBX (DMP-1, DMP-5, DMP-6). Calls write with pieces of any length; LF ends each
 * line. Returns SMSP_OK, or SMSP_STOPPED if write returned false. */
typedef bool (*smsp_write)(void *context, const uint8_t *at, size_t len);
smsp_error smsp_dump(const smsp_state *state, smsp_write write, void *context) SMSP_MUST_USE;

/* Calls take with the shortest list of effects that rebuilds the state: accounts in the order
 * of registration, mailboxes, IMQ. An effect is valid until take returns. Returns SMSP_OK, or
 * SMSP_STOPPED if take returned false. */
typedef bool (*smsp_take)(void *context, const smsp_effect *effect);
smsp_error smsp_snapshot(const smsp_state *state, smsp_take take, void *context) SMSP_MUST_USE;

/* Returns a hash of the snapshot. Equal snapshots have the same hash; different ones do not,
 * except by chance. The time that it takes grows with the state. */
uint64_t smsp_state_digest(const smsp_state *state);

/* Checks every invariant. Returns NULL, or a sentence about the first that does not hold: a bug
 * in the engine, or overwritten memory. Safe for any contents of this memory. */
const char *smsp_state_check(const smsp_state *state);

/* ---- All steps in one process: a line as the frame returned it, and its answer ---- */

typedef struct smsp_line {
    smsp_span text;     /* without its terminator; not read if too_long */
    bool too_long;      /* smsp_frame_next returned SMSP_TOO_LONG: the reply is KO (FRM-7) */
    smsp_ending ending; /* of the frame: the reply ends in the same way (FRM-3, FRM-5) */
} smsp_line;

typedef struct smsp_answer_out {
    size_t len;         /* bytes of the reply, terminator included */
    bool dump;          /* print smsp_dump before sending the reply (DMP-4) */
    smsp_effect effect; /* as in smsp_result */
} smsp_answer_out;

/* Answers one line: parses, tokenizes and executes it, and writes the reply with its terminator
 * to out. Returns SMSP_OK with *what, SMSP_NO_ROOM if size is less than SMSP_REPLY_MAX + 1, or
 * SMSP_JOURNAL_FULL. */
smsp_error smsp_answer(smsp_state *state, const smsp_secrets *secrets, const smsp_line *line, uint8_t *out,
                       size_t size, smsp_answer_out *what) SMSP_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
