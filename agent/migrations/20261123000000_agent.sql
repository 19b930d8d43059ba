-- Observations that wait for their plugin; one row per plugin that reads the source.
CREATE TABLE observations (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL,
    plugin      TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    source_type TEXT    NOT NULL,
    event       TEXT    NOT NULL,
    payload     BLOB    NOT NULL,
    detected_at INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX observations_by_plugin ON observations (plugin, seq);
CREATE INDEX observations_by_age ON observations (detected_at);

-- Deliveries that a source has handed over already.
CREATE TABLE deliveries (
    source  TEXT    NOT NULL,
    key     TEXT    NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (source, key)
) STRICT, WITHOUT ROWID;

-- Where a source stands: a file's offset, the alerts a poll remembers.
CREATE TABLE source_states (
    source TEXT PRIMARY KEY NOT NULL,
    state  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Work that has its proof, as keyed hashes.
CREATE TABLE finished_work (
    key     TEXT    PRIMARY KEY NOT NULL,
    done_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The chain, signed. `position` counts from 1; everything up to `chain.delivered` is with the tracker.
CREATE TABLE proofs (
    position INTEGER PRIMARY KEY NOT NULL,
    proof_id TEXT    NOT NULL UNIQUE,
    hash     TEXT    NOT NULL,
    bytes    BLOB    NOT NULL
) STRICT;

-- What a proof's evidence_hash was made of. It never leaves this file.
CREATE TABLE evidence (
    position INTEGER PRIMARY KEY NOT NULL REFERENCES proofs (position) ON DELETE CASCADE ON UPDATE CASCADE,
    salt     BLOB    NOT NULL,
    evidence BLOB    NOT NULL
) STRICT;

CREATE TABLE chain (
    one       INTEGER PRIMARY KEY NOT NULL CHECK (one = 1),
    head      TEXT,
    delivered INTEGER NOT NULL,
    branch    INTEGER NOT NULL DEFAULT 0,
    -- The head, `null` for none, of a tracker that lost proofs: where we asked to go on. No text: we did not.
    asked_at  TEXT
) STRICT;
INSERT INTO chain (one, head, delivered) VALUES (1, NULL, 0);
