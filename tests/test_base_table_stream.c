/* The Arrow stream of a table: one batch with the table's own memory, then the end; and
 * what was read from it outlives the stream and the table. */
#include "base/table.h"
#include "harness.h"

#include <errno.h>
#include <string.h>

struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *out);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *out);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

/* An allocator that counts what is in use, and can be told to fail. */
typedef struct stream_memory {
    int64_t n_used;
    int is_full;
} stream_memory;

static void *stream_realloc(void *user, void *ptr, uint64_t old_bytes,
                            uint64_t new_bytes)
{
    stream_memory *m = user;

    (void)old_bytes;
    if (new_bytes == 0) {
        m->n_used -= ptr != NULL;
        free(ptr);
        return NULL;
    }
    if (m->is_full)
        return NULL;
    m->n_used += ptr == NULL;
    return realloc(ptr, (size_t)new_bytes);
}

static cj_table *stream_table(stream_memory *m, int rows)
{
    const cj__allocator a = {stream_realloc, m};
    cj_table *t = NULL;

    ck_assert_int_eq(cj__table_new(&a, "profile:i class:t", &t), CJ_OK);
    for (int i = 0; i < rows; i++) {
        cj__table_int64(t, 0, i + 1);
        cj__table_put(t, 1, i % 2 == 0 ? "Lost" : NULL);
    }
    ck_assert_int_eq(cj__table_finish(t, &t), CJ_OK);
    return t;
}

START_TEST(test_stream__one_batch_then_the_end)
{
    stream_memory m = {0};
    cj_table *t = stream_table(&m, 3);
    const void *memory = cj__table_int64_data(t, 0);
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray batch, end;

    ck_assert_int_eq(cj__table_export_stream(t, &stream), CJ_OK);
    ck_assert_int_eq(stream.get_schema(&stream, &schema), 0);
    ck_assert_str_eq(schema.format, "+s");
    ck_assert_int_eq(schema.n_children, 2);
    ck_assert_str_eq(schema.children[1]->name, "class");
    ck_assert_int_eq(stream.get_next(&stream, &batch), 0);
    ck_assert_int_eq(batch.length, 3);
    ck_assert_ptr_eq(batch.children[0]->buffers[1], memory);
    ck_assert_int_eq(batch.children[1]->null_count, 1);
    ck_assert_int_eq(stream.get_next(&stream, &end), 0);
    ck_assert(end.release == NULL);
    batch.release(&batch);
    schema.release(&schema);
    stream.release(&stream);
    ck_assert(stream.release == NULL);
    cj__table_free(t);
    ck_assert_int_eq(m.n_used, 0);
}
END_TEST

START_TEST(test_stream__a_batch_outlives_stream_and_table)
{
    stream_memory m = {0};
    cj_table *t = stream_table(&m, 5);
    struct ArrowArrayStream stream;
    struct ArrowArray batch;
    const int64_t *values;

    ck_assert_int_eq(cj__table_export_stream(t, &stream), CJ_OK);
    cj__table_free(t);
    ck_assert_int_eq(stream.get_next(&stream, &batch), 0);
    stream.release(&stream);
    values = batch.children[0]->buffers[1];
    ck_assert_int_eq(values[4], 5);
    batch.release(&batch);
    ck_assert_int_eq(m.n_used, 0);
}
END_TEST

START_TEST(test_stream__no_rows_is_one_empty_batch)
{
    stream_memory m = {0};
    cj_table *t = stream_table(&m, 0);
    struct ArrowArrayStream stream;
    struct ArrowArray batch;

    ck_assert_int_eq(cj__table_export_stream(t, &stream), CJ_OK);
    ck_assert_int_eq(stream.get_next(&stream, &batch), 0);
    ck_assert(batch.release != NULL);
    ck_assert_int_eq(batch.length, 0);
    batch.release(&batch);
    stream.release(&stream);
    cj__table_free(t);
    ck_assert_int_eq(m.n_used, 0);
}
END_TEST

START_TEST(test_stream__without_memory_it_says_so_and_can_go_on)
{
    stream_memory m = {0};
    cj_table *t = stream_table(&m, 2);
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray batch;

    m.is_full = 1;
    ck_assert_int_eq(cj__table_export_stream(t, &stream), CJ_ENOMEM);
    ck_assert(stream.release == NULL);
    m.is_full = 0;
    ck_assert_int_eq(cj__table_export_stream(t, &stream), CJ_OK);
    m.is_full = 1;
    ck_assert_int_eq(stream.get_schema(&stream, &schema), ENOMEM);
    ck_assert(schema.release == NULL);
    ck_assert_int_eq(stream.get_next(&stream, &batch), ENOMEM);
    ck_assert(batch.release == NULL);
    ck_assert_str_eq(stream.get_last_error(&stream), "out of memory");
    m.is_full = 0;
    ck_assert_int_eq(stream.get_next(&stream, &batch), 0);
    ck_assert_int_eq(batch.length, 2);
    batch.release(&batch);
    stream.release(&stream);
    cj__table_free(t);
    ck_assert_int_eq(m.n_used, 0);
}
END_TEST

START_TEST(test_stream__null_arguments_are_misuse)
{
    stream_memory m = {0};
    cj_table *t = stream_table(&m, 1);
    struct ArrowArrayStream stream;

    memset(&stream, 0xff, sizeof stream);
    ck_assert_int_eq(cj__table_export_stream(NULL, &stream), CJ_EMISUSE);
    ck_assert(stream.release == NULL);
    ck_assert_int_eq(cj__table_export_stream(t, NULL), CJ_EMISUSE);
    cj__table_free(t);
}
END_TEST

HARNESS_MAIN("base_table_stream", test_stream__one_batch_then_the_end,
             test_stream__a_batch_outlives_stream_and_table,
             test_stream__no_rows_is_one_empty_batch,
             test_stream__without_memory_it_says_so_and_can_go_on,
             test_stream__null_arguments_are_misuse)
