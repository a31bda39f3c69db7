#ifndef OPTIONS_H
#define OPTIONS_H

#include "smsp.h"

typedef enum framing_mode {
    FRAMING_AUTO,       /* FRM-1 to FRM-6 */
    FRAMING_TERMINATED, /* without FRM-4 to FRM-6 */
    FRAMING_COURSE      /* replies to unterminated requests end with NUL */
} framing_mode;

typedef struct server_options {
    const char *host;
    const char *port;
    smsp_limits limits;
    uint32_t max_clients;
    framing_mode framing;
    bool shared_mailboxes;
} server_options;

typedef enum options_result {
    OPTIONS_RUN,  /* *options is filled in */
    OPTIONS_DONE, /* --help or --version was printed: exit 0 */
    OPTIONS_WRONG /* one line said what is wrong: exit 2 */
} options_result;

/* Reads the command line. */
options_result options_read(int argc, char **argv, server_options *out) SMSP_MUST_USE;

#endif
