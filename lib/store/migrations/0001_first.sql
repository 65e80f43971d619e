-- The first schema.  docs/FORMAT.md says what every column and byte means.

-- Facts about the file itself: currency, time_zone, seed, sealed_through.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;

-- Texts that repeat: event names, channels, campaigns, contents, products, ...
CREATE TABLE term (
    term  INTEGER PRIMARY KEY,
    space INTEGER NOT NULL,
    text  TEXT NOT NULL
);
CREATE UNIQUE INDEX term_text ON term (space, text);

-- One row per identifier; node counts from 1 without gaps.
CREATE TABLE identifier (
    node  INTEGER PRIMARY KEY,
    kind  INTEGER NOT NULL,
    value TEXT NOT NULL
);

-- Hash-sorted runs over identifiers, for handles that have not loaded them.
CREATE TABLE identifier_run (
    run        INTEGER PRIMARY KEY,
    first_node INTEGER NOT NULL,
    last_node  INTEGER NOT NULL,
    bits       INTEGER NOT NULL
);
CREATE TABLE identifier_bucket (
    bucket  INTEGER PRIMARY KEY,
    entries BLOB NOT NULL
);

-- Values that are never identifiers, added by the host.
CREATE TABLE blocked (
    kind  INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, value)
) WITHOUT ROWID;

-- The identity graph: one row per pair and cause, never deleted.
CREATE TABLE edge (
    edge    INTEGER PRIMARY KEY,
    node_a  INTEGER NOT NULL,
    node_b  INTEGER NOT NULL,
    cause   INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    state   INTEGER NOT NULL
);
CREATE INDEX edge_pair ON edge (node_b, node_a, cause); -- b is new: mostly in order

-- What was joined, refused, removed, in order: append only.
CREATE TABLE merge_log (
    entry   INTEGER PRIMARY KEY,
    edge    INTEGER NOT NULL,
    action  INTEGER NOT NULL,
    kept    INTEGER NOT NULL,
    other   INTEGER NOT NULL,
    time_ms INTEGER NOT NULL
);

-- profile_of[], in pages of 400 nodes.
CREATE TABLE node_page (
    page INTEGER PRIMARY KEY,
    data BLOB NOT NULL
);

-- What is known of a node, with history.
CREATE TABLE trait (
    node    INTEGER NOT NULL,
    name    INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    source  INTEGER NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (node, name, time_ms)
) WITHOUT ROWID;

-- Events that are durable and not yet sealed: one row per commit.
CREATE TABLE journal (
    batch    INTEGER PRIMARY KEY,
    n_events INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    messages BLOB NOT NULL,
    events   BLOB NOT NULL
);

-- Sealed events: parts of time slices, their blocks, the message ids they hold.
CREATE TABLE part (
    part       INTEGER PRIMARY KEY,
    from_ms    INTEGER NOT NULL,
    until_ms   INTEGER NOT NULL,
    min_ms     INTEGER NOT NULL,
    max_ms     INTEGER NOT NULL,
    n_events   INTEGER NOT NULL,
    n_values   INTEGER NOT NULL,
    n_messages INTEGER NOT NULL,
    bits       INTEGER NOT NULL,
    core       BLOB NOT NULL,
    projection BLOB NOT NULL
);
CREATE INDEX part_slice ON part (from_ms, part);
CREATE TABLE block (
    block      INTEGER PRIMARY KEY,
    core       BLOB NOT NULL,
    properties BLOB NOT NULL
);
CREATE TABLE message_bucket (
    bucket INTEGER PRIMARY KEY,
    hashes BLOB NOT NULL
);

-- What was rejected, with its reason and its bytes.
CREATE TABLE failed_event (
    failed  INTEGER PRIMARY KEY,
    hash    INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    format  TEXT NOT NULL,
    code    INTEGER NOT NULL,
    reason  TEXT NOT NULL,
    bytes   BLOB NOT NULL
);
CREATE UNIQUE INDEX failed_event_hash ON failed_event (hash);

-- Names every file has (scan.h: CJ__NAME_*): space 1 is event names.
INSERT INTO term (term, space, text) VALUES
    (1, 1, 'order'),
    (2, 1, 'refund'),
    (3, 1, 'order_item');

PRAGMA application_id = 1667920462;
PRAGMA user_version = 1;
