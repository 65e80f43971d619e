/* The reject file: what an import refused, as CSV with the columns line, reason, raw,
 * to be mended and imported again.  It holds customer data, so its mode is 0600; and it
 * never overwrites a file that is not such a file. */
#include "events/import.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REJECT_BUFFER = 64 * 1024, REJECT_HEADER = 16 };

static const char reject_header[REJECT_HEADER + 1] = "line,reason,raw\n";

static int32_t reject_write(cj__rejects *r)
{
    size_t at = 0;

    while (at < r->text.n) {
        ssize_t put = write(r->fd, r->text.data + at, r->text.n - at);

        if (put < 0 && errno != EINTR)
            return cj__fail(CJ_EIO, "writing the reject file failed (errno %d)", errno);
        at += put > 0 ? (size_t)put : 0;
    }
    cj__str_clear(&r->text);
    return CJ_OK;
}

/* Empty, or begins as a reject file does; and not what is being imported. */
static int32_t reject_may_replace(const cj__rejects *r, const cj__input *in)
{
    char begin[REJECT_HEADER];
    struct stat st;
    ssize_t got;

    if (fstat(r->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return cj__fail(CJ_EINVAL, "the reject file is not a regular file");
    if (in->inode != 0 && (int64_t)st.st_ino == in->inode &&
        (int64_t)st.st_dev == in->device)
        return cj__fail(CJ_EINVAL, "the reject file is the file to import");
    if (st.st_size == 0)
        return CJ_OK;
    got = pread(r->fd, begin, sizeof begin, 0);
    if (got != REJECT_HEADER || memcmp(begin, reject_header, REJECT_HEADER) != 0)
        return cj__fail(CJ_EINVAL, "the reject file exists and is no reject file");
    return CJ_OK;
}

int32_t cj__rejects_open(cj__rejects *r, const cj__allocator *a, const char *path,
                         const cj__input *in)
{
    int32_t rc;

    r->fd = -1;
    cj__str_init(&r->text, a, (size_t)CJ__MAX_MESSAGE * 8);
    if (path == NULL)
        return CJ_OK;
    r->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (r->fd < 0)
        return cj__fail(CJ_EIO, "cannot open the reject file (errno %d)", errno);
    CJ_TRY(reject_may_replace(r, in));
    if (ftruncate(r->fd, 0) != 0)
        CJ_TRY(cj__fail(CJ_EIO, "cannot empty the reject file (errno %d)", errno));
    cj__str_put_text(&r->text, reject_header);
    rc = cj__str_status(&r->text);
out:
    if (rc != CJ_OK) {
        cj__str_clear(&r->text);
        (void)cj__rejects_end(r, rc);
    }
    return rc;
}

/* Always in quotes: the raw line has commas as a rule. */
static void reject_quote(cj__str *s, const char *text, size_t n)
{
    cj__str_put_char(s, '"');
    while (n > 0) {
        const char *quote = memchr(text, '"', n);
        size_t length = quote != NULL ? (size_t)(quote - text) + 1 : n;

        cj__str_put(s, text, length);
        if (quote != NULL)
            cj__str_put_char(s, '"');
        text += length;
        n -= length;
    }
    cj__str_put_char(s, '"');
}

int32_t cj__rejects_add(cj__rejects *r, int64_t line, const char *reason, cj__text raw)
{
    if (r->fd < 0)
        return CJ_OK;
    cj__str_put_int64(&r->text, line);
    cj__str_put_char(&r->text, ',');
    reject_quote(&r->text, reason, strlen(reason));
    cj__str_put_char(&r->text, ',');
    reject_quote(&r->text, raw.data, raw.n);
    cj__str_put_char(&r->text, '\n');
    if (cj__str_status(&r->text) != CJ_OK || r->text.n < REJECT_BUFFER)
        return cj__str_status(&r->text);
    return reject_write(r);
}

int32_t cj__rejects_end(cj__rejects *r, int32_t rc)
{
    int32_t written = CJ_OK;

    if (r->fd >= 0) {
        if (cj__str_status(&r->text) == CJ_OK)
            written = reject_write(r);
        close(r->fd);
    }
    cj__str_end(&r->text);
    r->fd = -1;
    return rc != CJ_OK ? rc : written;
}
