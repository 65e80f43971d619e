-- Value models that were fitted, by name: the JSON text of cj_clv_to_json.
CREATE TABLE clv (
    clv     INTEGER PRIMARY KEY AUTOINCREMENT,
    name    TEXT NOT NULL,
    model   TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    source  TEXT NOT NULL
);
CREATE UNIQUE INDEX clv_name ON clv (name);

-- What is known of each profile with an order or refund, for the next refresh of scores.
CREATE TABLE clv_state (
    profile INTEGER PRIMARY KEY,
    state   BLOB NOT NULL
);

PRAGMA user_version = 3;
