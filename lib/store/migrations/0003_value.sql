-- Value models that were fitted, by name: the JSON text of cj_clv_to_json.
CREATE TABLE clv (
    clv     INTEGER PRIMARY KEY AUTOINCREMENT,
    name    TEXT NOT NULL,
    model   TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    source  TEXT NOT NULL
);
CREATE UNIQUE INDEX clv_name ON clv (name);

PRAGMA user_version = 3;
