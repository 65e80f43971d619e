/* clv saved, show, drop: the fitted models that a file keeps; and models by their name
 * or from a file of their own. */
#include "clv.h"

#include <stdlib.h>

static int saved_from_file(program *p, const char *file, cj_clv **out)
{
    size_t n;
    char *text;
    int32_t rc;
    int code = file_text(p, file, &text, &n);

    if (code != DONE)
        return code;
    rc = cj_clv_from_json(text, (int64_t)n, out);
    free(text);
    return rc == CJ_OK ? DONE : complain_library(p, rc);
}

int clv_model_read(program *p, const char *word, cj_clv **out)
{
    int32_t rc;

    *out = NULL;
    if (word[0] == '@')
        return saved_from_file(p, word + 1, out);
    if (p->db == NULL)
        return complain(p, USAGE, "add -d FILE, or give @FILE with its JSON",
                        "the model \"%.40s\" is kept in which file?", word);
    rc = cj_clv_load(p->db, word, out);
    return rc == CJ_OK ? DONE : complain_library(p, rc);
}

int run_clv_saved(program *p)
{
    cj_table *t = NULL;
    int32_t rc = cj_clv_saved(p->db, &t);

    if (rc != CJ_OK)
        return complain_library(p, rc);
    if (cj_table_rows(t) > 0)
        return table_print(p, t);
    cj_table_free(t);
    return complain(p, NOTHING, "make one: cjourney clv fit --save NAME",
                    "there is no saved model");
}

int run_clv_show(program *p)
{
    cj_clv *clv;
    int code = clv_model_read(p, p->arguments[0], &clv);

    if (code == DONE)
        code = clv_print(p, clv);
    cj_clv_free(clv);
    return code;
}

int run_clv_drop(program *p)
{
    int32_t rc = cj_clv_drop(p->db, p->arguments[0]);

    return rc == CJ_OK ? DONE : complain_library(p, rc);
}
