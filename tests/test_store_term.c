/* Terms: one number per text and space, for every handle and after a rollback. */
#include "harness.h"
#include "people.h"
#include "store/internal.h"

#include <stdio.h>
#include <unistd.h>

static uint32_t term(cj_db *db, int space, const char *text)
{
    uint32_t id;

    ck_assert_int_eq(cj__term(db, space, cj__text_of(text), &id), CJ_OK);
    return id;
}

static cj_db *another(void)
{
    char path[64];
    cj_db *db;

    (void)snprintf(path, sizeof path, "/tmp/cj_people_%d.cj", (int)getpid());
    ck_assert_int_eq(cj_open(path, NULL, &db), CJ_OK);
    return db;
}

START_TEST(test_store_term__one_number_per_text_and_space)
{
    cj_db *db = people_open();
    uint32_t web, shop;

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    ck_assert_uint_eq(term(db, CJ__SPACE_NAME, "order"), CJ__NAME_ORDER);
    ck_assert_uint_eq(term(db, CJ__SPACE_NAME, "refund"), CJ__NAME_REFUND);
    ck_assert_uint_eq(term(db, CJ__SPACE_NAME, "order_item"), CJ__NAME_ORDER_ITEM);
    ck_assert_uint_eq(term(db, CJ__SPACE_NAME, NULL), 0);
    web = term(db, CJ__SPACE_CHANNEL, "web");
    shop = term(db, CJ__SPACE_CHANNEL, "shop");
    ck_assert_uint_ne(web, shop);
    ck_assert_uint_ne(term(db, CJ__SPACE_CAMPAIGN, "web"), web);
    ck_assert_uint_eq(term(db, CJ__SPACE_CHANNEL, "web"), web);
    ck_assert_uint_ne(term(db, CJ__SPACE_CHANNEL, "Web"), web);
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    people_close(db);
}
END_TEST

START_TEST(test_store_term__many_and_again)
{
    cj_db *db = people_open(), *cold;
    uint32_t ids[3000];
    char text[32];

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(text, sizeof text, "sku-%d", i);
        ids[i] = term(db, CJ__SPACE_PRODUCT, text);
    }
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    cold = another();
    ck_assert_int_eq(cj__write_begin(cold), CJ_OK);
    for (int i = 2999; i >= 0; i--) {
        (void)snprintf(text, sizeof text, "sku-%d", i);
        ck_assert_uint_eq(term(cold, CJ__SPACE_PRODUCT, text), ids[i]);
    }
    ck_assert_int_eq(cj__write_end(cold, CJ_OK), CJ_OK);
    ck_assert_int_eq(cj_close(cold), CJ_OK);
    people_close(db);
}
END_TEST

/* After a rollback the number may belong to another text: nothing must be remembered.
 */
START_TEST(test_store_term__a_rollback_forgets)
{
    cj_db *db = people_open();
    uint32_t lost, kept;

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    lost = term(db, CJ__SPACE_CHANNEL, "lost");
    ck_assert_int_eq(cj__write_end(db, CJ_EINTERRUPT), CJ_EINTERRUPT);
    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    kept = term(db, CJ__SPACE_CHANNEL, "kept");
    ck_assert_uint_eq(kept, lost);
    ck_assert_uint_ne(term(db, CJ__SPACE_CHANNEL, "lost"), kept);
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    people_close(db);
}
END_TEST

/* In two steps: a text that was asked for before somebody made it has its number. */
START_TEST(test_store_term__in_two_steps)
{
    cj_db *db = people_open();
    cj__term_text first, second, other, none;
    uint32_t a, b;

    ck_assert_int_eq(cj__write_begin(db), CJ_OK);
    first = cj__term_expect(db, CJ__SPACE_PRODUCT, cj__text_of("sku-1"));
    second = cj__term_expect(db, CJ__SPACE_PRODUCT, cj__text_of("sku-1"));
    other = cj__term_expect(db, CJ__SPACE_CONTENT, cj__text_of("sku-1"));
    none = cj__term_expect(db, CJ__SPACE_CONTENT, cj__text_of(NULL));
    ck_assert_int_eq(cj__term_get(db, CJ__SPACE_PRODUCT, &first, &a), CJ_OK);
    ck_assert_int_eq(cj__term_get(db, CJ__SPACE_PRODUCT, &second, &b), CJ_OK);
    ck_assert_uint_eq(a, b);
    ck_assert_uint_eq(a, term(db, CJ__SPACE_PRODUCT, "sku-1"));
    ck_assert_int_eq(cj__term_get(db, CJ__SPACE_CONTENT, &other, &b), CJ_OK);
    ck_assert_uint_ne(a, b);
    ck_assert_int_eq(cj__term_get(db, CJ__SPACE_CONTENT, &none, &b), CJ_OK);
    ck_assert_uint_eq(b, 0);
    ck_assert_int_eq(cj__write_end(db, CJ_OK), CJ_OK);
    people_close(db);
}
END_TEST

HARNESS_MAIN("store_term", test_store_term__one_number_per_text_and_space,
             test_store_term__many_and_again, test_store_term__a_rollback_forgets,
             test_store_term__in_two_steps)
