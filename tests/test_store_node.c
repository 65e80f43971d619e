/* Pages of profile_of[]: what is put is got, by this handle, another, and a snapshot.
 */
#include "harness.h"
#include "people.h"
#include "store/internal.h"

#include <string.h>

static cj__node node_like(uint32_t n)
{
    return (cj__node){.profile = n / 2 + 1,
                      .next = n * 7 + 1,
                      .mask = (uint8_t)(n * 3),
                      .own = (uint8_t)(n * 5)};
}

static void expect_node(const cj__node *node, uint32_t n)
{
    cj__node right = node_like(n);

    ck_assert_uint_eq(node->profile, right.profile);
    ck_assert_uint_eq(node->next, right.next);
    ck_assert_uint_eq(node->mask, right.mask);
    ck_assert_uint_eq(node->own, right.own);
}

START_TEST(test_store_node__what_is_put_is_got)
{
    static const uint32_t nodes[] = {1, 2, 399, 400, 401, 800, 801, 12345, 100000};
    const size_t n = sizeof nodes / sizeof nodes[0];
    cj_db *db = people_open();
    cj__node node;

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    for (size_t i = 0; i < n; i++) {
        node = node_like(nodes[i]);
        ck_assert_int_eq(cj__node_put(db, nodes[i], &node), CJ_OK);
    }
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < n; i++) {
            ck_assert_int_eq(cj__node_get(db, nodes[i], &node), CJ_OK);
            expect_node(&node, nodes[i]);
            ck_assert_int_eq(cj__node_read(cj__writer(db), nodes[i], &node), CJ_OK);
            expect_node(&node, nodes[i]);
        }
        cj__nodes_reset(db); /* now from the file */
    }
    ck_assert_int_eq(cj__node_get(db, 3, &node), CJ_OK);
    ck_assert_uint_eq(node.profile, 0); /* no such node yet */
    ck_assert_int_eq(cj__node_get(db, 0, &node), CJ_ECORRUPT);
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    people_close(db);
}
END_TEST

START_TEST(test_store_node__a_rollback_forgets)
{
    cj_db *db = people_open();
    cj__node node = node_like(5);

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    ck_assert_int_eq(cj__node_put(db, 5, &node), CJ_OK);
    ck_assert_int_eq(cj__write_end(db, CJ_EINTERRUPT), CJ_EINTERRUPT);
    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    ck_assert_int_eq(cj__node_get(db, 5, &node), CJ_OK);
    ck_assert_uint_eq(node.profile, 0);
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    people_close(db);
}
END_TEST

START_TEST(test_store_node__a_page_of_another_size_is_damage)
{
    cj_db *db = people_open();
    cj__query q = {0};
    cj__node node;

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    ck_assert_int_eq(cj__query_begin(cj__writer(db), STMT_NODE_PAGE_PUT, &q), CJ_OK);
    cj__query_int64(&q, 1, 0);
    cj__query_blob(&q, 2, (cj__text){"short", 5});
    ck_assert_int_eq(cj__query_run(&q), CJ_OK);
    cj__query_end(&q);
    ck_assert_int_eq(cj__node_get(db, 1, &node), CJ_ECORRUPT);
    ck_assert_int_eq(cj__write_end(db, CJ_EINTERRUPT), CJ_EINTERRUPT);
    people_close(db);
}
END_TEST

HARNESS_MAIN("store_node", test_store_node__what_is_put_is_got,
             test_store_node__a_rollback_forgets,
             test_store_node__a_page_of_another_size_is_damage)
