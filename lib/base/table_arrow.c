/* Export of a table through the Arrow C data interface
 * (https://arrow.apache.org/docs/format/CDataInterface.html), without copying, and as
 * the stream of one batch that some consumers want instead (CStreamInterface.html).
 *
 * A consumer may move a child out of its parent (copy the struct, mark the original
 * released) and release it later, from another thread.  So each exported struct holds
 * its own reference to the table and nothing of its parent; what only the parent needs,
 * the child structs themselves, is its frame. */
#include "base/table.h"

#include <errno.h>
#include <string.h>

enum { ARROW_FLAG_NULLABLE = 2 };

struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
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

static const struct {
    int32_t type;
    const char *format;
    int64_t n_buffers;
} arrow_types[] = {
    {CJ_INT64,  "l", 2},
    {CJ_DOUBLE, "g", 2},
    {CJ_TEXT,   "U", 3}, /* UTF-8 with 64-bit offsets */
};

/* The parent's own memory: pointers to children, then the children. */
typedef struct arrow_frame {
    cj_table *table;
    size_t bytes;
    const void
        *no_validity; /* the one buffer of a struct array: all rows are present */
} arrow_frame;

static size_t arrow_type_index(const cj_table *t, int64_t column)
{
    size_t i = 0;

    while (arrow_types[i].type != cj__table_type(t, column))
        i++;
    return i;
}

static arrow_frame *arrow_frame_new(cj_table *t, size_t child_bytes)
{
    size_t n = (size_t)cj__table_columns(t);
    size_t bytes = sizeof(arrow_frame) + n * (sizeof(void *) + child_bytes);
    arrow_frame *frame = cj__alloc_zero(cj__table_allocator(t), bytes);

    if (frame == NULL)
        return NULL;
    frame->bytes = bytes;
    frame->table = cj__table_retain(t);
    return frame;
}

static void arrow_frame_end(arrow_frame *frame)
{
    cj_table *t = frame->table;

    cj__free(cj__table_allocator(t), frame, frame->bytes);
    cj__table_free(t);
}

/* ---- schema --------------------------------------------------------------------- */

static void arrow_schema_child_release(struct ArrowSchema *schema)
{
    cj__table_free(schema->private_data);
    schema->release = NULL;
}

static void arrow_schema_release(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++) {
        struct ArrowSchema *child = schema->children[i];

        if (child->release != NULL)
            child->release(child);
    }
    arrow_frame_end(schema->private_data);
    schema->release = NULL;
}

static int32_t arrow_schema_export(cj_table *t, struct ArrowSchema *out)
{
    arrow_frame *frame = arrow_frame_new(t, sizeof(struct ArrowSchema));
    const int64_t n = cj__table_columns(t);
    struct ArrowSchema *child;

    if (frame == NULL)
        return CJ_ENOMEM;
    out->format = "+s";
    out->name = "";
    out->n_children = n;
    out->children = (struct ArrowSchema **)(frame + 1);
    out->private_data = frame;
    out->release = arrow_schema_release;
    child = (struct ArrowSchema *)(out->children + n);
    for (int64_t i = 0; i < n; i++, child++) {
        child->format = arrow_types[arrow_type_index(t, i)].format;
        child->name = cj__table_name(t, i);
        child->flags = ARROW_FLAG_NULLABLE;
        child->private_data = cj__table_retain(t);
        child->release = arrow_schema_child_release;
        out->children[i] = child;
    }
    return CJ_OK;
}

/* ---- array ---------------------------------------------------------------------- */

static void arrow_array_child_release(struct ArrowArray *array)
{
    cj__table_free(array->private_data);
    array->release = NULL;
}

static void arrow_array_release(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++) {
        struct ArrowArray *child = array->children[i];

        if (child->release != NULL)
            child->release(child);
    }
    arrow_frame_end(array->private_data);
    array->release = NULL;
}

static int32_t arrow_array_export(cj_table *t, struct ArrowArray *out)
{
    arrow_frame *frame = arrow_frame_new(t, sizeof(struct ArrowArray));
    const int64_t n = cj__table_columns(t);
    struct ArrowArray *child;

    if (frame == NULL)
        return CJ_ENOMEM;
    out->length = cj__table_rows(t);
    out->n_buffers = 1;
    out->buffers = &frame->no_validity;
    out->n_children = n;
    out->children = (struct ArrowArray **)(frame + 1);
    out->private_data = frame;
    out->release = arrow_array_release;
    child = (struct ArrowArray *)(out->children + n);
    for (int64_t i = 0; i < n; i++, child++) {
        child->length = out->length;
        child->null_count = cj__table_nulls(t, i);
        child->n_buffers = arrow_types[arrow_type_index(t, i)].n_buffers;
        child->buffers = cj__table_buffers(t, i);
        child->private_data = cj__table_retain(t);
        child->release = arrow_array_child_release;
        out->children[i] = child;
    }
    return CJ_OK;
}

int32_t cj__table_export_arrow(cj_table *t, void *array_out, void *schema_out)
{
    struct ArrowArray *array = array_out;
    struct ArrowSchema *schema = schema_out;
    int32_t rc;

    if (array != NULL)
        memset(array, 0, sizeof *array); /* release NULL: nothing to release */
    if (schema != NULL)
        memset(schema, 0, sizeof *schema);
    if (t == NULL || array == NULL || schema == NULL)
        return cj__fail(CJ_EMISUSE, "table, array_out and schema_out must not be NULL");
    CJ_TRY(arrow_schema_export(t, schema));
    CJ_TRY(arrow_array_export(t, array));
out:
    if (rc != CJ_OK && schema->release != NULL) {
        schema->release(schema);
        memset(schema, 0, sizeof *schema);
    }
    return rc;
}

/* ---- stream --------------------------------------------------------------------- */

typedef struct arrow_stream {
    cj_table *table;
    int32_t is_read; /* the batch was handed out */
} arrow_stream;

static int arrow_stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    const arrow_stream *s = stream->private_data;

    memset(out, 0, sizeof *out);
    return arrow_schema_export(s->table, out) == CJ_OK ? 0 : ENOMEM;
}

static int arrow_stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    arrow_stream *s = stream->private_data;

    memset(out, 0, sizeof *out); /* release NULL: the end of the stream */
    if (s->is_read)
        return 0;
    if (arrow_array_export(s->table, out) != CJ_OK)
        return ENOMEM;
    s->is_read = 1;
    return 0;
}

static const char *arrow_stream_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "out of memory"; /* nothing else fails */
}

static void arrow_stream_release(struct ArrowArrayStream *stream)
{
    arrow_stream *s = stream->private_data;
    cj_table *t = s->table;

    cj__free(cj__table_allocator(t), s, sizeof *s);
    cj__table_free(t);
    stream->release = NULL;
}

int32_t cj__table_export_stream(cj_table *t, void *stream_out)
{
    struct ArrowArrayStream *stream = stream_out;
    arrow_stream *s;

    if (stream != NULL)
        memset(stream, 0, sizeof *stream);
    if (t == NULL || stream == NULL)
        return cj__fail(CJ_EMISUSE, "table and stream_out must not be NULL");
    s = cj__alloc_zero(cj__table_allocator(t), sizeof *s);
    if (s == NULL)
        return CJ_ENOMEM;
    s->table = cj__table_retain(t);
    stream->get_schema = arrow_stream_schema;
    stream->get_next = arrow_stream_next;
    stream->get_last_error = arrow_stream_error;
    stream->release = arrow_stream_release;
    stream->private_data = s;
    return CJ_OK;
}
