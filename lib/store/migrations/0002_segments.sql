-- Segments: what they are, who is in them, who entered and left.

-- kind 1: an expression (source is its canonical text), 2: a list of profiles.
CREATE TABLE segment (
    segment INTEGER PRIMARY KEY AUTOINCREMENT,
    name    TEXT NOT NULL,
    kind    INTEGER NOT NULL,
    live    INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    source  TEXT NOT NULL
);
CREATE UNIQUE INDEX segment_name ON segment (name);

-- Names of segments that were dropped: changes tell of them. An id is never used again.
CREATE TABLE segment_past (
    segment INTEGER PRIMARY KEY,
    name    TEXT NOT NULL
);

-- Who is on a list: nodes, so that merging and unmerging move nothing.
CREATE TABLE segment_list (
    segment INTEGER NOT NULL,
    node    INTEGER NOT NULL,
    PRIMARY KEY (segment, node)
) WITHOUT ROWID;

-- What is known of a profile's live segments, and when to look again.
CREATE TABLE segment_state (
    profile INTEGER PRIMARY KEY,
    next_ms INTEGER NOT NULL,
    states  BLOB NOT NULL
);
CREATE INDEX segment_state_next ON segment_state (next_ms);

-- Who entered and left, in order: append only, so that numbers only rise.
CREATE TABLE segment_change (
    change  INTEGER PRIMARY KEY,
    segment INTEGER NOT NULL,
    profile INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    entered INTEGER NOT NULL,
    cause   INTEGER NOT NULL
);

PRAGMA user_version = 2;
