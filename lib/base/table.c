/* cj_table: columns in the Arrow layout, built sticky, then immutable and counted.
 * Invariants of a finished table: all columns have the same length; every buffer
 * exists, also when there are no rows; the validity bitmap exists only when a row is
 * null; the value under a null is 0 or "".  It knows nothing of what the columns mean.
 */
#include "base/table.h"

#include <string.h>

enum { TABLE_BUFFERS = 3 };

/* A growing array; bytes is the capacity in elements times their size. */
typedef struct table_buffer {
    void *data;
    size_t capacity; /* elements */
    int32_t in_room; /* of the table, until it grows */
} table_buffer;

typedef struct table_column {
    char *name;
    size_t name_bytes;
    int32_t type;
    size_t n, n_nulls;
    table_buffer values;   /* int64 or double; for text its n + 1 offsets */
    table_buffer bytes;    /* of a text column */
    table_buffer validity; /* data NULL: no null so far */
    const void *buffers[TABLE_BUFFERS];
} table_column;

struct cj_table {
    cj__allocator allocator; /* a copy: results outlive their handle */
    int32_t rc;
    int32_t finished;
    int64_t references;
    int64_t n_columns;
    table_column *columns;
    void *room; /* cj__table_room */
    size_t room_bytes;
};

static const struct {
    char letter;
    int32_t type;
} table_types[] = {
    {'i', CJ_INT64 },
    {'d', CJ_DOUBLE},
    {'t', CJ_TEXT  }
};

/* What one table may hold: more than any memory, less than an overflow. */
#define TABLE_MAX_ELEMENTS (PTRDIFF_MAX / 16)

enum { TABLE_WORDS = 128, TABLE_WORD = 32 }; /* short words: how many, how long */

/* ---- making and freeing --------------------------------------------------------- */

static int32_t table_type_of(char letter)
{
    for (size_t i = 0; i < sizeof table_types / sizeof table_types[0]; i++) {
        if (table_types[i].letter == letter)
            return table_types[i].type;
    }
    return 0;
}

static int32_t table_leave_room(cj_table *t, table_buffer *b, size_t need,
                                size_t element)
{
    table_buffer own = {0};
    int32_t rc = cj__array_grow(&t->allocator, &own.data, &own.capacity, need, element,
                                TABLE_MAX_ELEMENTS);

    if (rc != CJ_OK)
        return rc;
    memcpy(own.data, b->data, b->capacity * element);
    *b = own;
    return CJ_OK;
}

static int32_t table_grow(cj_table *t, table_buffer *b, size_t need, size_t element)
{
    if (b->in_room && need > b->capacity)
        return table_leave_room(t, b, need, element);
    return cj__array_grow(&t->allocator, &b->data, &b->capacity, need, element,
                          TABLE_MAX_ELEMENTS);
}

static void table_buffer_end(const cj__allocator *a, table_buffer *b, size_t element)
{
    if (!b->in_room)
        cj__free(a, b->data, b->capacity * element);
}

/* One "name:letter" of the column list. */
static int32_t table_column_init(cj_table *t, table_column *c, const char *word,
                                 size_t n)
{
    int32_t rc = CJ_OK;

    c->type = n > 2 && word[n - 2] == ':' ? table_type_of(word[n - 1]) : 0;
    if (c->type == 0)
        return cj__fail(CJ_EMISUSE, "a column is written as name:i, name:d or name:t");
    c->name_bytes = n - 1;
    c->name = cj__alloc_zero(&t->allocator, c->name_bytes);
    if (c->name == NULL)
        return CJ_ENOMEM;
    memcpy(c->name, word, n - 2);
    CJ_TRY(table_grow(t, &c->values, 1, sizeof(int64_t)));
    if (c->type == CJ_TEXT) {
        CJ_TRY(table_grow(t, &c->bytes, 1, 1));
        *(int64_t *)c->values.data = 0;
    }
out:
    return rc;
}

static const char *table_word(const char *from, size_t *n)
{
    from += strspn(from, " ");
    *n = strcspn(from, " ");
    return from;
}

static int32_t table_columns_init(cj_table *t, const char *columns)
{
    int64_t count = 0;
    size_t n;

    for (const char *word = table_word(columns, &n); n > 0;
         word = table_word(word + n, &n))
        count++;
    if (count == 0)
        return cj__fail(CJ_EMISUSE, "a table needs a column");
    t->columns = cj__alloc_zero(&t->allocator,
                                cj__size_product((size_t)count, sizeof *t->columns));
    if (t->columns == NULL)
        return CJ_ENOMEM;
    t->n_columns = count;
    for (int64_t i = 0; i < count; i++) {
        int32_t rc;

        columns = table_word(columns, &n);
        rc = table_column_init(t, &t->columns[i], columns, n);
        if (rc != CJ_OK)
            return rc;
        columns += n;
    }
    return CJ_OK;
}

int32_t cj__table_new(const cj__allocator *a, const char *columns, cj_table **out)
{
    cj_table *t;
    int32_t rc;

    *out = NULL;
    t = cj__alloc_zero(a, sizeof *t);
    if (t == NULL)
        return CJ_ENOMEM;
    t->allocator = *a;
    t->references = 1;
    rc = table_columns_init(t, columns);
    if (rc != CJ_OK) {
        cj__table_free(t);
        return rc;
    }
    *out = t;
    return CJ_OK;
}

void cj__table_rename(cj_table *t, int column, const char *name)
{
    const size_t bytes = strlen(name) + 1;
    table_column *c = &t->columns[column];
    char *copy = t->rc == CJ_OK ? cj__alloc(&t->allocator, bytes) : NULL;

    if (t->rc == CJ_OK && copy == NULL)
        t->rc = CJ_ENOMEM;
    if (copy == NULL)
        return;
    memcpy(copy, name, bytes);
    cj__free(&t->allocator, c->name, c->name_bytes);
    c->name = copy;
    c->name_bytes = bytes;
}

static void table_column_end(const cj__allocator *a, table_column *c)
{
    cj__free(a, c->name, c->name_bytes);
    table_buffer_end(a, &c->values, sizeof(int64_t));
    table_buffer_end(a, &c->bytes, 1);
    table_buffer_end(a, &c->validity, 1);
}

void cj__table_free(cj_table *t)
{
    cj__allocator a;

    if (t == NULL || __atomic_sub_fetch(&t->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    a = t->allocator;
    for (int64_t i = 0; i < t->n_columns; i++)
        table_column_end(&a, &t->columns[i]);
    cj__free(&a, t->columns, (size_t)t->n_columns * sizeof *t->columns);
    cj__free(&a, t->room, t->room_bytes);
    cj__free(&a, t, sizeof *t);
}

cj_table *cj__table_retain(cj_table *t)
{
    __atomic_add_fetch(&t->references, 1, __ATOMIC_RELAXED);
    return t;
}

/* ---- building ------------------------------------------------------------------- */

/* The column to append to, or NULL with the sticky error set. */
static table_column *table_open(cj_table *t, int column, int32_t type)
{
    if (t == NULL || t->rc != CJ_OK)
        return NULL;
    if (t->finished || column < 0 || column >= t->n_columns ||
        (type != 0 && t->columns[column].type != type)) {
        t->rc = cj__fail(CJ_EMISUSE, "a table has no such column to append to");
        return NULL;
    }
    return &t->columns[column];
}

static int32_t table_room(cj_table *t, size_t rows)
{
    size_t each = rows + 1; /* text has an offset more than rows */
    int64_t *room;

    if (t->finished || t->room != NULL || rows > TABLE_MAX_ELEMENTS)
        return cj__fail(CJ_EMISUSE, "a table gets room once, before its rows");
    t->room_bytes = cj__size_product((size_t)t->n_columns * sizeof *room, each);
    t->room = room = cj__alloc(&t->allocator, t->room_bytes);
    if (room == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < t->n_columns; i++, room += each) {
        table_column *c = &t->columns[i];

        if (c->n > 0)
            return cj__fail(CJ_EMISUSE, "a table gets room once, before its rows");
        room[0] = 0; /* the first offset */
        table_buffer_end(&t->allocator, &c->values, sizeof *room);
        c->values = (table_buffer){.data = room, .capacity = each, .in_room = 1};
    }
    return CJ_OK;
}

void cj__table_room(cj_table *t, size_t rows)
{
    if (t != NULL && t->rc == CJ_OK)
        t->rc = table_room(t, rows);
}

static void table_bits_set(uint8_t *bits, size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++)
        bits[i / 8] = (uint8_t)(bits[i / 8] | 1u << (i % 8));
}

/* The bitmap for n rows more: new bytes are 0, so that only 1s need setting. */
static int32_t table_validity_grow(cj_table *t, table_column *c, size_t n)
{
    size_t have = c->validity.data != NULL ? (c->n + 7) / 8 : 0;
    size_t need = (c->n + n + 7) / 8;
    int32_t rc = table_grow(t, &c->validity, need, 1);

    if (rc == CJ_OK && need > have)
        memset((uint8_t *)c->validity.data + have, 0, need - have);
    return rc;
}

/* Room for n values (offsets for text) more.  All a row needs is reserved before any of
 * it is written, so that a failure leaves a whole column. */
static int32_t table_rows_grow(cj_table *t, table_column *c, size_t n)
{
    const size_t extra = c->type == CJ_TEXT ? 1 : 0;
    int32_t rc;

    if (n > TABLE_MAX_ELEMENTS)
        return cj__fail_nomem();
    rc = table_grow(t, &c->values, c->n + n + extra, sizeof(int64_t));
    if (rc == CJ_OK && c->validity.data != NULL)
        rc = table_validity_grow(t, c, n);
    return rc;
}

static void table_rows_add(table_column *c, size_t n)
{
    if (c->validity.data != NULL)
        table_bits_set(c->validity.data, c->n, n);
    c->n += n;
}

/* Where n values more of a column go; both types have eight bytes. */
static void *table_extend(cj_table *t, int column, int32_t type, size_t n)
{
    table_column *c = table_open(t, column, type);
    void *values;

    if (c == NULL)
        return NULL;
    t->rc = table_rows_grow(t, c, n);
    if (t->rc != CJ_OK)
        return NULL;
    values = (int64_t *)c->values.data + c->n;
    table_rows_add(c, n);
    return values;
}

int64_t *cj__table_int64_extend(cj_table *t, int column, size_t n)
{
    return table_extend(t, column, CJ_INT64, n);
}

double *cj__table_double_extend(cj_table *t, int column, size_t n)
{
    return table_extend(t, column, CJ_DOUBLE, n);
}

void cj__table_int64(cj_table *t, int column, int64_t value)
{
    int64_t *to = cj__table_int64_extend(t, column, 1);

    if (to != NULL)
        *to = value;
}

void cj__table_double(cj_table *t, int column, double value)
{
    double *to = cj__table_double_extend(t, column, 1);

    if (to != NULL)
        *to = value;
}

static int32_t table_text_append(cj_table *t, table_column *c, const char *bytes,
                                 size_t n)
{
    int64_t *offsets;
    size_t used;
    int32_t rc;

    CJ_TRY(table_rows_grow(t, c, 1));
    offsets = c->values.data;
    used = (size_t)offsets[c->n];
    if (n > TABLE_MAX_ELEMENTS - used)
        CJ_TRY(cj__fail_nomem());
    CJ_TRY(table_grow(t, &c->bytes, used + n, 1));
    if (n > 0)
        memcpy((char *)c->bytes.data + used, bytes, n);
    offsets[c->n + 1] = (int64_t)(used + n);
    table_rows_add(c, 1);
out:
    return rc;
}

void cj__table_text(cj_table *t, int column, const char *bytes, size_t n)
{
    table_column *c = table_open(t, column, CJ_TEXT);

    if (c != NULL)
        t->rc = table_text_append(t, c, bytes, n);
}

/* Copies of constant length are much faster: what is copied too much is overwritten by
 * the next word. */
static int32_t table_words_append(cj_table *t, table_column *c, const cj__text *words,
                                  size_t n_words, const uint8_t *which, size_t n)
{
    char padded[TABLE_WORDS][TABLE_WORD] = {{0}};
    size_t used = (size_t)((int64_t *)c->values.data)[c->n], more = TABLE_WORD;
    int64_t *offsets;
    char *to;
    int32_t rc;

    CJ_TRY(table_rows_grow(t, c, n));
    for (size_t i = 0; i < n; i++)
        more += words[which[i]].n;
    CJ_TRY(table_grow(t, &c->bytes, used + more, 1));
    for (size_t i = 0; i < n_words; i++)
        memcpy(padded[i], words[i].data, words[i].n);
    to = (char *)c->bytes.data + used;
    offsets = (int64_t *)c->values.data + c->n;
    for (size_t i = 0; i < n; i++) {
        memcpy(to, padded[which[i]], TABLE_WORD);
        to += words[which[i]].n;
        offsets[i + 1] = to - (char *)c->bytes.data;
    }
    table_rows_add(c, n);
out:
    return rc;
}

static int table_words_are_short(const cj__text *words, size_t n_words)
{
    for (size_t i = 0; i < n_words; i++) {
        if (words[i].data == NULL || words[i].n > TABLE_WORD)
            return 0;
    }
    return n_words <= TABLE_WORDS;
}

void cj__table_words(cj_table *t, int column, const cj__text *words, size_t n_words,
                     const uint8_t *which, size_t n)
{
    table_column *c = table_open(t, column, CJ_TEXT);

    if (c != NULL && table_words_are_short(words, n_words)) {
        t->rc = table_words_append(t, c, words, n_words, which, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const cj__text *word = &words[which[i]];

        if (word->data == NULL)
            cj__table_null(t, column);
        else
            cj__table_text(t, column, word->data, word->n);
    }
}

void cj__table_put(cj_table *t, int column, const char *nul_terminated)
{
    if (nul_terminated == NULL)
        cj__table_null(t, column);
    else
        cj__table_text(t, column, nul_terminated, strlen(nul_terminated));
}

/* The bitmap of a column without one: all its rows are present. */
static int32_t table_validity_begin(cj_table *t, table_column *c)
{
    int32_t rc = c->validity.data == NULL ? table_validity_grow(t, c, 1) : CJ_EEXISTS;

    if (rc == CJ_OK)
        table_bits_set(c->validity.data, 0, c->n);
    return rc == CJ_EEXISTS ? CJ_OK : rc;
}

void cj__table_null_nan(cj_table *t, int column)
{
    table_column *c = table_open(t, column, CJ_DOUBLE);
    double *values = c == NULL ? NULL : c->values.data;

    for (size_t i = 0; c != NULL && i < c->n && t->rc == CJ_OK; i++) {
        if (values[i] == values[i] || (t->rc = table_validity_begin(t, c)) != CJ_OK)
            continue;
        ((uint8_t *)c->validity.data)[i / 8] &= (uint8_t) ~(1u << (i % 8));
        values[i] = 0;
        c->n_nulls++;
    }
}

static int32_t table_null_append(cj_table *t, table_column *c)
{
    int32_t rc;

    CJ_TRY(table_rows_grow(t, c, 1));
    CJ_TRY(table_validity_begin(t, c));
    if (c->type == CJ_TEXT)
        ((int64_t *)c->values.data)[c->n + 1] = ((int64_t *)c->values.data)[c->n];
    else if (c->type == CJ_DOUBLE)
        ((double *)c->values.data)[c->n] = 0;
    else
        ((int64_t *)c->values.data)[c->n] = 0;
    c->n++;
    c->n_nulls++;
out:
    return rc;
}

void cj__table_null(cj_table *t, int column)
{
    table_column *c = table_open(t, column, 0);

    if (c != NULL)
        t->rc = table_null_append(t, c);
}

int32_t cj__table_finish(cj_table *t, cj_table **out)
{
    int32_t rc = t != NULL ? t->rc : CJ_ENOMEM;

    *out = NULL;
    for (int64_t i = 0; rc == CJ_OK && i < t->n_columns; i++) {
        table_column *c = &t->columns[i];

        if (c->n != t->columns[0].n)
            rc = cj__fail(CJ_EMISUSE,
                          "column %s of a table is not as long as the first", c->name);
        c->buffers[0] = c->validity.data;
        c->buffers[1] = c->values.data;
        c->buffers[2] = c->bytes.data;
    }
    if (rc != CJ_OK) {
        cj__table_free(t);
        return rc;
    }
    t->finished = 1;
    *out = t;
    return CJ_OK;
}

/* ---- reading -------------------------------------------------------------------- */

static const table_column *table_column_at(const cj_table *t, int64_t column,
                                           int32_t type)
{
    if (t == NULL || column < 0 || column >= t->n_columns)
        return NULL;
    if (type != 0 && t->columns[column].type != type)
        return NULL;
    return &t->columns[column];
}

int64_t cj__table_rows(const cj_table *t)
{
    return t != NULL ? (int64_t)t->columns[0].n : 0;
}

int64_t cj__table_columns(const cj_table *t)
{
    return t != NULL ? t->n_columns : 0;
}

const char *cj__table_name(const cj_table *t, int64_t column)
{
    const table_column *c = table_column_at(t, column, 0);

    return c != NULL ? c->name : NULL;
}

int32_t cj__table_type(const cj_table *t, int64_t column)
{
    const table_column *c = table_column_at(t, column, 0);

    return c != NULL ? c->type : 0;
}

const int64_t *cj__table_int64_data(const cj_table *t, int64_t column)
{
    const table_column *c = table_column_at(t, column, CJ_INT64);

    return c != NULL ? c->values.data : NULL;
}

const double *cj__table_double_data(const cj_table *t, int64_t column)
{
    const table_column *c = table_column_at(t, column, CJ_DOUBLE);

    return c != NULL ? c->values.data : NULL;
}

const char *cj__table_text_data(const cj_table *t, int64_t column,
                                const int64_t **offsets_out)
{
    const table_column *c = table_column_at(t, column, CJ_TEXT);

    if (offsets_out != NULL)
        *offsets_out = c != NULL ? c->values.data : NULL;
    return c != NULL ? c->bytes.data : NULL;
}

const uint8_t *cj__table_validity(const cj_table *t, int64_t column)
{
    const table_column *c = table_column_at(t, column, 0);

    return c != NULL ? c->validity.data : NULL;
}

int64_t cj__table_nulls(const cj_table *t, int64_t column)
{
    const table_column *c = table_column_at(t, column, 0);

    return c != NULL ? (int64_t)c->n_nulls : 0;
}

int cj__table_is_null(const cj_table *t, int64_t column, int64_t row)
{
    const uint8_t *bits = cj__table_validity(t, column);

    return bits != NULL && (bits[row / 8] >> (row % 8) & 1) == 0;
}

const void **cj__table_buffers(cj_table *t, int64_t column)
{
    return t->columns[column].buffers;
}

const cj__allocator *cj__table_allocator(const cj_table *t)
{
    return &t->allocator;
}
