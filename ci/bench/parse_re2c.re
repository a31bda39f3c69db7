/* The grammar of PROTOCOL.md, section 2, for re2c: see parsers.h. */
#include "parsers.h"

static smsp_span span(const uint8_t *from, const uint8_t *to)
{
    return (smsp_span){from, (size_t)(to - from)};
}

bool parse_by_re2c(const uint8_t *line, size_t len, smsp_request *request)
{
    const uint8_t *YYCURSOR = line, *YYMARKER;
    const uint8_t *a, *b, *c, *d;
    const uint8_t *const end = line + len + 1; /* behind the NUL */
    /*!stags:re2c format = "const uint8_t *@@;"; */

    *request = (smsp_request){.verb = SMSP_DUMP};
    /*!re2c
        re2c:define:YYCTYPE = uint8_t;
        re2c:yyfill:enable = 0;
        re2c:flags:tags = 1;

        cont = [\x80-\xbf];
        utf8 = "\xc2" [\xa0-\xbf] | [\xc3-\xdf] cont | "\xe0" [\xa0-\xbf] cont
             | [\xe1-\xec\xee\xef] cont cont | "\xed" [\x80-\x9f] cont
             | "\xf0" [\x90-\xbf] cont cont | [\xf1-\xf3] cont cont cont | "\xf4" [\x80-\x8f] cont cont;
        nonspace = [\x21-\x7e] | utf8;
        text = " " | nonspace;
        name = [a-zA-Z0-9]{1,32};
        cookie = [0-9a-f]{32};
        end = "\x00";

        "REGISTER " @a name @b " " @c nonspace+ @d end {
            request->verb = SMSP_REGISTER;
            goto login;
        }
        "LOGIN " @a name @b " " @c nonspace+ @d end {
            request->verb = SMSP_LOGIN;
            goto login;
        }
        "LOGOUT " @c cookie @d end {
            request->verb = SMSP_LOGOUT;
            request->cookie = span(c, d);
            return YYCURSOR == end;
        }
        "MESSAGE " @a text+ @b " " @c cookie @d end {
            request->verb = SMSP_MESSAGE;
            request->content = span(a, b);
            request->cookie = span(c, d);
            return YYCURSOR == end && request->content.len <= SMSP_CONTENT_MAX;
        }
        "STORE " @a name @b " " @c cookie @d end {
            request->verb = SMSP_STORE;
            goto mailbox;
        }
        "COUNT " @a name @b " " @c cookie @d end {
            request->verb = SMSP_COUNT;
            goto mailbox;
        }
        "DELMSG " @a name @b " " @c cookie @d end {
            request->verb = SMSP_DELMSG;
            goto mailbox;
        }
        "GETMSG " @a name @b " " @c cookie @d end {
            request->verb = SMSP_GETMSG;
            goto mailbox;
        }
        "DUMP" (" " text*)? end { return YYCURSOR == end; }
        * { return false; }
    */
login:
    request->username = span(a, b);
    request->password = span(c, d);
    return YYCURSOR == end && request->password.len <= SMSP_PASSWORD_MAX;
mailbox:
    request->username = span(a, b);
    request->cookie = span(c, d);
    return YYCURSOR == end;
}
