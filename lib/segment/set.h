/* Segments together with all that they refer to: trees only, shared by all threads.  An
 * item comes after those it needs.  Private to room segment. */
#ifndef CJ__SEGMENT_SET_H
#define CJ__SEGMENT_SET_H

#include "segment/tree.h"
#include "store/store.h"

enum { CJ__SEGMENT_EXPRESSION = 1, CJ__SEGMENT_LIST = 2 };

/* A definition as the file has it; texts in the caller's arena. */
typedef struct cj__definition {
    int64_t id, kind, live, time_ms;
    cj__text name, source;
} cj__definition;

/* By name; CJ_ENOTFOUND names the nearest that there is. */
int32_t cj__definition_get(cj_db *db, cj__conn *conn, cj__text name, cj__arena *arena,
                           cj__definition *out);
/* All, by name. */
int32_t cj__definitions(cj__conn *conn, cj__arena *arena, cj__definition **out,
                        size_t *n_out);

typedef struct cj__set_item {
    cj__text name; /* data NULL: the caller's own expression */
    int64_t id;    /* of its definition */
    cj__segment_tree *tree;
} cj__set_item;

typedef struct cj__set_list { /* a static list */
    cj__text name;
    int64_t id;
} cj__set_list;

typedef struct cj__set {
    cj_db *db;
    cj__conn *conn; /* where definitions are read */
    cj__arena arena;
    cj__set_item *items;
    size_t n, capacity;
    cj__set_list *lists;
    size_t n_lists, lists_capacity;
    cj__text *open; /* names on the way: what they lead to must not lead back */
    size_t n_open, open_capacity;
    int32_t reads_identifiers, reads_shared, reads_number; /* of profiles */
} cj__set;

void cj__set_begin(cj__set *s, cj_db *db, cj__conn *conn);
void cj__set_end(cj__set *s);
/* Add an expression, or a definition (CJ_EINVAL when it is a list), and what it needs.
 * name, when there is one, is what the expression will be called: leading back to it is
 * an error that shows the way. */
int32_t cj__set_add(cj__set *s, cj__text name, cj__text source, uint32_t *index_out);
int32_t cj__set_add_named(cj__set *s, cj__text name, uint32_t *index_out);
int32_t cj__set_add_list(cj__set *s, cj__text name);
/* The place of a name among items, or lists; -1: not there. */
int64_t cj__set_item_named(const cj__set *s, cj__text name);
int64_t cj__set_list_named(const cj__set *s, cj__text name);

#endif
