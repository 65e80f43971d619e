/* Runs a fuzz target without a fuzzer: each file of a corpus as it is, then every
 * shorter prefix and a fixed number of damaged copies.  The same files give the same
 * runs, so that `make check` repeats what `make fuzz` once found.  It knows nothing of
 * the library: a target is one function. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum {
    REPLAY_PREFIXES = 512, /* shorter prefixes tried: the last and the first bytes */
    REPLAY_DAMAGED = 256
};

static uint64_t replay_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u); /* splitmix64 */

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* An exact copy on the heap, so that reading one byte too far is seen. */
static int replay_once(const uint8_t *data, size_t n)
{
    uint8_t *copy = calloc(n > 0 ? n : 1, 1);

    if (copy == NULL)
        return -1;
    if (n > 0)
        memcpy(copy, data, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
    return 0;
}

static int replay_damaged(uint8_t *data, size_t n, uint64_t *state)
{
    size_t at = (size_t)(replay_next(state) % n);
    uint8_t kept = data[at];
    int rc;

    data[at] = (uint8_t)(replay_next(state) % 3 == 0 ? 0xff : replay_next(state));
    rc = replay_once(data, n);
    data[at] = kept;
    return rc;
}

static int replay_bytes(uint8_t *data, size_t n)
{
    uint64_t state = n;
    int rc = replay_once(data, n);

    for (size_t i = 0; rc == 0 && i < n && i < REPLAY_PREFIXES; i++) {
        rc = replay_once(data, i);
        if (rc == 0)
            rc = replay_once(data, n - i - 1);
    }
    for (int i = 0; rc == 0 && n > 0 && i < REPLAY_DAMAGED; i++)
        rc = replay_damaged(data, n, &state);
    return rc;
}

static int replay_file(const char *path)
{
    struct stat st;
    uint8_t *data = NULL;
    FILE *f = fopen(path, "rb");
    int rc = -1;

    if (f != NULL && fstat(fileno(f), &st) == 0 && st.st_size >= 0) {
        data = malloc((size_t)st.st_size + 1);
        if (data != NULL && fread(data, 1, (size_t)st.st_size, f) == (size_t)st.st_size)
            rc = replay_bytes(data, (size_t)st.st_size);
    }
    if (rc != 0)
        fprintf(stderr, "replay: cannot read %s\n", path);
    free(data);
    if (f != NULL)
        fclose(f);
    return rc;
}

/* Files of one directory by name, so that a failure comes at the same place again. */
static int replay_directory(const char *directory)
{
    struct dirent **entries = NULL;
    char path[4096];
    int n = scandir(directory, &entries, NULL, alphasort);
    int files = 0, rc = 0;

    for (int i = 0; i < n; i++) {
        if (rc == 0 && entries[i]->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
            rc = replay_file(path);
            files++;
        }
        free(entries[i]);
    }
    free(entries);
    printf("%s: %d files\n", directory, files);
    return rc;
}

int main(int argc, char **argv)
{
    int rc = replay_once((const uint8_t *)"", 0);

    for (int i = 1; rc == 0 && i < argc; i++)
        rc = replay_directory(argv[i]);
    return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
