/* Every exported function and nothing else: check the handle, copy the options, call
 * the room, leave.  No thinking here. */
#include "base/text.h"
#include "events/events.h"
#include "identity/identity.h"
#include "metrics/metrics.h"
#include "profile/profile.h"
#include "scan/scan.h"
#include "segment/segment.h"
#include "store/reader.h"
#include "store/store.h"

#include <string.h>
#include <unistd.h>

#define API_MAGIC 0x636A6F75726E6579u /* "cjourney" */

/* ---- the front door
 * --------------------------------------------------------------------- */

/* Is it an open handle of this process? */
static int32_t api_enter(cj_db *db)
{
    cj__error_clear();
    if (db == NULL || db->magic != API_MAGIC)
        return cj__fail(CJ_EMISUSE, "the handle is NULL or closed");
    if (db->pid != (int64_t)getpid())
        return cj__fail(CJ_EFORK, "the handle was opened before fork(): open one here");
    cj__call_begin(&db->cx);
    return CJ_OK;
}

static int32_t api_leave(cj_db *db, int32_t rc)
{
    cj__call_end(&db->cx);
    return rc;
}

static int64_t api_now(const cj_db *db, int64_t time_ms)
{
    return time_ms != 0 ? time_ms : cj__now_ms(&db->cx);
}

/* The moment of a question: 0 is now, and what was recorded just now counts. */
static int64_t api_as_of(const cj_db *db, int64_t as_of_ms)
{
    return as_of_ms != 0 ? as_of_ms : api_now(db, 0) + 1;
}

/* Begin a call that makes a table: *out is NULL until it is there. */
static int32_t api_enter_table(cj_db *db, cj_table **out)
{
    if (out != NULL)
        *out = NULL;
    if (out == NULL) {
        cj__error_clear();
        return cj__fail(CJ_EMISUSE, "out is NULL");
    }
    return api_enter(db);
}

/* ---- errors
 * -------------------------------------------------------------------------------- */

const char *cj_version(void)
{
    return CJ_VERSION;
}

const char *cj_errmsg(void)
{
    return cj__error_text();
}

int64_t cj_errpos(void)
{
    return cj__error_position();
}

const char *cj_error_name(int32_t code)
{
    return cj__error_name(code);
}

/* ---- handle
 * --------------------------------------------------------------------------------- */

static void api_free(cj_db *db)
{
    cj__allocator a = db->cx.allocator;

    cj__identity_close(db);
    cj__live_close(db);
    (void)cj__store_close(db);
    db->magic = 0;
    cj__free(&a, db, sizeof *db);
}

static int32_t api_open(const char *path, const cj_open_options *o, cj_db **out)
{
    cj__ctx cx;
    cj_db *db;
    int32_t rc;

    cj__ctx_init(&cx, o->realloc, o->realloc_user, o->log, o->log_user, o->clock,
                 o->clock_user);
    db = cj__alloc_zero(&cx.allocator, sizeof *db);
    if (db == NULL)
        return CJ_ENOMEM;
    db->cx = cx;
    db->pid = (int64_t)getpid();
    db->flags = o->flags;
    db->busy_ms = o->busy_ms > 0 ? o->busy_ms : 5000;
    db->commit_ms = o->commit_ms > 0 ? o->commit_ms : 5;
    db->seal_events = o->seal_events > 0 ? o->seal_events : 65536;
    CJ_TRY(cj__live_open(db));
    CJ_TRY(cj__store_open(db, path, o));
    CJ_TRY(cj__identity_open(db));
    CJ_TRY(cj__recorder_open(db));
    db->magic = API_MAGIC;
    *out = db;
out:
    if (rc != CJ_OK) {
        (void)cj__recorder_close(db);
        api_free(db);
    }
    return rc;
}

int32_t cj_open(const char *path, const cj_open_options *opts, cj_db **out)
{
    cj_open_options o;
    int32_t rc;

    cj__error_clear();
    if (out == NULL)
        return cj__fail(CJ_EMISUSE, "out is NULL");
    *out = NULL;
    if (path == NULL || path[0] == '\0')
        return cj__fail(CJ_EMISUSE, "path is NULL or empty");
    rc = cj__sized_read(&o, sizeof o, opts);
    if (rc == CJ_OK && (o.flags & ~(int64_t)7) != 0)
        rc = cj__fail(CJ_EINVAL, "unknown flags; use CJ_OPEN_*");
    return rc == CJ_OK ? api_open(path, &o, out) : rc;
}

int32_t cj_close(cj_db *db)
{
    int32_t rc;

    if (db == NULL)
        return CJ_OK;
    rc = api_enter(db);
    if (rc != CJ_OK)
        return rc;
    rc = cj__recorder_close(db);
    api_free(db);
    return rc;
}

int32_t cj_interrupt(cj_db *db)
{
    if (db == NULL || db->magic != API_MAGIC || db->pid != (int64_t)getpid())
        return cj__fail(CJ_EMISUSE, "the handle is NULL, closed or another process's");
    cj__interrupt_set(&db->cx, 1);
    return CJ_OK;
}

int32_t cj_flush(cj_db *db)
{
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    return api_leave(db, cj__record_flush(db));
}

int32_t cj_time_parse(cj_db *db, const char *text, int64_t *ms_out)
{
    int32_t rc;

    if (ms_out != NULL)
        *ms_out = 0;
    rc = api_enter(db);
    if (rc != CJ_OK)
        return rc;
    if (text == NULL || ms_out == NULL)
        rc = cj__fail(CJ_EMISUSE, "text or ms_out is NULL");
    else if (cj__time_parse(text, strlen(text), db->zone, ms_out) != 0)
        rc = cj__fail(CJ_EINVAL,
                      "not a time; write 2025-03-01, or 2025-03-01T10:00:00Z");
    return api_leave(db, rc);
}

/* ---- recording
 * -----------------------------------------------------------------------------------
 */

/* An array within an event: what its count says must be there.  The structs are of this
 * library's size, because an array has no stride of its own. */
static int32_t api_array(const void *array, int64_t n, size_t size, const char *what)
{
    int64_t struct_size;

    if (n < 0 || n > CJ__MAX_BATCH || (n > 0 && array == NULL))
        return cj__fail(CJ_EMISUSE, "%s: NULL, or the count is not initialised", what);
    for (int64_t i = 0; i < n; i++) {
        memcpy(&struct_size, (const char *)array + (size_t)i * size,
               sizeof struct_size);
        if (struct_size != (int64_t)size)
            return cj__fail(CJ_EMISUSE, "%s: struct_size is %lld, not %zu", what,
                            (long long)struct_size, size);
    }
    return CJ_OK;
}

/* One structure of an array with a stride: an older caller's is shorter. */
static int32_t api_event(const char *at, cj_event *to)
{
    int32_t rc = cj__sized_read(to, sizeof *to, at);

    if (rc == CJ_OK)
        rc = api_array(to->identifiers, to->n_identifiers, sizeof *to->identifiers,
                       "identifiers");
    if (rc == CJ_OK)
        rc = api_array(to->items, to->n_items, sizeof *to->items, "items");
    return rc;
}

static int32_t api_record(cj_db *db, const cj_event *events, int64_t n, int64_t stride,
                          cj_record_result *result)
{
    const cj__allocator *a = &db->cx.allocator;
    size_t bytes = cj__size_product((size_t)n, sizeof(cj__message));
    cj__message *messages = cj__alloc_zero(a, bytes);
    int32_t rc = CJ_OK;

    if (messages == NULL)
        return CJ_ENOMEM;
    for (int64_t i = 0; i < n && rc == CJ_OK; i++) {
        rc = api_event((const char *)events + i * stride, &messages[i].event);
        messages[i].place = i;
        messages[i].format = "record";
    }
    if (rc == CJ_OK)
        rc = cj__record(db, messages, n, cj__now_ms(&db->cx));
    if (rc == CJ_OK)
        cj__record_count(messages, n, result);
    cj__free(a, messages, bytes);
    return rc;
}

int32_t cj_record(cj_db *db, const cj_event *event)
{
    cj__message m = {.format = "record"};
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    if (event == NULL)
        return api_leave(db, cj__fail(CJ_EMISUSE, "event is NULL"));
    rc = api_event((const char *)event, &m.event);
    if (rc == CJ_OK)
        rc = cj__record(db, &m, 1, cj__now_ms(&db->cx));
    if (rc == CJ_OK && m.outcome == CJ__REJECTED)
        rc = cj__fail(CJ_EREJECT, "%s", m.reason);
    return api_leave(db, rc);
}

int32_t cj_record_many(cj_db *db, const cj_event *events, int64_t n,
                       int64_t stride_bytes, cj_record_result *result)
{
    cj_record_result r = {.first_reject = -1};
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    if (n < 0 || (n > 0 && events == NULL) || stride_bytes < 0)
        rc = cj__fail(CJ_EMISUSE, "events is NULL, or a count is negative");
    else if (n > CJ__MAX_BATCH)
        rc = cj__fail(CJ_ELIMIT, "%lld events at once, the limit is %d", (long long)n,
                      CJ__MAX_BATCH);
    else if (n > 0)
        rc = api_record(db, events, n,
                        stride_bytes != 0 ? stride_bytes : events->struct_size, &r);
    if (rc != CJ_OK)
        r = (cj_record_result){0};
    rc = cj__sized_write(result, &r, sizeof r, rc);
    return api_leave(db, rc);
}

int32_t cj_record_json(cj_db *db, const char *text, int64_t n_bytes, const char *format,
                       cj_record_result *result)
{
    cj_record_result r = {0};
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    if (text == NULL || format == NULL || n_bytes < -1)
        rc = cj__fail(CJ_EMISUSE, "text or format is NULL");
    else
        rc = cj__record_json(
            db, (cj__text){text, n_bytes == -1 ? strlen(text) : (size_t)n_bytes},
            format, cj__now_ms(&db->cx), &r);
    rc = cj__sized_write(result, &r, sizeof r, rc);
    return api_leave(db, rc);
}

/* Identifiers and traits, in one message. */
static int32_t api_identify(cj_db *db, cj__message *m, const cj_identifier *identifiers,
                            int64_t n, int64_t *profile_out)
{
    cj_identifier copies[CJ__MAX_IDENTIFIERS];
    int32_t rc = CJ_OK;

    if (n < 0 || n > CJ__MAX_IDENTIFIERS || (n > 0 && identifiers == NULL))
        return cj__fail(CJ_EMISUSE, "identifiers is NULL, or more than %d",
                        CJ__MAX_IDENTIFIERS);
    for (int64_t i = 0; i < n && rc == CJ_OK; i++)
        rc = cj__sized_read(&copies[i], sizeof copies[i],
                            (const char *)identifiers + i * identifiers->struct_size);
    m->event.identifiers = copies;
    m->event.n_identifiers = n;
    m->profile = profile_out != NULL; /* please */
    if (rc == CJ_OK) /* who is asked for an answer waits for it, deferred or not */
        rc = (profile_out != NULL || m->cause == CJ__CAUSE_ALIAS)
                 ? cj__record_wait(db, m, 1, cj__now_ms(&db->cx))
                 : cj__record(db, m, 1, cj__now_ms(&db->cx));
    if (rc == CJ_OK && m->outcome == CJ__REJECTED)
        rc = cj__fail(CJ_EREJECT, "%s", m->reason);
    if (rc == CJ_OK && profile_out != NULL)
        *profile_out = m->profile;
    return rc;
}

int32_t cj_identify(cj_db *db, const cj_identifier *identifiers, int64_t n,
                    const char *traits, int64_t time_ms, const char *source,
                    int64_t *profile_out)
{
    cj__message m = {.traits = traits != NULL ? traits : "{}",
                     .source = source,
                     .cause = CJ__CAUSE_IDENTIFY,
                     .format = "identify"};
    int32_t rc;

    m.event.time_ms = time_ms;
    if (profile_out != NULL)
        *profile_out = 0;
    rc = api_enter(db);
    return rc == CJ_OK
               ? api_leave(db, api_identify(db, &m, identifiers, n, profile_out))
               : rc;
}

int32_t cj_alias(cj_db *db, const cj_identifier *a, const cj_identifier *b)
{
    cj__message m = {.traits = "{}", .cause = CJ__CAUSE_ALIAS, .format = "identify"};
    cj_identifier both[2];
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    if (a == NULL || b == NULL)
        rc = cj__fail(CJ_EMISUSE, "an identifier is NULL");
    if (rc == CJ_OK)
        rc = cj__sized_read(&both[0], sizeof both[0], a);
    if (rc == CJ_OK)
        rc = cj__sized_read(&both[1], sizeof both[1], b);
    both[0].struct_size = both[1].struct_size = (int64_t)sizeof both[0];
    if (rc == CJ_OK)
        rc = api_identify(db, &m, both, 2, NULL);
    if (rc == CJ_OK && m.refused > 0)
        rc = cj__fail(CJ_EEXISTS,
                      "refused: both profiles hold a unique identifier of a kind");
    return api_leave(db, rc);
}

/* ---- import
 * ----------------------------------------------------------------------------------------
 */

int32_t cj_import_file(cj_db *db, const char *path, const cj_import_options *opts,
                       cj_import_result *result)
{
    cj_import_result r = {0};
    cj_import_options o;
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    rc = path == NULL ? cj__fail(CJ_EMISUSE, "path is NULL")
                      : cj__sized_read(&o, sizeof o, opts);
    if (rc == CJ_OK)
        rc = cj__import_file(db, path, &o, cj__now_ms(&db->cx), &r);
    rc = cj__sized_write(result, &r, sizeof r, rc);
    return api_leave(db, rc);
}

int32_t cj_failed_events(cj_db *db, cj_table **out)
{
    int32_t rc = api_enter_table(db, out);

    return rc == CJ_OK ? api_leave(db, cj__failed_events(db, out)) : rc;
}

int32_t cj_failed_retry(cj_db *db, cj_record_result *result)
{
    cj_record_result r = {0};
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    rc = cj__failed_retry(db, cj__now_ms(&db->cx), &r);
    rc = cj__sized_write(result, &r, sizeof r, rc);
    return api_leave(db, rc);
}

/* ---- identity
 * ----------------------------------------------------------------------------------------
 */

int32_t cj_profile_find(cj_db *db, const char *kind, const char *value,
                        int64_t *profile_out)
{
    int32_t rc;

    if (profile_out != NULL)
        *profile_out = 0;
    rc = api_enter(db);
    if (rc != CJ_OK)
        return rc;
    if (value == NULL || profile_out == NULL)
        rc = cj__fail(CJ_EMISUSE, "value or profile_out is NULL");
    else
        rc = cj__profile_find(db, kind, value, profile_out);
    return api_leave(db, rc);
}

int32_t cj_profile_identifiers(cj_db *db, int64_t profile, cj_table **out)
{
    int32_t rc = api_enter_table(db, out);

    return rc == CJ_OK ? api_leave(db, cj__profile_identifiers(db, profile, out)) : rc;
}

int32_t cj_profile_traits(cj_db *db, int64_t profile, int64_t as_of_ms, cj_table **out)
{
    int32_t rc = api_enter_table(db, out);

    return rc == CJ_OK ? api_leave(db, cj__profile_traits(db, profile,
                                                          api_now(db, as_of_ms), out))
                       : rc;
}

int32_t cj_merge(cj_db *db, int64_t profile_a, int64_t profile_b, int64_t *edge_out)
{
    int64_t edge = 0;
    int32_t rc;

    if (edge_out != NULL)
        *edge_out = 0;
    rc = api_enter(db);
    if (rc != CJ_OK)
        return rc;
    rc = cj__write_begin(db);
    if (rc == CJ_OK)
        rc = cj__write_end(db,
                           cj__merge(db, profile_a, profile_b, api_now(db, 0), &edge));
    if (rc == CJ_OK && edge_out != NULL)
        *edge_out = edge;
    return api_leave(db, rc);
}

int32_t cj_unmerge(cj_db *db, int64_t edge)
{
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    rc = cj__write_begin(db);
    if (rc == CJ_OK)
        rc = cj__write_end(db, cj__unmerge(db, edge, api_now(db, 0)));
    return api_leave(db, rc);
}

int32_t cj_edges(cj_db *db, int64_t profile, cj_table **out)
{
    int32_t rc = api_enter_table(db, out);

    return rc == CJ_OK ? api_leave(db, cj__edges(db, profile, out)) : rc;
}

int32_t cj_identifier_block(cj_db *db, const char *kind, const char *value)
{
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    rc = value == NULL ? cj__fail(CJ_EMISUSE, "value is NULL") : cj__write_begin(db);
    if (rc == CJ_OK)
        rc = cj__write_end(db, cj__identifier_block(db, kind, value));
    return api_leave(db, rc);
}

/* ---- reading and scores
 * ---------------------------------------------------------------------------------- */

int32_t cj_events(cj_db *db, const cj_events_options *opts, cj_table **out)
{
    cj_events_options o;
    int32_t rc = api_enter_table(db, out);

    if (rc != CJ_OK)
        return rc;
    rc = cj__sized_read(&o, sizeof o, opts);
    if (rc == CJ_OK)
        rc = cj__events_table(db, &o, out);
    return api_leave(db, rc);
}

static int32_t api_rfm_options(const cj_db *db, const cj_rfm_options *opts,
                               cj_rfm_options *o)
{
    int32_t rc = cj__sized_read(o, sizeof *o, opts);

    if (rc == CJ_OK)
        o->as_of_ms = api_as_of(db, o->as_of_ms);
    return rc;
}

int32_t cj_rfm(cj_db *db, const cj_rfm_options *opts, cj_table **out)
{
    cj_rfm_options o;
    int32_t rc = api_enter_table(db, out);

    if (rc != CJ_OK)
        return rc;
    rc = api_rfm_options(db, opts, &o);
    return api_leave(db, rc == CJ_OK ? cj__rfm(db, &o, out) : rc);
}

int32_t cj_rfm_classes(cj_table **out)
{
    cj__ctx cx;

    cj__error_clear();
    if (out == NULL)
        return cj__fail(CJ_EMISUSE, "out is NULL");
    *out = NULL;
    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    return cj__rfm_classes(&cx.allocator, out);
}

/* ---- value
 * ---------------------------------------------------------------------------------------
 */

/* Who is asked about, and when: a segment (NULL: everybody) in a snapshot. */
typedef struct api_who {
    cj__reader *reader;
    cj__arena arena;
    uint64_t *profiles;
} api_who;

static int32_t api_who_open(cj_db *db, const char *segment, int64_t as_of_ms,
                            int32_t threads, api_who *w)
{
    const cj_segment_options o = {.as_of_ms = as_of_ms, .threads = threads};
    int32_t rc;

    memset(w, 0, sizeof *w);
    cj__arena_init(&w->arena, &db->cx.allocator);
    rc = cj__reader_open(db, &w->reader);
    if (rc == CJ_OK && segment != NULL)
        rc = cj__segment_profiles(w->reader, segment, &o, &w->arena, &w->profiles);
    return rc;
}

static void api_who_close(api_who *w)
{
    cj__reader_end(w->reader);
    cj__arena_end(&w->arena);
}

typedef int32_t (*api_purchases_fn)(cj__reader *reader,
                                    const cj_clv_summary_options *opts,
                                    const uint64_t *profiles, cj_table **out);

static int32_t api_purchases(cj_db *db, const cj_clv_summary_options *opts,
                             api_purchases_fn ask, cj_table **out)
{
    cj_clv_summary_options o;
    api_who who;
    int32_t rc = api_enter_table(db, out);

    if (rc != CJ_OK)
        return rc;
    rc = cj__sized_read(&o, sizeof o, opts);
    if (rc != CJ_OK)
        return api_leave(db, rc);
    o.as_of_ms = api_as_of(db, o.as_of_ms);
    rc = api_who_open(db, o.segment, o.as_of_ms, o.threads, &who);
    if (rc == CJ_OK)
        rc = ask(who.reader, &o, who.profiles, out);
    api_who_close(&who);
    return api_leave(db, rc);
}

int32_t cj_clv_summary(cj_db *db, const cj_clv_summary_options *opts, cj_table **out)
{
    return api_purchases(db, opts, cj__clv_summary, out);
}

int32_t cj_clv_purchases(cj_db *db, const cj_clv_summary_options *opts, cj_table **out)
{
    return api_purchases(db, opts, cj__clv_purchases, out);
}

int32_t cj_clv_save(cj_db *db, const char *name, const cj_clv *clv)
{
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    return api_leave(db, name == NULL || clv == NULL
                             ? cj__fail(CJ_EMISUSE, "name or clv is NULL")
                             : cj__clv_save_fit(db, name, clv, api_now(db, 0)));
}

int32_t cj_clv_load(cj_db *db, const char *name, cj_clv **out)
{
    cj__ctx cx;
    int32_t rc;

    if (out != NULL)
        *out = NULL;
    rc = api_enter(db);
    if (rc != CJ_OK)
        return rc;
    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL); /* it outlives db */
    return api_leave(db, name == NULL || out == NULL
                             ? cj__fail(CJ_EMISUSE, "name or out is NULL")
                             : cj__clv_load(db, &cx.allocator, name, out));
}

int32_t cj_clv_refresh(cj_db *db, const cj_clv_refresh_options *opts,
                       cj_clv_refresh_result *result)
{
    cj_clv_refresh_result r = {0};
    cj_clv_refresh_options o;
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    rc = cj__sized_read(&o, sizeof o, opts);
    if (rc == CJ_OK && o.model == NULL)
        rc = cj__fail(CJ_EMISUSE, "opts->model is NULL");
    if (rc == CJ_OK) {
        o.as_of_ms = api_as_of(db, o.as_of_ms);
        rc = cj__clv_refresh_saved(db, &o, &r);
    }
    rc = cj__sized_write(result, &r, sizeof r, rc);
    return api_leave(db, rc);
}

int32_t cj_clv_saved(cj_db *db, cj_table **out)
{
    int32_t rc = api_enter_table(db, out);

    return rc == CJ_OK ? api_leave(db, cj__clv_saved_table(db, out)) : rc;
}

int32_t cj_clv_drop(cj_db *db, const char *name)
{
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    return api_leave(db, name == NULL ? cj__fail(CJ_EMISUSE, "name is NULL")
                                      : cj__clv_drop(db, name));
}

int32_t cj_rfm_distribution(cj_db *db, const cj_rfm_options *opts,
                            const cj_profile_values *clv, cj_table **out)
{
    cj_rfm_options o;
    int32_t rc = api_enter_table(db, out);

    if (rc != CJ_OK)
        return rc;
    rc = api_rfm_options(db, opts, &o);
    return api_leave(db, rc == CJ_OK ? cj__rfm_distribution(db, &o, clv, out) : rc);
}

int32_t cj_rfm_migrate(cj_db *db, const cj_rfm_options *opts, int64_t before_ms,
                       cj_table **out)
{
    cj_rfm_options o;
    int32_t rc = api_enter_table(db, out);

    if (rc != CJ_OK)
        return rc;
    rc = api_rfm_options(db, opts, &o);
    return api_leave(db, rc == CJ_OK ? cj__rfm_migrate(db, &o, before_ms, out) : rc);
}

int32_t cj_value_concentration(const int64_t *minor, const double *value, int64_t n,
                               cj_table **out)
{
    cj__ctx cx;

    cj__error_clear();
    if (out == NULL)
        return cj__fail(CJ_EMISUSE, "out is NULL");
    *out = NULL;
    if (n < 0 || (minor == NULL) == (value == NULL))
        return cj__fail(CJ_EMISUSE, "give minor or value, and n of it");
    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    return cj__value_concentration(&cx.allocator, minor, value, n, out);
}

int32_t cj_value_cohorts(cj_db *db, const cj_value_cohorts_options *opts,
                         const cj_profile_values *clv, cj_table **out)
{
    cj_value_cohorts_options o;
    api_who who;
    int32_t rc = api_enter_table(db, out);

    if (rc != CJ_OK)
        return rc;
    rc = cj__sized_read(&o, sizeof o, opts);
    if (rc != CJ_OK)
        return api_leave(db, rc);
    o.as_of_ms = api_as_of(db, o.as_of_ms);
    rc = api_who_open(db, o.segment, o.as_of_ms, o.threads, &who);
    if (rc == CJ_OK)
        rc = cj__value_cohorts(who.reader, &o, clv, who.profiles, out);
    api_who_close(&who);
    return api_leave(db, rc);
}

static int32_t api_clv(const void *clv, void *out)
{
    cj__error_clear();
    if (out == NULL)
        return cj__fail(CJ_EMISUSE, "out is NULL");
    return clv != NULL ? CJ_OK
                       : cj__fail(CJ_EMISUSE, "the model, or the data, is NULL");
}

int32_t cj_clv_models(cj_table **out)
{
    cj__ctx cx;
    int32_t rc = api_clv("", out);

    if (rc != CJ_OK)
        return rc;
    *out = NULL;
    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    return cj__clv_models(&cx.allocator, out);
}

int32_t cj_clv_fit(const cj_clv_data *data, const cj_clv_fit_options *opts,
                   cj_clv **out)
{
    cj_clv_data d;
    cj_clv_fit_options o;
    cj__ctx cx;
    int32_t rc = api_clv(data, out);

    if (out != NULL)
        *out = NULL;
    if (rc == CJ_OK)
        rc = cj__sized_read(&d, sizeof d, data);
    if (rc == CJ_OK)
        rc = cj__sized_read(&o, sizeof o, opts);
    if (rc != CJ_OK)
        return rc;
    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    return cj__clv_fit(&cx.allocator, &d, &o, out);
}

void cj_clv_free(cj_clv *clv)
{
    cj__clv_free(clv);
}

int32_t cj_clv_parameters(const cj_clv *clv, cj_table **out)
{
    int32_t rc = api_clv(clv, out);

    if (out != NULL)
        *out = NULL;
    return rc == CJ_OK ? cj__clv_parameters(clv, out) : rc;
}

int32_t cj_clv_facts(const cj_clv *clv, cj_clv_fit_facts *out)
{
    cj_clv_fit_facts facts = {0};
    int32_t rc = api_clv(clv, out);

    if (rc == CJ_OK)
        cj__clv_facts(clv, &facts);
    return cj__sized_write(out, &facts, sizeof facts, rc);
}

int32_t cj_clv_to_json(const cj_clv *clv, char **text_out, int64_t *n_bytes_out)
{
    int32_t rc = api_clv(clv, text_out);

    if (text_out != NULL)
        *text_out = NULL;
    if (n_bytes_out != NULL)
        *n_bytes_out = 0;
    return rc == CJ_OK ? cj__clv_to_json(clv, text_out, n_bytes_out) : rc;
}

int32_t cj_clv_from_json(const char *json, int64_t n_bytes, cj_clv **out)
{
    cj__ctx cx;
    int32_t rc = api_clv(json, out);

    if (out != NULL)
        *out = NULL;
    if (rc == CJ_OK && n_bytes < -1)
        rc = cj__fail(CJ_EMISUSE, "n_bytes is negative");
    if (rc != CJ_OK)
        return rc;
    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    return cj__clv_from_json(&cx.allocator, json,
                             n_bytes == -1 ? strlen(json) : (size_t)n_bytes, out);
}

/* ---- answers of value models
 * --------------------------------------------------------------------------------- */

/* Begin a call over a fitted model; the data are read as far as the caller's go. */
static int32_t api_enter_clv(const cj_clv *clv, const cj_clv_data *data,
                             cj_clv_data *own, cj_table **out)
{
    cj__error_clear();
    if (out != NULL)
        *out = NULL;
    if (clv == NULL || data == NULL)
        return cj__fail(CJ_EMISUSE, "the model or the data are NULL");
    return cj__sized_read(own, sizeof *own, data);
}

int32_t cj_clv_predict(const cj_clv *clv, const cj_clv *spend, const cj_clv_data *data,
                       const cj_clv_predict_options *opts, cj_table **out)
{
    cj_clv_data d;
    cj_clv_predict_options o;
    int32_t rc = api_enter_clv(clv, data, &d, out);

    if (rc == CJ_OK && out == NULL)
        return cj__fail(CJ_EMISUSE, "out is NULL");
    if (rc == CJ_OK)
        rc = cj__sized_read(&o, sizeof o, opts);
    return rc == CJ_OK ? cj__clv_predict(clv, spend, &d, &o, out) : rc;
}

int32_t cj_clv_validate(const cj_clv *clv, const cj_clv *spend, const cj_clv_data *data,
                        const cj_clv_holdout *holdout, cj_clv_validation *facts,
                        cj_table **bins)
{
    cj_clv_data d;
    cj_clv_holdout h;
    cj_clv_validation v;
    int32_t rc = api_enter_clv(clv, data, &d, bins);

    if (rc == CJ_OK)
        rc = cj__sized_read(&h, sizeof h, holdout);
    if (rc == CJ_OK)
        rc = cj__clv_validate(clv, spend, &d, &h, &v, bins);
    return cj__sized_write(facts, &v, sizeof v, rc);
}

int32_t cj_clv_tracking(const cj_clv *clv, const cj_clv_data *data,
                        const cj_clv_track_options *opts, cj_table **out)
{
    cj_clv_data d;
    cj_clv_track_options o;
    int32_t rc = api_enter_clv(clv, data, &d, out);

    if (rc == CJ_OK && out == NULL)
        return cj__fail(CJ_EMISUSE, "out is NULL");
    if (rc == CJ_OK)
        rc = cj__sized_read(&o, sizeof o, opts);
    return rc == CJ_OK ? cj__clv_tracking(clv, &d, &o, out) : rc;
}

int32_t cj_clv_spend_dependence(const cj_clv_data *data, cj_clv_dependence *out)
{
    cj_clv_data d;
    cj_clv_dependence found;
    cj__ctx cx;
    int32_t rc;

    cj__error_clear();
    if (data == NULL || out == NULL)
        return cj__fail(CJ_EMISUSE, "the data or out are NULL");
    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    rc = cj__sized_read(&d, sizeof d, data);
    if (rc == CJ_OK)
        rc = cj__clv_spend_dependence(&cx.allocator, &d, &found);
    return cj__sized_write(out, &found, sizeof found, rc);
}

int32_t cj_clv_histogram(const cj_clv *clv, const cj_clv_data *data, int64_t largest,
                         cj_table **out)
{
    cj_clv_data d;
    int32_t rc = api_enter_clv(clv, data, &d, out);

    if (rc == CJ_OK && out == NULL)
        return cj__fail(CJ_EMISUSE, "out is NULL");
    return rc == CJ_OK ? cj__clv_histogram(clv, &d, largest, out) : rc;
}

int32_t cj_clv_history(const cj_clv *clv, const double *purchase_days, int64_t n,
                       double until_days, double step_days, cj_table **out)
{
    cj__error_clear();
    if (clv == NULL || out == NULL || n < 0 || (n > 0 && purchase_days == NULL))
        return cj__fail(CJ_EMISUSE, "the model, purchase_days or out is NULL");
    *out = NULL;
    return cj__clv_history(clv, purchase_days, n, until_days, step_days, out);
}

int32_t cj_clv_compare(const cj_clv_data *data, const cj_clv_compare_options *opts,
                       cj_table **out)
{
    cj_clv_data d;
    cj_clv_compare_options o;
    cj_clv_holdout h;
    cj__ctx cx;
    int32_t rc;

    cj__error_clear();
    if (data == NULL || out == NULL)
        return cj__fail(CJ_EMISUSE, "the data or out is NULL");
    *out = NULL;
    rc = cj__sized_read(&d, sizeof d, data);
    if (rc == CJ_OK)
        rc = cj__sized_read(&o, sizeof o, opts);
    if (rc == CJ_OK)
        rc = cj__sized_read(&h, sizeof h, o.holdout);
    if (rc != CJ_OK)
        return rc;
    cj__ctx_init(&cx, NULL, NULL, NULL, NULL, NULL, NULL);
    return cj__clv_compare(&cx.allocator, &d, &o, o.holdout == NULL ? NULL : &h, out);
}

/* ---- segments
 * ------------------------------------------------------------------------------------
 */

/* A table of one text: an expression or a name. */
typedef int32_t (*api_segment_fn)(cj_db *db, const char *text,
                                  const cj_segment_options *opts, cj_table **out);

static int32_t api_segment_options(const cj_db *db, const cj_segment_options *opts,
                                   cj_segment_options *o)
{
    int32_t rc = cj__sized_read(o, sizeof *o, opts);

    if (rc == CJ_OK)
        o->as_of_ms = api_as_of(db, o->as_of_ms);
    return rc;
}

/* Begin a question: what is asked about (NULL is a mistake), and its options. */
static int32_t api_segment_begin(cj_db *db, const void *asked,
                                 const cj_segment_options *opts, cj_segment_options *o,
                                 cj_table **out)
{
    int32_t rc = api_enter_table(db, out);

    if (rc != CJ_OK)
        return rc;
    rc = asked == NULL ? cj__fail(CJ_EMISUSE, "the expression or name is NULL")
                       : api_segment_options(db, opts, o);
    return rc == CJ_OK ? rc : api_leave(db, rc);
}

static int32_t api_segment(cj_db *db, const char *text, const cj_segment_options *opts,
                           cj_table **out, api_segment_fn fn)
{
    cj_segment_options o;
    int32_t rc = api_segment_begin(db, text, opts, &o, out);

    return rc == CJ_OK ? api_leave(db, fn(db, text, &o, out)) : rc;
}

int32_t cj_segment_evaluate(cj_db *db, const char *expression,
                            const cj_segment_options *opts, cj_table **out)
{
    return api_segment(db, expression, opts, out, cj__segment_evaluate);
}

int32_t cj_segment_members(cj_db *db, const char *name, const cj_segment_options *opts,
                           cj_table **out)
{
    return api_segment(db, name, opts, out, cj__segment_members);
}

int32_t cj_segment_count(cj_db *db, const char *name, const cj_segment_options *opts,
                         int64_t *n_out)
{
    cj_segment_options o;
    int32_t rc;

    if (n_out != NULL)
        *n_out = 0;
    rc = api_enter(db);
    if (rc != CJ_OK)
        return rc;
    if (name == NULL || n_out == NULL)
        rc = cj__fail(CJ_EMISUSE, "name or n_out is NULL");
    if (rc == CJ_OK)
        rc = api_segment_options(db, opts, &o);
    return api_leave(db, rc == CJ_OK ? cj__segment_count(db, name, &o, n_out) : rc);
}

int32_t cj_profile_segments(cj_db *db, int64_t profile, const cj_segment_options *opts,
                            cj_table **out)
{
    cj_segment_options o;
    int32_t rc = api_segment_begin(db, &profile, opts, &o, out);

    return rc == CJ_OK ? api_leave(db, cj__profile_segments(db, profile, &o, out)) : rc;
}

int32_t cj_segment_explain(cj_db *db, const char *source,
                           const cj_segment_options *opts, cj_table **out)
{
    return api_segment(db, source, opts, out, cj__segment_explain);
}

int32_t cj_segment_why(cj_db *db, int64_t profile, const char *source,
                       const cj_segment_options *opts, cj_table **out)
{
    cj_segment_options o;
    int32_t rc = api_segment_begin(db, source, opts, &o, out);

    return rc == CJ_OK ? api_leave(db, cj__segment_why(db, profile, source, &o, out))
                       : rc;
}

int32_t cj_segment_overlap(cj_db *db, const char *const *names, int64_t n,
                           const cj_segment_options *opts, cj_table **out)
{
    cj_segment_options o;
    int32_t rc = api_segment_begin(db, names, opts, &o, out);

    return rc == CJ_OK ? api_leave(db, cj__segment_overlap(db, names, n, &o, out)) : rc;
}

int32_t cj_segment_sizes(cj_db *db, const char *source, int64_t from_ms,
                         int64_t step_days, const cj_segment_options *opts,
                         cj_table **out)
{
    cj_segment_options o;
    int32_t rc = api_segment_begin(db, source, opts, &o, out);

    return rc == CJ_OK ? api_leave(db, cj__segment_sizes(db, source, from_ms, step_days,
                                                         &o, out))
                       : rc;
}

int32_t cj_segment_compare(cj_db *db, const char *a, const char *b, int64_t limit,
                           const cj_segment_options *opts, cj_table **out)
{
    const char *const both[] = {a, b};
    cj_segment_options o;
    int32_t rc = api_segment_begin(db, b == NULL ? b : a, opts, &o, out);

    return rc == CJ_OK ? api_leave(db, cj__segment_compare(db, both, limit, &o, out))
                       : rc;
}

int32_t cj_segment_define(cj_db *db, const char *name, const char *expression,
                          int64_t flags)
{
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    rc = name == NULL || expression == NULL
             ? cj__fail(CJ_EMISUSE, "name or expression is NULL")
             : cj__segment_define(db, name, expression, flags, api_now(db, 0));
    return api_leave(db, rc);
}

int32_t cj_segment_define_list(cj_db *db, const char *name, const int64_t *profiles,
                               int64_t n)
{
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    if (name == NULL || n < 0 || (n > 0 && profiles == NULL))
        rc = cj__fail(CJ_EMISUSE, "name or profiles is NULL, or n is negative");
    else
        rc = cj__segment_define_list(db, name, profiles, n, api_now(db, 0));
    return api_leave(db, rc);
}

int32_t cj_segment_drop(cj_db *db, const char *name)
{
    int32_t rc = api_enter(db);

    if (rc != CJ_OK)
        return rc;
    return api_leave(db, name == NULL ? cj__fail(CJ_EMISUSE, "name is NULL")
                                      : cj__segment_drop(db, name, api_now(db, 0)));
}

int32_t cj_segments(cj_db *db, cj_table **out)
{
    int32_t rc = api_enter_table(db, out);

    return rc == CJ_OK ? api_leave(db, cj__segments(db, out)) : rc;
}

int32_t cj_segment_advance(cj_db *db, int64_t now_ms, int64_t *n_changes_out)
{
    int64_t n_changes = 0;
    int32_t rc;

    if (n_changes_out != NULL)
        *n_changes_out = 0;
    rc = api_enter(db);
    if (rc != CJ_OK)
        return rc;
    rc = cj__segment_advance(db, api_as_of(db, now_ms), &n_changes);
    if (rc == CJ_OK && n_changes_out != NULL)
        *n_changes_out = n_changes;
    return api_leave(db, rc);
}

int32_t cj_segment_feed(cj_db *db, int64_t after, int64_t limit, cj_table **out)
{
    int32_t rc = api_enter_table(db, out);

    return rc == CJ_OK ? api_leave(db, cj__segment_feed(db, after, limit, out)) : rc;
}

int32_t cj_segment_format(cj_db *db, const char *source, const char *from,
                          const char *to, char **text_out, int64_t *n_bytes_out)
{
    cj__str s;
    int32_t rc;

    if (text_out != NULL)
        *text_out = NULL;
    if (n_bytes_out != NULL)
        *n_bytes_out = 0;
    rc = api_enter(db);
    if (rc != CJ_OK)
        return rc;
    if (source == NULL || from == NULL || to == NULL || text_out == NULL)
        return api_leave(db, cj__fail(CJ_EMISUSE, "an argument is NULL"));
    cj__text_begin(&s, &db->cx.allocator);
    rc = cj__segment_format(db, source, from, to, &s);
    if (rc != CJ_OK)
        cj__str_end(&s);
    else
        rc = cj__text_hand_over(&s, text_out, n_bytes_out);
    return api_leave(db, rc);
}

/* ---- tables
 * -------------------------------------------------------------------------------------------------
 */

int64_t cj_table_rows(const cj_table *table)
{
    return table == NULL ? 0 : cj__table_rows(table);
}

int64_t cj_table_columns(const cj_table *table)
{
    return table == NULL ? 0 : cj__table_columns(table);
}

const char *cj_table_name(const cj_table *table, int64_t column)
{
    return table == NULL ? NULL : cj__table_name(table, column);
}

int32_t cj_table_type(const cj_table *table, int64_t column)
{
    return table == NULL ? 0 : cj__table_type(table, column);
}

const int64_t *cj_table_int64(const cj_table *table, int64_t column)
{
    return table == NULL ? NULL : cj__table_int64_data(table, column);
}

const double *cj_table_double(const cj_table *table, int64_t column)
{
    return table == NULL ? NULL : cj__table_double_data(table, column);
}

const char *cj_table_text(const cj_table *table, int64_t column,
                          const int64_t **offsets_out)
{
    if (offsets_out != NULL)
        *offsets_out = NULL;
    return table == NULL || offsets_out == NULL
               ? NULL
               : cj__table_text_data(table, column, offsets_out);
}

const uint8_t *cj_table_validity(const cj_table *table, int64_t column)
{
    return table == NULL ? NULL : cj__table_validity(table, column);
}

int32_t cj_table_export_arrow(cj_table *table, void *array_out, void *schema_out)
{
    cj__error_clear();
    if (table == NULL || array_out == NULL || schema_out == NULL)
        return cj__fail(CJ_EMISUSE, "table, array_out or schema_out is NULL");
    return cj__table_export_arrow(table, array_out, schema_out);
}

int32_t cj_table_export_stream(cj_table *table, void *stream_out)
{
    cj__error_clear();
    if (table == NULL || stream_out == NULL)
        return cj__fail(CJ_EMISUSE, "table or stream_out is NULL");
    return cj__table_export_stream(table, stream_out);
}

int32_t cj_table_format(const cj_table *table, const char *format, char **text_out,
                        int64_t *n_bytes_out)
{
    cj__error_clear();
    if (text_out != NULL)
        *text_out = NULL;
    if (n_bytes_out != NULL)
        *n_bytes_out = 0;
    if (table == NULL || format == NULL || text_out == NULL)
        return cj__fail(CJ_EMISUSE, "table, format or text_out is NULL");
    return cj__table_format(table, format, text_out, n_bytes_out);
}

void cj_text_free(char *text)
{
    cj__text_free(text);
}

void cj_table_free(cj_table *table)
{
    cj__table_free(table);
}

/* ---- care of the file
 * -------------------------------------------------------------------------------------------
 */

int32_t cj_compact(cj_db *db, cj_progress_fn progress, void *progress_user)
{
    int32_t rc = api_enter(db);

    return rc == CJ_OK ? api_leave(db, cj__compact(db, progress, progress_user)) : rc;
}

static int32_t api_check(cj_db *db, cj_table **out)
{
    cj__reader *r = NULL;
    cj_table *t = NULL;
    int32_t rc;

    CJ_TRY(cj__reader_open(db, &r));
    CJ_TRY(cj__table_new(&db->cx.allocator, "place:t problem:t", &t));
    CJ_TRY(cj__store_check(db, cj__reader_conn(r), t));
    CJ_TRY(cj__identity_check(db, cj__reader_conn(r), t));
    CJ_TRY(cj__live_check(db, cj__reader_conn(r), t));
    CJ_TRY(cj__clv_check(db, cj__reader_conn(r), t));
    rc = cj__table_finish(t, out);
    t = NULL;
out:
    cj__table_free(t);
    cj__reader_end(r);
    return rc;
}

int32_t cj_check(cj_db *db, cj_table **out)
{
    int32_t rc = api_enter_table(db, out);

    return rc == CJ_OK ? api_leave(db, api_check(db, out)) : rc;
}

int32_t cj_stats(cj_db *db, cj_table **out)
{
    int32_t rc = api_enter_table(db, out);

    return rc == CJ_OK ? api_leave(db, cj__stats(db, api_now(db, 0), out)) : rc;
}
