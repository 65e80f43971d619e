/* See api.h.  Knows cjourney.h and nothing of lib/. */
#include "api.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void api_expect(int32_t rc, int32_t expected, const char *call, int line)
{
    char text[128];

    if (rc == expected)
        return;
    (void)snprintf(text, sizeof text, "%s", cj_errmsg());
    ck_abort_msg("line %d: %s: %s instead of %s: %s", line, call, cj_error_name(rc),
                 expected == CJ_OK ? "CJ_OK" : cj_error_name(expected), text);
}

/* ---- files ----------------------------------------------------------------- */

void api_file_make(api_file *f)
{
    /* In memory where there is some: a test kills processes, not machines. */
    const char *tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    (void)snprintf(f->folder, sizeof f->folder, "%s/cj_api_XXXXXX", tmp);
    ck_assert_ptr_nonnull(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof f->path, "%s/shop.db", f->folder);
    (void)snprintf(f->wal, sizeof f->wal, "%s-wal", f->path);
    (void)snprintf(f->shm, sizeof f->shm, "%s-shm", f->path);
}

void api_file_remove(api_file *f)
{
    DIR *folder = opendir(f->folder);
    struct dirent *entry;
    char path[400];

    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", f->folder, entry->d_name);
        if (unlink(path) != 0)
            (void)rmdir(path);
    }
    (void)closedir(folder);
    ck_assert_int_eq(rmdir(f->folder), 0);
}

int api_exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

int64_t api_size(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

void api_write(const char *path, const void *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, n, file), n);
    ck_assert_int_eq(fclose(file), 0);
}

char *api_read(const char *path, size_t *n_out)
{
    int64_t n = api_size(path);
    FILE *file = fopen(path, "rb");
    char *bytes;

    ck_assert_msg(file != NULL && n >= 0, "cannot read %s", path);
    bytes = malloc((size_t)n + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, (size_t)n, file), (size_t)n);
    bytes[n] = '\0';
    (void)fclose(file);
    if (n_out != NULL)
        *n_out = (size_t)n;
    return bytes;
}

void api_copy(const char *from, const char *to)
{
    size_t n;
    char *bytes = api_read(from, &n);

    api_write(to, bytes, n);
    free(bytes);
}

int api_same_bytes(const char *path_a, const char *path_b)
{
    size_t n_a, n_b;
    char *a = api_read(path_a, &n_a), *b = api_read(path_b, &n_b);
    int same = n_a == n_b && memcmp(a, b, n_a) == 0;

    free(a);
    free(b);
    return same;
}

/* ---- handles --------------------------------------------------------------- */

/* A clock that stands still: what a file holds must not depend on when a test runs. */
static int64_t api_clock(void *user)
{
    (void)user;
    return API_TIME + (int64_t)800 * 86400000;
}

cj_open_options api_options(int64_t flags, int64_t seal_events)
{
    return (cj_open_options){.struct_size = (int64_t)sizeof(cj_open_options),
                             .flags = flags,
                             .seal_events = seal_events,
                             .clock = api_clock};
}

cj_db *api_open(const char *path, int64_t flags, int64_t seal_events)
{
    cj_open_options o = api_options(flags, seal_events);
    cj_db *db;

    expect_ok(cj_open(path, &o, &db));
    ck_assert_ptr_nonnull(db);
    return db;
}

int64_t api_stat(cj_db *db, const char *name)
{
    const int64_t *offsets;
    const char *names;
    int64_t value = -1;
    cj_table *t;

    expect_ok(cj_stats(db, &t));
    names = cj_table_text(t, 0, &offsets);
    for (int64_t i = 0; i < cj_table_rows(t); i++)
        if ((size_t)(offsets[i + 1] - offsets[i]) == strlen(name) &&
            memcmp(names + offsets[i], name, strlen(name)) == 0)
            value = cj_table_int64(t, 1)[i];
    cj_table_free(t);
    ck_assert_msg(value >= 0, "cj_stats has no %s", name);
    return value;
}

int64_t api_n_events(cj_db *db)
{
    return api_stat(db, "journal_events") + api_stat(db, "sealed_events");
}

void api_expect_sound(cj_db *db)
{
    cj_table *t;
    char *text;

    expect_ok(cj_check(db, &t));
    if (cj_table_rows(t) != 0) {
        expect_ok(cj_table_format(t, "table", &text, NULL));
        ck_abort_msg("cj_check found:\n%s", text);
    }
    cj_table_free(t);
}

/* ---- numbered messages ----------------------------------------------------- */

/* A bijection of [0, 65536): an odd factor. */
static int64_t api_when(int64_t number, int order)
{
    return order == API_IN_ORDER ? number : number * 40503 % API_MAX_NUMBER;
}

int64_t api_message_events(int64_t number)
{
    return number % 5 == 0 ? 3 : 1;
}

static void api_message_texts(api_message *m, int64_t number)
{
    (void)snprintf(m->id, sizeof m->id, "m%" PRId64, number);
    (void)snprintf(m->session, sizeof m->session, "n%" PRId64, number);
    (void)snprintf(m->user, sizeof m->user, "u%" PRId64, number % 37);
    (void)snprintf(m->visitor, sizeof m->visitor, "v%" PRId64,
                   number % 37 + 37 * (number / 40));
    (void)snprintf(m->order, sizeof m->order, "o%" PRId64, number);
    (void)snprintf(m->properties, sizeof m->properties,
                   "{\"page\":\"/p/%" PRId64 "\",\"n\":%" PRId64 "}", number % 91,
                   number);
}

void api_message_make(api_message *m, int64_t number, int order)
{
    static const char *const names[] = {"order", "product_view", "email_open", "refund",
                                        "cart_add"};
    static const char *const channels[] = {"web", "store", "app"};
    cj_event *e = &m->event;

    ck_assert(number >= 0 && number < API_MAX_NUMBER);
    memset(m, 0, sizeof *m);
    api_message_texts(m, number);
    m->identifiers[0] =
        (cj_identifier){sizeof m->identifiers[0], "anonymous_id", m->visitor};
    m->identifiers[1] = (cj_identifier){sizeof m->identifiers[1], "user_id", m->user};
    m->items[0] = (cj_item){sizeof m->items[0], "SKU-1", 2, 1000, "{\"size\":\"L\"}"};
    m->items[1] = (cj_item){sizeof m->items[1], "SKU-2", 1, 500 + number % 100, NULL};
    e->struct_size = (int64_t)sizeof *e;
    e->time_ms = API_TIME + api_when(number, order) * 60000;
    e->name = names[number % 5];
    e->channel = channels[number % 3];
    e->identifiers = m->identifiers;
    e->n_identifiers = number % 4 == 1 ? 1 : 2;
    e->message_id = m->id;
    e->session = m->session;
    e->campaign = number % 11 == 0 ? "spring" : NULL;
    e->properties = number % 6 == 5 ? NULL : m->properties;
    if (number % 5 == 0) {
        e->order_id = m->order;
        e->value_minor = 1500 + number % 100;
        e->items = m->items;
        e->n_items = 2;
    } else if (number % 5 == 3) {
        e->value_minor = -(100 + number % 7);
    }
}

int32_t api_record(cj_db *db, int64_t number, int order)
{
    api_message m;

    api_message_make(&m, number, order);
    return cj_record(db, &m.event);
}

int32_t api_record_range(cj_db *db, int64_t from, int64_t until, int order,
                         cj_record_result *result)
{
    size_t n = (size_t)(until - from);
    api_message *messages = malloc((n + 1) * sizeof *messages);
    int32_t rc;

    ck_assert_ptr_nonnull(messages);
    for (size_t i = 0; i < n; i++)
        api_message_make(&messages[i], from + (int64_t)i, order);
    rc = cj_record_many(db, &messages[0].event, (int64_t)n, (int64_t)sizeof *messages,
                        result);
    free(messages);
    return rc;
}

int *api_numbers(cj_db *db, int64_t n)
{
    int *seen = calloc((size_t)n + 1, sizeof *seen),
        *items = calloc((size_t)n + 1, sizeof *items);
    const cj_events_options o = {.struct_size = (int64_t)sizeof o, .limit = 10000000};
    const int64_t *at, *name_at;
    const char *sessions, *names;
    cj_table *t;

    ck_assert(seen != NULL && items != NULL);
    expect_ok(cj_events(db, &o, &t));
    names = cj_table_text(t, 3, &name_at);
    sessions = cj_table_text(t, 5, &at);
    for (int64_t i = 0; i < cj_table_rows(t); i++) {
        char text[24] = {0};
        int64_t number;
        ck_assert(at[i + 1] - at[i] > 1 && at[i + 1] - at[i] < 24);
        memcpy(text, sessions + at[i] + 1, (size_t)(at[i + 1] - at[i] - 1));
        number = strtoll(text, NULL, 10);
        ck_assert_msg(number >= 0 && number < n, "message %s was never sent", text);
        if (name_at[i + 1] - name_at[i] == 10 &&
            memcmp(names + name_at[i], "order_item", 10) == 0)
            items[number]++;
        else
            seen[number]++;
    }
    for (int64_t i = 0; i < n; i++)
        ck_assert_msg(items[i] == seen[i] * (api_message_events(i) - 1),
                      "message %lld has %d items", (long long)i, items[i]);
    cj_table_free(t);
    free(items);
    return seen;
}

/* ---- content --------------------------------------------------------------- */

static void api_put_bytes(api_text *t, const char *bytes, size_t n)
{
    if (t->n + n + 1 > t->capacity) {
        t->capacity = (t->n + n + 1) * 2;
        t->data = realloc(t->data, t->capacity);
        ck_assert_ptr_nonnull(t->data);
    }
    memcpy(t->data + t->n, bytes, n);
    t->n += n;
    t->data[t->n] = '\0';
}

void api_put(api_text *t, const char *text)
{
    api_put_bytes(t, text, strlen(text));
}

void api_put_table(api_text *t, cj_table *table)
{
    int64_t n;
    char *text;

    expect_ok(cj_table_format(table, "csv", &text, &n));
    api_put_bytes(t, text, (size_t)n);
    cj_text_free(text);
    cj_table_free(table);
}

static void api_put_profiles(api_text *t, cj_db *db)
{
    int64_t n = api_stat(db, "identifiers");
    cj_table *table;

    for (int64_t node = 1; node <= n; node++) {
        int32_t rc = cj_profile_identifiers(db, node, &table);
        if (rc == CJ_ENOTFOUND)
            continue; /* the node of a profile that has an older one */
        expect_ok(rc);
        api_put_table(t, table);
        expect_ok(cj_profile_traits(db, node, 0, &table));
        api_put_table(t, table);
    }
}

char *api_content(cj_db *db)
{
    api_text t = {0};
    cj_table *table;

    expect_ok(cj_events(db, NULL, &table));
    api_put_table(&t, table);
    expect_ok(cj_edges(db, 0, &table));
    api_put_table(&t, table);
    api_put_profiles(&t, db);
    expect_ok(cj_failed_events(db, &table));
    api_put_table(&t, table);
    return t.data;
}

/* ---- content, free of the order of arrival --------------------------------- */

typedef struct api_lines {
    char **lines;
    size_t n, capacity;
} api_lines;

static void api_line(api_lines *l, const char *head, const char *text, size_t n)
{
    if (l->n == l->capacity) {
        l->capacity = l->capacity * 2 + 64;
        l->lines = realloc(l->lines, l->capacity * sizeof *l->lines);
        ck_assert_ptr_nonnull(l->lines);
    }
    l->lines[l->n] = malloc(strlen(head) + n + 2);
    ck_assert_ptr_nonnull(l->lines[l->n]);
    (void)sprintf(l->lines[l->n++], "%s %.*s", head, (int)n, text);
}

static int api_line_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines of a CSV without their first `skip` columns, each after `head`. */
static void api_table_lines(api_lines *l, const char *head, cj_table *table, int skip)
{
    char *text, *at;

    expect_ok(cj_table_format(table, "csv", &text, NULL));
    at = strchr(text, '\n') + 1;
    while (*at != '\0') {
        char *end = strchr(at, '\n'), *from = at;
        for (int i = 0; i < skip; i++)
            from = strchr(from, ',') + 1;
        api_line(l, head, from, (size_t)(end - from));
        at = end + 1;
    }
    cj_text_free(text);
    cj_table_free(table);
}

/* The smallest "kind,value" of a profile's identifiers. */
static void api_profile_name(api_lines *identifiers, char *to, size_t size)
{
    qsort(identifiers->lines, identifiers->n, sizeof *identifiers->lines,
          api_line_order);
    ck_assert_uint_gt(identifiers->n, 0);
    (void)snprintf(to, size, "%s", identifiers->lines[0]);
}

static void api_lines_end(api_lines *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->lines[i]);
    free(l->lines);
}

static void api_profile_lines(api_lines *l, cj_db *db, int64_t profile)
{
    cj_events_options o = {.struct_size = (int64_t)sizeof o, .profile = profile};
    api_lines identifiers = {0};
    char name[256], head[300];
    cj_table *t;
    int32_t rc = cj_profile_identifiers(db, profile, &t);

    if (rc == CJ_ENOTFOUND)
        return;
    expect_ok(rc);
    api_table_lines(&identifiers, "", t, 1);
    api_profile_name(&identifiers, name, sizeof name);
    for (size_t i = 0; i < identifiers.n; i++) {
        (void)snprintf(head, sizeof head, "identifier of %s:", name);
        api_line(l, head, identifiers.lines[i], strlen(identifiers.lines[i]));
    }
    api_lines_end(&identifiers);
    (void)snprintf(head, sizeof head, "trait of %s:", name);
    expect_ok(cj_profile_traits(db, profile, 0, &t));
    api_table_lines(l, head, t, 0);
    (void)snprintf(head, sizeof head, "event of %s:", name);
    expect_ok(cj_events(db, &o, &t));
    api_table_lines(l, head, t, 2);
}

char *api_content_sorted(cj_db *db)
{
    int64_t n = api_stat(db, "identifiers");
    api_lines l = {0};
    api_text text = {0};
    cj_table *t;

    for (int64_t node = 1; node <= n; node++)
        api_profile_lines(&l, db, node);
    expect_ok(cj_failed_events(db, &t));
    api_table_lines(&l, "failed:", t, 2);
    qsort(l.lines, l.n, sizeof *l.lines, api_line_order);
    for (size_t i = 0; i < l.n; i++) {
        api_put(&text, l.lines[i]);
        api_put(&text, "\n");
    }
    api_lines_end(&l);
    if (text.data == NULL)
        api_put(&text, "");
    return text.data;
}

void api_expect_same(const char *a, const char *b, const char *what)
{
    size_t line = 1, i = 0, begin = 0;

    if (strcmp(a, b) == 0)
        return;
    for (; a[i] == b[i]; i++)
        if (a[i] == '\n') {
            line++;
            begin = i + 1;
        }
    ck_abort_msg("%s: line %zu differs:\n%.300s\n---- instead of\n%.300s", what, line,
                 a + begin, b + begin);
}

/* ---- an allocator that fails ----------------------------------------------- */

/* Before each piece lies its size. */
typedef union api_piece {
    uint64_t bytes;
    max_align_t align;
} api_piece;

void *api_heap_realloc(void *user, void *ptr, uint64_t old_bytes, uint64_t new_bytes)
{
    api_heap *h = user;
    api_piece *old = ptr == NULL ? NULL : (api_piece *)ptr - 1, *piece;

    if ((old == NULL ? 0 : old->bytes) != old_bytes)
        h->n_wrong++;
    if (new_bytes == 0) {
        h->live_bytes -= old == NULL ? 0 : (int64_t)old->bytes;
        free(old);
        return NULL;
    }
    h->n_calls++;
    if (h->fail_at > 0 && --h->fail_at == 0) {
        if (h->fail_on)
            h->fail_at = 1;
        h->n_failed++;
        return NULL;
    }
    piece = malloc(sizeof *piece + new_bytes);
    if (piece == NULL)
        return NULL;
    piece->bytes = new_bytes;
    if (old != NULL)
        memcpy(piece + 1, old + 1, old->bytes < new_bytes ? old->bytes : new_bytes);
    h->live_bytes += (int64_t)new_bytes - (old == NULL ? 0 : (int64_t)old->bytes);
    free(old);
    return piece + 1;
}

void api_heap_arm(api_heap *heap, int64_t fail_at, int fail_on)
{
    heap->n_failed = 0;
    heap->fail_on = fail_on;
    heap->fail_at = fail_at;
}

void api_heap_disarm(api_heap *heap)
{
    heap->fail_at = 0;
    heap->fail_on = 0;
}

/* ---- dice ------------------------------------------------------------------ */

uint64_t api_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

void api_shuffle(int64_t *numbers, int64_t n, uint64_t *state)
{
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = (int64_t)(api_random(state) % (uint64_t)(i + 1)), swap = numbers[i];
        numbers[i] = numbers[j];
        numbers[j] = swap;
    }
}
