/* A file, or standard input, read in chunks into one buffer of fixed size, so that an
 * import of any length takes constant memory.  Knows nothing of lines or formats,
 * except the byte order mark. */
#include "events/import.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INPUT_CHUNK = 256 * 1024, INPUT_BUFFER = CJ__MAX_MESSAGE + 2 * INPUT_CHUNK };

static int32_t input_open_file(cj__input *in, const char *path)
{
    in->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd >= 0) {
        in->is_own = 1;
        return CJ_OK;
    }
    if (errno == ENOENT || errno == ENOTDIR)
        return cj__fail(CJ_ENOTFOUND, "the file to import does not exist");
    if (errno == EACCES || errno == EPERM)
        return cj__fail(CJ_EIO, "no permission to read the file to import");
    return cj__fail(CJ_EIO, "cannot open the file to import (errno %d)", errno);
}

/* A mark of UTF-8 is skipped, one of UTF-16 refused. */
static int32_t input_mark(cj__input *in)
{
    const char *p = in->data;

    if (in->n >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        in->from = 3;
    if (in->n >= 2 && (memcmp(p, "\xFF\xFE", 2) == 0 || memcmp(p, "\xFE\xFF", 2) == 0))
        return cj__fail(CJ_EINVAL, "the file is UTF-16; save it as UTF-8");
    return CJ_OK;
}

int32_t cj__input_open(cj__input *in, const cj__allocator *a, const char *path)
{
    struct stat st;
    int32_t rc = CJ_OK;

    memset(in, 0, sizeof *in);
    in->allocator = a;
    if (strcmp(path, "-") != 0)
        rc = input_open_file(in, path);
    if (rc == CJ_OK && fstat(in->fd, &st) != 0)
        rc = cj__fail(CJ_EIO, "cannot read the file to import (errno %d)", errno);
    if (rc == CJ_OK && S_ISDIR(st.st_mode))
        rc = cj__fail(CJ_EINVAL, "what is to be imported is a folder, not a file");
    if (rc != CJ_OK)
        return rc;
    if (S_ISREG(st.st_mode)) {
        in->n_total = (int64_t)st.st_size;
        in->device = (int64_t)st.st_dev;
        in->inode = (int64_t)st.st_ino;
    }
    in->data = cj__alloc(a, INPUT_BUFFER);
    if (in->data == NULL)
        return CJ_ENOMEM;
    while (in->n < 3 && !in->at_end && rc == CJ_OK)
        rc = cj__input_fill(in);
    return rc == CJ_OK ? input_mark(in) : rc;
}

int32_t cj__input_fill(cj__input *in)
{
    size_t room;
    ssize_t got;

    if (in->from > 0) {
        in->n -= in->from;
        memmove(in->data, in->data + in->from, in->n);
        in->from = 0;
    }
    room = INPUT_BUFFER - in->n;
    do
        got = read(in->fd, in->data + in->n, room < INPUT_CHUNK ? room : INPUT_CHUNK);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return cj__fail(CJ_EIO, "reading the file to import failed (errno %d)", errno);
    in->n += (size_t)got;
    in->n_read += got;
    in->at_end = got == 0;
    return CJ_OK;
}

cj__text cj__input_rest(const cj__input *in)
{
    return (cj__text){in->data + in->from, in->n - in->from};
}

void cj__input_end(cj__input *in)
{
    if (in->allocator == NULL)
        return;
    cj__free(in->allocator, in->data, INPUT_BUFFER);
    if (in->is_own)
        close(in->fd);
    memset(in, 0, sizeof *in);
}
