-- What is kept of raw work data is sealed. The rows that an earlier version wrote in clear stay under another
-- name until the program has sealed them; then it drops these tables (`store/scrub.rs`).
DROP INDEX observations_by_plugin;
DROP INDEX observations_by_age;
ALTER TABLE observations RENAME TO clear_observations;
ALTER TABLE evidence RENAME TO clear_evidence;
ALTER TABLE source_states RENAME TO clear_source_states;

-- Observations that wait for their plugin; one row per plugin that reads the source.
CREATE TABLE observations (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT    NOT NULL,
    plugin      TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    source_type TEXT    NOT NULL,
    detected_at INTEGER NOT NULL,
    attempts    INTEGER NOT NULL DEFAULT 0,
    -- Event and payload.
    sealed      BLOB    NOT NULL
) STRICT;
CREATE INDEX observations_by_plugin ON observations (plugin, seq);
CREATE INDEX observations_by_age ON observations (detected_at);

-- Where a source stands: a file's offset, the alerts a poll remembers.
CREATE TABLE source_states (
    source TEXT PRIMARY KEY NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What a proof's evidence_hash was made of, and the observation behind it. It never leaves this file.
CREATE TABLE evidence (
    proof_id    TEXT    PRIMARY KEY NOT NULL REFERENCES proofs (proof_id) ON DELETE CASCADE,
    kept_at     INTEGER NOT NULL,
    -- Salt, evidence, and which observation it was.
    sealed      BLOB    NOT NULL,
    -- As it stood in `observations`.
    observation BLOB
) STRICT;
CREATE INDEX evidence_by_age ON evidence (kept_at);

-- The public key that a proof verifies with; null for those of an earlier version.
ALTER TABLE proofs ADD COLUMN signer TEXT;

-- How much is kept.
CREATE TABLE levels (
    kind  TEXT    PRIMARY KEY NOT NULL,
    count INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO levels (kind, count, bytes) VALUES ('observations', 0, 0), ('evidence', 0, 0);

CREATE TRIGGER observations_come AFTER INSERT ON observations BEGIN
    UPDATE levels SET count = count + 1, bytes = bytes + length(new.sealed) WHERE kind = 'observations';
END;
CREATE TRIGGER observations_go AFTER DELETE ON observations BEGIN
    UPDATE levels SET count = count - 1, bytes = bytes - length(old.sealed) WHERE kind = 'observations';
END;
CREATE TRIGGER evidence_comes AFTER INSERT ON evidence BEGIN
    UPDATE levels SET count = count + 1, bytes = bytes + length(new.sealed) + ifnull(length(new.observation), 0)
    WHERE kind = 'evidence';
END;
CREATE TRIGGER evidence_goes AFTER DELETE ON evidence BEGIN
    UPDATE levels SET count = count - 1, bytes = bytes - length(old.sealed) - ifnull(length(old.observation), 0)
    WHERE kind = 'evidence';
END;
