/* What the suites share that test the library from outside, through cjourney.h alone:
 * files in a folder of their own, numbered messages, the content of a file as text, an
 * allocator that counts and fails.  Everything here ends the test when it goes wrong.
 */
#ifndef CJ_TESTS_API_H
#define CJ_TESTS_API_H

#include "cjourney.h"

#include <stdatomic.h>
#include <stddef.h>

/* ---- expectations ---------------------------------------------------------- */

void api_expect(int32_t rc, int32_t expected, const char *call, int line);
#define expect_ok(call) api_expect((call), CJ_OK, #call, __LINE__)
#define expect_code(code, call) api_expect((call), (code), #call, __LINE__)

/* A sanitizer that makes fork() or deep recursion awkward? */
#if defined(__SANITIZE_THREAD__)
#define API_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define API_TSAN 1
#endif
#endif
#ifndef API_TSAN
#define API_TSAN 0
#endif

/* ---- files ----------------------------------------------------------------- */

typedef struct api_file {
    char folder[64];
    char path[96], wal[104],
        shm[104]; /* the folder's shop.db and what lies beside it */
} api_file;

void api_file_make(api_file *f);   /* an empty folder */
void api_file_remove(api_file *f); /* with all that is in it */
int api_exists(const char *path);
void api_write(const char *path, const void *bytes, size_t n);
char *api_read(const char *path, size_t *n_out); /* free it; ends with a NUL */
void api_copy(const char *from, const char *to);
int64_t api_size(const char *path); /* -1: no such file */
int api_same_bytes(const char *path_a, const char *path_b);

/* ---- handles --------------------------------------------------------------- */

cj_open_options api_options(int64_t flags, int64_t seal_events);
cj_db *api_open(const char *path, int64_t flags, int64_t seal_events);
int64_t api_stat(cj_db *db, const char *name); /* of cj_stats */
int64_t api_n_events(cj_db *db);               /* sealed or not */
void api_expect_sound(cj_db *db);              /* cj_check finds nothing */

/* ---- numbered messages ----------------------------------------------------- */

#define API_TIME ((int64_t)1700000000000)
enum { API_IN_ORDER = 0, API_SCRAMBLED = 1, API_MAX_NUMBER = 65536 };

/* Message `number` is the same whenever it is made: its session is "n<number>", its
 * message id "m<number>"; times differ, and rise with the number or not. */
typedef struct api_message {
    cj_event event;
    cj_identifier identifiers[2];
    cj_item items[2];
    char id[24], session[24], user[24], visitor[24], order[24], properties[64];
} api_message;

void api_message_make(api_message *m, int64_t number, int order);
int64_t api_message_events(int64_t number); /* 1 and its items */
int32_t api_record(cj_db *db, int64_t number, int order);
/* Messages [from, until) in one commit. */
int32_t api_record_range(cj_db *db, int64_t from, int64_t until, int order,
                         cj_record_result *result);
/* How often each number < n was recorded, by its session; free it.  Checks that each
 * has its items and that no event is none of ours. */
int *api_numbers(cj_db *db, int64_t n);

/* ---- content --------------------------------------------------------------- */

/* A growing text. */
typedef struct api_text {
    char *data;
    size_t n, capacity;
} api_text;
void api_put(api_text *t, const char *text);
void api_put_table(api_text *t, cj_table *table); /* as CSV; frees it */

/* All that the API tells of a file: events, edges, identifiers, traits, rejects.  With
 * profiles by number (exact), or by their smallest identifier and lines sorted (free of
 * the order in which things came).  Free it. */
char *api_content(cj_db *db);
char *api_content_sorted(cj_db *db);
void api_expect_same(const char *a, const char *b, const char *what);

/* ---- an allocator that fails ----------------------------------------------- */

/* Counts what is alive and checks that old sizes are told rightly. */
typedef struct api_heap {
    _Atomic int64_t live_bytes, n_calls, n_failed, n_wrong;
    _Atomic int64_t fail_at; /* the how-manieth allocation from now fails; 0: none */
    _Atomic int fail_on;     /* and all that follow */
} api_heap;
void *api_heap_realloc(void *user, void *ptr, uint64_t old_bytes, uint64_t new_bytes);
void api_heap_arm(api_heap *heap, int64_t fail_at, int fail_on);
void api_heap_disarm(api_heap *heap);

/* ---- dice ------------------------------------------------------------------ */

uint64_t api_random(uint64_t *state); /* splitmix64 */
void api_shuffle(int64_t *numbers, int64_t n, uint64_t *state);

#endif
