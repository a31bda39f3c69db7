/* SPDX-License-Identifier: ISC */
/* The smallest use of the engine: answers requests from standard input on standard output.
 * engine/README.md shows serve(); engine/tests/check_example runs this program. */
#define _POSIX_C_SOURCE 200809L /* read */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "smsp.h"
#include "test_secrets.h" /* a server needs real hash functions: server/secret/ has them */

static bool print(void *file, const uint8_t *at, size_t len)
{
    return fwrite(at, 1, len, file) == len;
}

/* excerpt: shown in engine/README.md */
static bool serve(smsp_state *state, const smsp_secrets *secrets)
{
    static uint8_t input[SMSP_FRAME_SIZE(SMSP_REQUEST_MAX)], reply[SMSP_REPLY_MAX + 1];
    smsp_answer_out answer;
    smsp_frame frame;
    smsp_line line;
    smsp_error framed;
    size_t room;

    if (smsp_frame_init(&frame, input, sizeof input, SMSP_REQUEST_MAX) != SMSP_OK)
        return false;
    for (;;) {
        uint8_t *at = smsp_frame_room(&frame, &room);
        ssize_t got = read(STDIN_FILENO, at, room);
        if (got <= 0 || smsp_frame_fed(&frame, (size_t)got) != SMSP_OK)
            return got == 0;
        while ((framed = smsp_frame_next(&frame, &line.text)) != SMSP_NEED_MORE) {
            line.too_long = framed == SMSP_TOO_LONG;
            line.ending = frame.ending;
            if (smsp_answer(state, secrets, &line, reply, sizeof reply, &answer) != SMSP_OK)
                return false;
            if (answer.dump && smsp_dump(state, print, stderr) != SMSP_OK)
                return false;
            if (!print(stdout, reply, answer.len) || fflush(stdout) != 0)
                return false;
        }
    }
}
/* end of the excerpt */

int main(void)
{
    uint32_t draws = 0;
    const smsp_secrets secrets = {&draws, test_draw_counted, test_password, test_cookie};
    const smsp_config config = {.limits = smsp_limits_default()};
    size_t size = smsp_state_size(&config.limits);
    void *memory = malloc(size);
    smsp_state *state;

    if (memory == NULL || smsp_state_init(memory, size, &config, &state) != SMSP_OK) {
        fprintf(stderr, "example: no memory for the state: %zu bytes\n", size);
        return 1;
    }
    bool served = serve(state, &secrets);
    free(memory);
    return served ? 0 : 1;
}
