/* See segment_front.h. */
#include "segment_front.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

void front_begin(front_case *c, const char *zone, const char *currency, int exponent)
{
    memset(c, 0, sizeof *c);
    cj__ctx_init(&c->db.cx, NULL, NULL, NULL, NULL, NULL, NULL);
    ck_assert_int_eq(cj__zone_open(&c->db.cx.allocator, zone, &c->db.zone), CJ_OK);
    memcpy(c->db.currency, currency, 3);
    c->db.currency_exponent = exponent;
}

void front_end(front_case *c)
{
    free(c->text);
    cj__zone_end(c->db.zone);
}

static const char *front_answer(front_case *c, cj__segment_tree *tree, int as_json)
{
    cj__str s;

    free(c->text);
    cj__str_init(&s, &c->db.cx.allocator, 1 << 24);
    if (as_json)
        cj__segment_put_json(&s, tree->root);
    else
        cj__segment_put(&s, tree->root);
    ck_assert_int_eq(cj__str_status(&s), CJ_OK);
    c->text = malloc(s.n + 1);
    ck_assert_ptr_nonnull(c->text);
    memcpy(c->text, s.data, s.n + 1);
    cj__str_end(&s);
    cj__segment_free(&c->db, tree);
    return c->text;
}

const char *front_canonical(front_case *c, cj__text segment)
{
    cj__segment_tree *tree;

    return cj__segment_parse(&c->db, segment, &tree) != CJ_OK
               ? NULL
               : front_answer(c, tree, 0);
}

const char *front_json(front_case *c, cj__text segment)
{
    cj__segment_tree *tree;

    return cj__segment_parse(&c->db, segment, &tree) != CJ_OK
               ? NULL
               : front_answer(c, tree, 1);
}

const char *front_from_json(front_case *c, cj__text json)
{
    cj__segment_tree *tree;

    return cj__segment_from_json(&c->db, json, &tree) != CJ_OK
               ? NULL
               : front_answer(c, tree, 0);
}

static char *front_copy(const char *text)
{
    char *copy = text == NULL ? NULL : strdup(text);

    if (copy == NULL)
        ck_abort_msg("%s at %lld", cj__error_text(), (long long)cj__error_position());
    return copy;
}

void expect_canonical(front_case *c, const char *segment, const char *want)
{
    char *got = front_copy(front_canonical(c, cj__text_of(segment)));
    char *json;

    ck_assert_msg(strcmp(got, want) == 0, "%s\nis %s\nnot %s", segment, got, want);
    free(got);
    got = front_copy(front_canonical(c, cj__text_of(want)));
    ck_assert_msg(strcmp(got, want) == 0, "%s\nagain is %s", want, got);
    free(got);
    json = front_copy(front_json(c, cj__text_of(segment)));
    got = front_copy(front_from_json(c, cj__text_of(json)));
    ck_assert_msg(strcmp(got, want) == 0, "%s\nthrough %s\nis %s", want, json, got);
    free(got);
    free(json);
}

/* The text without its mark, and where that was. */
static size_t front_unmark(const char *marked, char *to, size_t size)
{
    const char *mark = strchr(marked, '^');
    size_t at;

    ck_assert_msg(mark != NULL, "no ^ in %s", marked);
    ck_assert_uint_lt(strlen(marked), size);
    at = (size_t)(mark - marked);
    memcpy(to, marked, at);
    strcpy(to + at, mark + 1);
    return at;
}

static void front_expect(const char *text, const char *got, size_t at, int32_t code,
                         const char *message)
{
    ck_assert_msg(got == NULL, "%s\nis accepted as %s", text, got);
    ck_assert_msg(strcmp(cj__error_text(), message) == 0, "%s\nsays %s\nnot  %s", text,
                  cj__error_text(), message);
    ck_assert_msg(cj__error_position() == (int64_t)at, "%s\nat %lld, not %zu: %s", text,
                  (long long)cj__error_position(), at, message);
    (void)code;
}

void expect_error(front_case *c, const char *marked, int32_t code, const char *message)
{
    char text[2000];
    const size_t at = front_unmark(marked, text, sizeof text);
    cj__segment_tree *tree = NULL;
    const int32_t rc = cj__segment_parse(&c->db, cj__text_of(text), &tree);
    const char *got = rc == CJ_OK ? front_answer(c, tree, 0) : NULL;

    front_expect(text, got, at, code, message);
    ck_assert_ptr_null(tree);
    ck_assert_msg(rc == code, "%s: %s", text, cj__error_name(rc));
}

void expect_json_error(front_case *c, const char *marked, int32_t code,
                       const char *message)
{
    char text[2000];
    const size_t at = front_unmark(marked, text, sizeof text);
    cj__segment_tree *tree = NULL;
    const int32_t rc = cj__segment_from_json(&c->db, cj__text_of(text), &tree);
    const char *got = rc == CJ_OK ? front_answer(c, tree, 0) : NULL;

    front_expect(text, got, at, code, message);
    ck_assert_ptr_null(tree);
    ck_assert_msg(rc == code, "%s: %s", text, cj__error_name(rc));
}
