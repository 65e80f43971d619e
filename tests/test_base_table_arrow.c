/* The Arrow export: the layout of the C data interface, no copies, and memory that
 * lives exactly as long as the last struct that a consumer holds.  The structs are
 * written out from the specification, as a consumer would have them. */
#include "base_memory.h"

#include "base/table.h"

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

static base_memory memory;

static int32_t table_build(const cj__allocator *a, cj_table **out)
{
    cj_table *t = NULL;
    int32_t rc = cj__table_new(a, "profile:i share:d class:t", &t);

    if (rc != CJ_OK)
        return rc;
    for (int64_t i = 0; i < 10; i++) {
        cj__table_int64(t, 0, i * 100);
        cj__table_double(t, 1, (double)i / 8);
        cj__table_put(t, 2, i % 3 == 0 ? NULL : "Loyal");
    }
    return cj__table_finish(t, out);
}

static cj_table *table_begin(void)
{
    cj__allocator a;
    cj_table *t = NULL;

    memset(&memory, 0, sizeof memory);
    a = base_memory_allocator(&memory);
    ck_assert_int_eq(table_build(&a, &t), CJ_OK);
    return t;
}

/* Read as a consumer does, through buffers only. */
static void expect_profile(const struct ArrowArray *array)
{
    const int64_t *values = array->buffers[1];

    ck_assert_int_eq(array->length, 10);
    ck_assert_int_eq(array->null_count, 0);
    ck_assert_int_eq(array->n_buffers, 2);
    ck_assert_ptr_null(array->buffers[0]);
    for (int64_t i = 0; i < 10; i++)
        ck_assert_int_eq(values[i], i * 100);
}

static void expect_class(const struct ArrowArray *array)
{
    const uint8_t *valid = array->buffers[0];
    const int64_t *offsets = array->buffers[1];
    const char *bytes = array->buffers[2];

    ck_assert_int_eq(array->length, 10);
    ck_assert_int_eq(array->null_count, 4);
    ck_assert_int_eq(array->n_buffers, 3);
    for (int64_t i = 0; i < 10; i++) {
        ck_assert_int_eq(valid[i / 8] >> (i % 8) & 1, i % 3 != 0);
        ck_assert_int_eq(offsets[i + 1] - offsets[i], i % 3 == 0 ? 0 : 5);
        ck_assert_int_eq(memcmp(bytes + offsets[i], "Loyal", i % 3 == 0 ? 0 : 5), 0);
    }
}

START_TEST(test_arrow__layout)
{
    static const char *const formats[] = {"l", "g", "U"};
    static const char *const names[] = {"profile", "share", "class"};
    cj_table *t = table_begin();
    struct ArrowSchema schema;
    struct ArrowArray array;

    ck_assert_int_eq(cj__table_export_arrow(t, &array, &schema), CJ_OK);
    ck_assert_str_eq(schema.format, "+s");
    ck_assert_ptr_nonnull(schema.name);
    ck_assert_int_eq(schema.flags, 0);
    ck_assert(schema.metadata == NULL && schema.dictionary == NULL);
    ck_assert_int_eq(schema.n_children, 3);
    ck_assert_int_eq(array.n_children, 3);
    ck_assert_int_eq(array.length, 10);
    ck_assert_int_eq(array.null_count, 0);
    ck_assert_int_eq(array.offset, 0);
    ck_assert_int_eq(array.n_buffers, 1);
    ck_assert_ptr_null(array.buffers[0]);
    ck_assert_ptr_null(array.dictionary);
    for (int i = 0; i < 3; i++) {
        ck_assert_str_eq(schema.children[i]->format, formats[i]);
        ck_assert_str_eq(schema.children[i]->name, names[i]);
        ck_assert_int_eq(schema.children[i]->flags, 2); /* nullable */
        ck_assert_int_eq(schema.children[i]->n_children, 0);
        ck_assert_int_eq(array.children[i]->offset, 0);
        ck_assert_int_eq(array.children[i]->n_children, 0);
    }
    expect_profile(array.children[0]);
    expect_class(array.children[2]);
    ck_assert_ptr_eq(array.children[0]->buffers[1], cj__table_int64_data(t, 0));
    ck_assert_ptr_eq(array.children[1]->buffers[1], cj__table_double_data(t, 1));
    array.release(&array);
    schema.release(&schema);
    ck_assert(array.release == NULL && schema.release == NULL);
    cj__table_free(t);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

/* All orders of freeing the table, the array and the schema. */
START_TEST(test_arrow__any_order_of_release)
{
    static const char *const orders[] = {"tas", "tsa", "ats", "ast", "sta", "sat"};

    for (size_t k = 0; k < sizeof orders / sizeof orders[0]; k++) {
        cj_table *t = table_begin();
        struct ArrowSchema schema;
        struct ArrowArray array;

        ck_assert_int_eq(cj__table_export_arrow(t, &array, &schema), CJ_OK);
        for (const char *step = orders[k]; *step != '\0'; step++) {
            if (array.release != NULL)
                expect_class(array.children[2]);
            if (schema.release != NULL)
                ck_assert_str_eq(schema.children[2]->name, "class");
            ck_assert_int_gt(memory.n_blocks, 0);
            if (*step == 't')
                cj__table_free(t);
            else if (*step == 'a')
                array.release(&array);
            else
                schema.release(&schema);
        }
        ck_assert_int_eq(memory.n_blocks, 0);
    }
}
END_TEST

/* "Moving": the consumer copies a struct and marks the original released. */
START_TEST(test_arrow__moved_children_outlive_their_parent)
{
    cj_table *t = table_begin();
    struct ArrowSchema schema, moved_schema, name;
    struct ArrowArray array, moved_array, column;

    ck_assert_int_eq(cj__table_export_arrow(t, &array, &schema), CJ_OK);
    cj__table_free(t);
    column = *array.children[2];
    array.children[2]->release = NULL;
    name = *schema.children[2];
    schema.children[2]->release = NULL;
    moved_array = array;
    array.release = NULL;
    memset(&array, 0xAA, sizeof array);
    moved_schema = schema;
    memset(&schema, 0xAA, sizeof schema);
    expect_profile(moved_array.children[0]);
    moved_array.release(&moved_array);
    moved_schema.release(&moved_schema);
    expect_class(&column);
    ck_assert_str_eq(name.name, "class");
    ck_assert_str_eq(name.format, "U");
    column.release(&column);
    ck_assert(column.release == NULL);
    ck_assert_str_eq(name.name, "class");
    name.release(&name);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(test_arrow__a_table_may_be_exported_twice)
{
    cj_table *t = table_begin();
    struct ArrowSchema schemas[2];
    struct ArrowArray arrays[2];

    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(cj__table_export_arrow(t, &arrays[i], &schemas[i]), CJ_OK);
    cj__table_free(t);
    arrays[0].release(&arrays[0]);
    schemas[0].release(&schemas[0]);
    expect_class(arrays[1].children[2]);
    arrays[1].release(&arrays[1]);
    schemas[1].release(&schemas[1]);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

START_TEST(test_arrow__misuse_leaves_outputs_released)
{
    cj_table *t = table_begin();
    struct ArrowSchema schema;
    struct ArrowArray array;

    memset(&schema, 0xAA, sizeof schema);
    memset(&array, 0xAA, sizeof array);
    ck_assert_int_eq(cj__table_export_arrow(NULL, &array, &schema), CJ_EMISUSE);
    ck_assert(array.release == NULL && schema.release == NULL);
    memset(&array, 0xAA, sizeof array);
    ck_assert_int_eq(cj__table_export_arrow(t, &array, NULL), CJ_EMISUSE);
    ck_assert(array.release == NULL);
    ck_assert_int_eq(cj__table_export_arrow(t, NULL, &schema), CJ_EMISUSE);
    cj__table_free(t);
    ck_assert_int_eq(memory.n_blocks, 0);
}
END_TEST

static int32_t export_once(const cj__allocator *a)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    cj_table *t = NULL;
    int32_t rc;

    CJ_TRY(table_build(a, &t));
    memset(&schema, 0xAA, sizeof schema);
    memset(&array, 0xAA, sizeof array);
    CJ_TRY(cj__table_export_arrow(t, &array, &schema));
    array.release(&array);
    schema.release(&schema);
out:
    if (t != NULL && rc != CJ_OK)
        ck_assert(array.release == NULL && schema.release == NULL);
    cj__table_free(t);
    return rc;
}

START_TEST(test_arrow__out_of_memory)
{
    base_memory_faults(export_once);
}
END_TEST

HARNESS_MAIN("base_table_arrow", test_arrow__layout, test_arrow__any_order_of_release,
             test_arrow__moved_children_outlive_their_parent,
             test_arrow__a_table_may_be_exported_twice,
             test_arrow__misuse_leaves_outputs_released, test_arrow__out_of_memory)
