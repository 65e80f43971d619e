/* The unsealed events alone, as columns in order of arrival: for who keeps them in
 * memory and adds what comes. */
#include "scan/internal.h"

int32_t cj__scan_unsealed(cj__reader *reader, cj__frame *to)
{
    const cj__row *rows;
    int64_t n;
    int32_t rc;

    CJ_TRY(cj__reader_journal(reader, &rows, &n));
    CJ_TRY(cj__frame_reserve(to, n));
    for (int64_t i = 0; i < n; i++)
        cj__frame_put_row(to, &rows[i], rows[i].node);
    CJ_TRY(cj__frame_own(to, 0, n));
out:
    return rc;
}
