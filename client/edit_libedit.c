/* SPDX-License-Identifier: ISC */
/* Line input with libedit. */
#define _GNU_SOURCE /* strdup and the like for histedit.h */
#include "edit.h"

#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>

#include "output.h"

#define HISTORY_LINES 1000
#define PROMPT_MAX    300u

struct editor {
    EditLine *el;
    History *history;
    edit_completion word;
    char prompt[PROMPT_MAX];
};

const char *edit_kind(void)
{
    return "libedit";
}

static editor *editor_of(EditLine *el)
{
    void *data = NULL;

    (void)el_get(el, EL_CLIENTDATA, &data);
    return data;
}

static char *show_prompt(EditLine *el)
{
    return editor_of(el)->prompt;
}

/* Completes the first word up to the longest common prefix of all candidates. */
static unsigned char complete(EditLine *el, int key)
{
    const LineInfo *line = el_line(el);
    size_t typed = (size_t)(line->cursor - line->buffer), common = 0;
    const char *first = NULL;
    size_t found = 0;
    char insert[64];

    (void)key;
    if (memchr(line->buffer, ' ', typed) != NULL)
        return CC_ERROR;
    for (size_t i = 0; editor_of(el)->word(i) != NULL; i++) {
        const char *word = editor_of(el)->word(i);

        if (strncmp(word, line->buffer, typed) != 0)
            continue;
        if (found++ == 0) {
            first = word;
            common = strlen(word);
        }
        for (size_t k = 0; k < common; k++)
            if (word[k] != first[k])
                common = k;
    }
    if (found == 0 || common + 2 > sizeof insert)
        return CC_ERROR;
    int n = snprintf(insert, sizeof insert, "%.*s%s", (int)(common - typed), first + typed,
                     found == 1 ? " " : "");
    if (n <= 0 || el_insertstr(el, insert) != 0)
        return CC_ERROR;
    return CC_REFRESH;
}

/* Text is UTF-8 in every locale. */
static void set_locale(void)
{
    const char *set = setlocale(LC_CTYPE, "");

    if (set == NULL || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
}

editor *edit_open(FILE *screen, edit_completion word)
{
    static editor only;
    HistEvent event;

    set_locale();
    only.word = word;
    only.history = history_init();
    only.el = el_init("smsp", stdin, screen, stderr);
    if (only.history == NULL || only.el == NULL) {
        print_error("libedit cannot use this terminal; give the commands on standard input instead");
        edit_close(&only);
        return NULL;
    }
    (void)history(only.history, &event, H_SETSIZE, HISTORY_LINES);
    (void)history(only.history, &event, H_SETUNIQUE, 1);
    (void)el_set(only.el, EL_CLIENTDATA, &only);
    (void)el_set(only.el, EL_PROMPT, show_prompt);
    (void)el_set(only.el, EL_EDITOR, "emacs");
    (void)el_set(only.el, EL_SIGNAL, 1);
    (void)el_set(only.el, EL_HIST, history, only.history);
    (void)el_set(only.el, EL_ADDFN, "smsp-complete", "complete the first word", complete);
    (void)el_set(only.el, EL_BIND, "^I", "smsp-complete", NULL);
    (void)el_source(only.el, NULL); /* the user's own ~/.editrc */
    return &only;
}

edit_result edit_line(editor *e, const char *prompt, smsp_span *line)
{
    HistEvent event;
    int count = 0;

    (void)snprintf(e->prompt, sizeof e->prompt, "%s", prompt);
    const char *text = el_gets(e->el, &count);
    if (text == NULL || count <= 0)
        return EDIT_END;
    if (text[0] != '\n')
        (void)history(e->history, &event, H_ENTER, text);
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    *line = (smsp_span){(const uint8_t *)text, len};
    return EDIT_LINE;
}

void edit_close(editor *e)
{
    if (e->el != NULL)
        el_end(e->el);
    if (e->history != NULL)
        history_end(e->history);
}
