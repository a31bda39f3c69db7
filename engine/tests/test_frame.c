/* SPDX-License-Identifier: ISC */
/* Framing: terminators, limits, silence, and streams cut into pieces. */
#include "test_support.h"

#define LONGEST 10u

/* The lines of a stream as text: "[line]" for each line, "<long>" for a line that was too
 * long. */
typedef struct {
    char text[400];
    size_t len;
} events;

static void add(events *e, const void *at, size_t len)
{
    assert_true(e->len + len < sizeof e->text);
    memcpy(e->text + e->len, at, len);
    e->len += len;
    e->text[e->len] = '\0';
}

/* Records a line; returns false for SMSP_NEED_MORE. */
static bool note(events *e, smsp_error error, smsp_span line)
{
    if (error == SMSP_NEED_MORE)
        return false;
    if (error == SMSP_TOO_LONG) {
        add(e, "<long>", 6);
        return true;
    }
    assert_int_equal(error, SMSP_OK);
    add(e, "[", 1);
    add(e, line.at, line.len);
    add(e, "]", 1);
    return true;
}

static void take_all(smsp_frame *frame, events *e)
{
    smsp_span line = {NULL, 0};

    while (note(e, smsp_frame_next(frame, &line), line))
        continue;
}

static void feed(smsp_frame *frame, const uint8_t *at, size_t len, events *e)
{
    while (len > 0) {
        size_t room;
        uint8_t *to = smsp_frame_room(frame, &room);
        size_t n = len < room ? len : room;
        assert_true(n > 0);
        memcpy(to, at, n);
        assert_int_equal(smsp_frame_fed(frame, n), SMSP_OK);
        at += n;
        len -= n;
        take_all(frame, e);
    }
}

static void end_here(smsp_frame *frame, events *e)
{
    smsp_span line = {NULL, 0};

    (void)note(e, smsp_frame_end_here(frame, &line), line);
}

/* A frame in a buffer of SMSP_FRAME_SIZE(LONGEST) bytes, fed with these at once. */
static void begin_with(smsp_frame *frame, uint8_t *buffer, const char *bytes, size_t len)
{
    size_t room;

    assert_int_equal(smsp_frame_init(frame, buffer, SMSP_FRAME_SIZE(LONGEST), LONGEST), SMSP_OK);
    assert_int_equal(frame->ending, SMSP_ENDS_UNKNOWN);
    assert_false(smsp_frame_partial(frame));
    uint8_t *to = smsp_frame_room(frame, &room);
    assert_in_range(len, 0, room);
    memcpy(to, bytes, len);
    assert_int_equal(smsp_frame_fed(frame, len), SMSP_OK);
}

/* Feeds the stream in pieces of step bytes, in a heap buffer of exactly size bytes, and compares
 * the lines. */
static void expect_pieces(const char *stream, size_t len, size_t step, size_t size, const char *expected)
{
    uint8_t *buffer = exact("", 0);
    smsp_frame frame;
    events e = {.len = 0};

    free(buffer);
    buffer = malloc(size);
    assert_non_null(buffer);
    assert_int_equal(smsp_frame_init(&frame, buffer, size, LONGEST), SMSP_OK);
    for (size_t at = 0; at < len; at += step)
        feed(&frame, (const uint8_t *)stream + at, len - at < step ? len - at : step, &e);
    e.text[e.len] = '\0';
    assert_string_equal(e.text, expected);
    free(buffer);
}

/* In pieces of every size, in the smallest buffer and in larger ones. */
static void expect(const char *stream, size_t len, const char *expected)
{
    for (size_t step = 1; step <= len; step++)
        for (size_t size = SMSP_FRAME_SIZE(LONGEST); size < SMSP_FRAME_SIZE(LONGEST) + 40; size += 3)
            expect_pieces(stream, len, step, size, expected);
}

#define EXPECT(stream, expected) expect((stream), sizeof(stream) - 1, (expected))

static void lines(void **unused)
{
    (void)unused;
    EXPECT("one\ntwo\n", "[one][two]");
    EXPECT("one\r\ntwo\n", "[one][two]");
    EXPECT("\n\r\n", "[][]");
    EXPECT("a\r\r\nb\n", "[a\r][b]");
    EXPECT("\ra\n", "[\ra]");
    EXPECT("a\n\rb\n", "[a][\rb]");
    EXPECT("one\ntw", "[one]");
    EXPECT("unfinished", "");
    EXPECT("a long stream\nof\nmany\nlines\nsome short\r\nand\nsome too long ones\nend\n",
           "<long>[of][many][lines][some short][and]<long>[end]");
}

static void nul_lines(void **unused)
{
    (void)unused;
    EXPECT("one\0two\0", "[one][two]");
    EXPECT("a\nb\0", "[a]"); /* LF came first: the NUL ends nothing */
    EXPECT("a\0b\nc\0", "[a][b\nc]");
    EXPECT("a\0b\r\0", "[a][b\r]");
    EXPECT("a\0b\xff\1c\0", "[a][b\xff\1c]"); /* the neighbours of NUL end nothing */
}

/* The first terminator decides; the other byte is an ordinary one (FRM-1). */
static void first_terminator_decides(void **unused)
{
    uint8_t buffer[SMSP_FRAME_SIZE(LONGEST)];
    smsp_frame frame;
    smsp_span line = {NULL, 0};

    (void)unused;
    begin_with(&frame, buffer, "a\nb\0c\n", 6);
    assert_int_equal(smsp_frame_next(&frame, &line), SMSP_OK);
    assert_int_equal(frame.ending, SMSP_ENDS_LF);
    assert_int_equal(smsp_frame_next(&frame, &line), SMSP_OK);
    assert_span_equal(line, "b\0c");
    assert_int_equal(smsp_frame_next(&frame, &line), SMSP_NEED_MORE);
    assert_int_equal(smsp_frame_end_here(&frame, &line), SMSP_NEED_MORE);
}

/* LONGEST is 10: at the limit, one over, far over, with and without CR. */
static void limits(void **unused)
{
    (void)unused;
    EXPECT("123456789\nx\n", "[123456789][x]");
    EXPECT("1234567890\nx\n", "[1234567890][x]");
    EXPECT("1234567890\r\nx\n", "[1234567890][x]");
    EXPECT("12345678901\nx\n", "<long>[x]");
    EXPECT("12345678901\r\nx\n", "<long>[x]");
    EXPECT("1234567890\r\r\nx\n", "<long>[x]");
    EXPECT("1234567890\rx\nx\n", "<long>[x]");
    EXPECT("a much longer line than there is room for in it\nx\n", "<long>[x]");
    EXPECT("a much longer line than there is room for in it\0x\0", "<long>[x]");
    EXPECT("1234567890\0x\0", "[1234567890][x]");
    EXPECT("12345678901\0x\0", "<long>[x]");
    EXPECT("never ends and never will, whatever comes", "");
}

static void buffer_too_small(void **unused)
{
    uint8_t buffer[SMSP_FRAME_SIZE(LONGEST)];
    smsp_frame frame;
    size_t room;

    (void)unused;
    assert_int_equal(smsp_frame_init(&frame, buffer, 2, 0), SMSP_NO_ROOM);
    assert_int_equal(smsp_frame_init(&frame, buffer, sizeof buffer - 1, LONGEST), SMSP_NO_ROOM);
    assert_int_equal(smsp_frame_init(&frame, buffer, sizeof buffer, SIZE_MAX), SMSP_NO_ROOM);
    assert_int_equal(smsp_frame_init(&frame, buffer, sizeof buffer, LONGEST), SMSP_OK);
    (void)smsp_frame_room(&frame, &room);
    assert_int_equal(room, sizeof buffer);
    assert_int_equal(smsp_frame_fed(&frame, room + 1), SMSP_NO_ROOM);
    assert_int_equal(smsp_frame_fed(&frame, room), SMSP_OK);
}

/* ---- Unterminated clients (FRM-4 to FRM-6) ---- */

/* Each piece is followed by silence. */
static void expect_silences(const char *const *pieces, const size_t *lens, size_t count, const char *expected)
{
    uint8_t buffer[SMSP_FRAME_SIZE(LONGEST)];
    smsp_frame frame;
    events e = {.len = 0};

    assert_int_equal(smsp_frame_init(&frame, buffer, sizeof buffer, LONGEST), SMSP_OK);
    for (size_t i = 0; i < count; i++) {
        feed(&frame, (const uint8_t *)pieces[i], lens[i], &e);
        end_here(&frame, &e);
    }
    e.text[e.len] = '\0';
    assert_string_equal(e.text, expected);
}

static void expect_silences_of(const char *expected, const char *const *pieces)
{
    size_t lens[8];
    size_t count = 0;

    for (; pieces[count] != NULL; count++)
        lens[count] = strlen(pieces[count]);
    expect_silences(pieces, lens, count, expected);
}

#define SILENCES(expected, ...) expect_silences_of((expected), (const char *const[]){__VA_ARGS__, NULL})

static void silence(void **unused)
{
    static const char *const with_nul[] = {"one", "two\0", "\0"};
    static const size_t lens[] = {3, 4, 1};

    (void)unused;
    SILENCES("[one][two]", "one", "two");
    SILENCES("[DUMP]", "D", "UMP"); /* one byte is not enough to decide */
    SILENCES("[ab][c]", "ab", "c"); /* later it is */
    SILENCES("[ab]", "ab", "");
    SILENCES("[ab][cd][ef][][]", "ab", "cd\n", "ef\r\n", "\n", "\r\n");
    SILENCES("[ab][c\nd][e\r][\n]", "ab", "c\nd", "e\r", "\n\n");
    SILENCES("[one]", "one\n", "two"); /* terminated: the rest is never executed (FRM-8) */
    expect_silences(with_nul, lens, 3, "[one][two][]");
}

static void silence_limits(void **unused)
{
    (void)unused;
    SILENCES("[1234567890][x]", "1234567890", "x");
    SILENCES("<long>[x]", "12345678901", "x");
    SILENCES("<long>[x]", "a much longer line than there is room for in it", "x");
    SILENCES("[ab][1234567890][1234567890]", "ab", "1234567890\n", "1234567890\r\n");
    SILENCES("[ab]<long>[x]", "ab", "12345678901\n", "x");
    SILENCES("[ab]<long>[x]", "ab", "a much longer line than there is room for in it\r\n", "x");
}

/* The silence that ends a request, after these bytes and an earlier request or none. */
static void expect_silence_ms(int expected, const char *before, const char *bytes)
{
    uint8_t buffer[SMSP_FRAME_SIZE(LONGEST)];
    smsp_frame frame;
    events e = {.len = 0};

    assert_int_equal(smsp_frame_init(&frame, buffer, sizeof buffer, LONGEST), SMSP_OK);
    feed(&frame, (const uint8_t *)before, strlen(before), &e);
    end_here(&frame, &e);
    feed(&frame, (const uint8_t *)bytes, strlen(bytes), &e);
    assert_int_equal(smsp_frame_silence_ms(&frame), expected);
}

static void silence_ms(void **unused)
{
    (void)unused;
    expect_silence_ms(-1, "", "");
    expect_silence_ms(-1, "", "D"); /* FRM-4: two bytes or more */
    expect_silence_ms(150, "", "DU");
    expect_silence_ms(150, "", "a line that is too long and dropped");
    expect_silence_ms(-1, "", "DUMP\n");
    expect_silence_ms(-1, "", "DUMP\nDU"); /* FRM-8 */
    expect_silence_ms(-1, "one", "");
    expect_silence_ms(20, "one", "D"); /* FRM-5 */
    expect_silence_ms(20, "one", "a line that is too long and dropped");
}

/* smsp_frame_end_here takes no line while the bytes may contain a terminator. */
static void silence_after_all_was_looked_at(void **unused)
{
    uint8_t buffer[SMSP_FRAME_SIZE(LONGEST)];
    smsp_frame frame;
    smsp_span line = {NULL, 0};

    (void)unused;
    begin_with(&frame, buffer, "ab\ncd", 5);
    assert_int_equal(smsp_frame_end_here(&frame, &line), SMSP_NEED_MORE);
    assert_int_equal(smsp_frame_next(&frame, &line), SMSP_OK);
    assert_span_equal(line, "ab");
    assert_true(smsp_frame_partial(&frame));
}

/* Silence ends no line of a stream with terminators, LF or NUL (FRM-8). */
static void silence_after_a_terminator(void **unused)
{
    static const char *const streams[] = {"ab\ncd", "ab\0cd"};
    uint8_t buffer[SMSP_FRAME_SIZE(LONGEST)];
    smsp_frame frame;
    smsp_span line;

    (void)unused;
    for (int i = 0; i < 2; i++) {
        begin_with(&frame, buffer, streams[i], 5);
        assert_int_equal(smsp_frame_next(&frame, &line), SMSP_OK);
        assert_int_equal(smsp_frame_next(&frame, &line), SMSP_NEED_MORE);
        assert_int_equal(smsp_frame_end_here(&frame, &line), SMSP_NEED_MORE);
        assert_true(smsp_frame_partial(&frame));
    }
}

/* The bytes of a line that is too long were dropped when the silence comes. */
static void silence_after_what_was_dropped(void **unused)
{
    uint8_t buffer[SMSP_FRAME_SIZE(LONGEST)];
    char many[SMSP_FRAME_SIZE(LONGEST)];
    smsp_frame frame;
    smsp_span line;
    size_t room;

    (void)unused;
    memset(many, 'x', sizeof many);
    begin_with(&frame, buffer, many, sizeof many);
    assert_int_equal(smsp_frame_next(&frame, &line), SMSP_NEED_MORE);
    assert_ptr_equal(smsp_frame_room(&frame, &room), buffer);
    assert_int_equal(frame.end, 0);
    assert_int_equal(smsp_frame_end_here(&frame, &line), SMSP_TOO_LONG);
}

/* Each byte is examined once: a call searches only new bytes. */
static void scanned_moves_on(void **unused)
{
    uint8_t buffer[SMSP_FRAME_SIZE(LONGEST)];
    smsp_frame frame;
    smsp_span line;
    size_t room;

    (void)unused;
    assert_int_equal(smsp_frame_init(&frame, buffer, sizeof buffer, LONGEST), SMSP_OK);
    for (size_t i = 0; i < LONGEST; i++) {
        *smsp_frame_room(&frame, &room) = 'x';
        assert_int_equal(smsp_frame_fed(&frame, 1), SMSP_OK);
        assert_int_equal(smsp_frame_next(&frame, &line), SMSP_NEED_MORE);
        assert_int_equal(frame.scanned, frame.end);
    }
    /* A terminator that the test writes before that offset is not found. */
    buffer[0] = '\n';
    assert_int_equal(smsp_frame_next(&frame, &line), SMSP_NEED_MORE);
    assert_true(smsp_frame_partial(&frame));
    /* A line whose bytes are dropped has begun, too. */
    (void)smsp_frame_room(&frame, &room);
    assert_int_equal(smsp_frame_fed(&frame, room), SMSP_OK);
    assert_int_equal(frame.buffer[frame.end - 1] = 'x', 'x');
    frame.scanned = frame.end;
    assert_int_equal(smsp_frame_next(&frame, &line), SMSP_NEED_MORE);
    assert_true(frame.discarding);
    assert_true(smsp_frame_partial(&frame));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(nul_lines),
        cmocka_unit_test(first_terminator_decides),
        cmocka_unit_test(limits),
        cmocka_unit_test(buffer_too_small),
        cmocka_unit_test(silence),
        cmocka_unit_test(silence_limits),
        cmocka_unit_test(silence_ms),
        cmocka_unit_test(silence_after_all_was_looked_at),
        cmocka_unit_test(silence_after_a_terminator),
        cmocka_unit_test(silence_after_what_was_dropped),
        cmocka_unit_test(scanned_moves_on),
    };
    return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
