-- How far the scores of each horizon have come; what their refresh depends on.
CREATE TABLE clv_scoring (
    months   INTEGER PRIMARY KEY,
    key      INTEGER NOT NULL,
    batch    INTEGER NOT NULL,
    log      INTEGER NOT NULL,
    as_of_ms INTEGER NOT NULL,
    is_ahead INTEGER NOT NULL
);

-- Sorted runs of scores: a refresh adds one, and joins it with those before that are not
-- much larger. run: months << 53 | number << 32; a chunk's key is its run's, plus its
-- first profile.
CREATE TABLE clv_run (
    run   INTEGER PRIMARY KEY,
    bytes INTEGER NOT NULL
);
CREATE TABLE clv_score (
    chunk    INTEGER PRIMARY KEY,
    checksum INTEGER, -- NULL: not known
    entries  BLOB NOT NULL
);

-- The states of schema 3 go on: a chunk for each (under which horizon does not matter
-- but for the key, which knows it). States are shorter than 128 bytes.
INSERT INTO clv_scoring (months, key, batch, log, as_of_ms, is_ahead)
    SELECT 12, key.value, batch.value, log.value, as_of.value, ahead.value
    FROM meta AS key, meta AS batch, meta AS log, meta AS as_of, meta AS ahead
    WHERE key.name = 'clv_key' AND batch.name = 'clv_batch' AND log.name = 'clv_log'
      AND as_of.name = 'clv_as_of_ms' AND ahead.name = 'clv_is_ahead';
INSERT INTO clv_score (chunk, entries)
    SELECT (12 << 53) + (1 << 32) + profile,
           CAST(x'00' || CAST(char(length(state)) AS BLOB) || state || x'00' AS BLOB)
    FROM clv_state;
INSERT INTO clv_run (run, bytes)
    SELECT (12 << 53) + (1 << 32), sum(length(entries)) FROM clv_score
    HAVING count(*) > 0;
DELETE FROM meta WHERE name IN
    ('clv_key', 'clv_batch', 'clv_log', 'clv_as_of_ms', 'clv_is_ahead');
DROP TABLE clv_state;

PRAGMA user_version = 4;
