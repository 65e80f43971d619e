/* Any bytes as CSV: the reader always advances, its fields lie in what it was given,
 * and a file that arrives in small pieces has the same records as one that arrives
 * whole. */
#include "events/csv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(int ok)
{
    if (!ok)
        abort();
}

static void note(cj__str *seen, const cj__csv *csv, const cj__csv_record *r)
{
    cj__str_put_int64(seen, r->n_lines);
    cj__str_put_text(seen, r->problem != NULL ? r->problem : "");
    for (size_t i = 0; r->problem == NULL && i < csv->n_fields; i++) {
        cj__str_put_char(seen, '\1');
        cj__str_put(seen, csv->fields[i].data, csv->fields[i].n);
    }
    cj__str_put_char(seen, '\2');
}

/* Read all records, showing the reader `piece` more bytes each time it asks. */
static void read_all(const char *text, size_t n, size_t piece, cj__str *seen)
{
    size_t from = 0, shown = piece < n ? piece : n;
    cj__csv csv;

    cj__csv_init(&csv, seen->allocator);
    for (;;) {
        cj__text window = {text + from, shown - from};
        cj__csv_record r;
        int what = -1;

        must(cj__csv_next(&csv, window, shown == n, &what, &r) == CJ_OK);
        must(r.used <= window.n);
        from += r.used;
        if (what == CJ__CSV_RECORD) {
            must(r.used > 0);
            note(seen, &csv, &r);
        } else if (shown == n) {
            break;
        } else {
            shown = n - shown < piece ? n : shown + piece;
        }
    }
    cj__csv_end(&csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const size_t pieces[] = {1, 7, 64};
    cj__str whole, parts;
    cj__ctx cx;

    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    cj__str_init(&whole, &cx.allocator, 1 << 26);
    cj__str_init(&parts, &cx.allocator, 1 << 26);
    read_all((const char *)data, n, n > 0 ? n : 1, &whole);
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        cj__str_clear(&parts);
        read_all((const char *)data, n, pieces[i], &parts);
        must(parts.n == whole.n);
        must(whole.n == 0 || memcmp(parts.data, whole.data, whole.n) == 0);
    }
    cj__str_end(&whole);
    cj__str_end(&parts);
    return 0;
}
