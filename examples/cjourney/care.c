/* Commands that look after the file: stats, check, compact.  What is wrong with a file
 * is the library's to know; here it becomes a table and an exit code. */
#include "program.h"

int run_stats(program *p)
{
    cj_table *t = NULL;
    int32_t rc = cj_stats(p->db, &t);

    return rc == CJ_OK ? table_print(p, t) : complain_library(p, rc);
}

int run_check(program *p)
{
    cj_table *t = NULL;
    int64_t n_problems;
    int32_t rc = cj_check(p->db, &t);
    int code;

    if (rc != CJ_OK)
        return complain_library(p, rc);
    n_problems = cj_table_rows(t);
    if (n_problems == 0) {
        cj_table_free(t);
        note(p, "%s is sound", p->file);
        return DONE;
    }
    code = table_print(p, t);
    if (code != DONE)
        return code;
    return complain(
        p, DAMAGED, "take the last copy of the file that is sound, and import again",
        "%lld problem%s", (long long)n_problems, n_problems == 1 ? "" : "s");
}

int run_compact(program *p)
{
    int32_t rc = cj_compact(p->db, progress, p);

    progress_end(p);
    if (rc != CJ_OK)
        return complain_library(p, rc);
    note(p, "%s is compact; see: cjourney -d %s stats", p->file, p->file);
    return DONE;
}
