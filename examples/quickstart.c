/* The smallest whole program: open a file, record one order, print the scores.
 * cc quickstart.c $(pkg-config --cflags --libs cjourney) */
#include <cjourney.h>

#include <stdio.h>

static int quickstart(cj_db *db)
{
    cj_identifier ann = {sizeof ann, "email", "ann@example.com"};
    cj_event order = {.struct_size = sizeof order,
                      .name = "order",
                      .channel = "web",
                      .identifiers = &ann,
                      .n_identifiers = 1,
                      .message_id = "quickstart-1",
                      .order_id = "A1",
                      .value_minor = 2590};
    cj_table *scores = NULL;
    char *text = NULL;
    int32_t rc = cj_record(db, &order);

    if (rc == CJ_OK)
        rc = cj_rfm(db, NULL, &scores);
    if (rc == CJ_OK)
        rc = cj_table_format(scores, "table", &text, NULL);
    if (rc == CJ_OK)
        fputs(text, stdout);
    cj_text_free(text);
    cj_table_free(scores);
    return rc;
}

int main(int argc, char **argv)
{
    cj_db *db = NULL;
    int32_t rc = cj_open(argc > 1 ? argv[1] : "shop.db", NULL, &db);

    if (rc == CJ_OK)
        rc = quickstart(db);
    if (rc != CJ_OK)
        fprintf(stderr, "%s: %s\n", cj_error_name(rc), cj_errmsg());
    cj_close(db);
    return rc == CJ_OK ? 0 : 1;
}
