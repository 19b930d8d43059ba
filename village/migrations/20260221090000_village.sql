-- The village's own state. Times are whole seconds since 1970 (UTC), ids are lower-case UUIDs.

CREATE TABLE village (
    only_row    INTEGER PRIMARY KEY CHECK (only_row = 1),
    slug        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    description TEXT    NOT NULL,
    created_at  INTEGER NOT NULL
);

-- Every farmer known here, once, however many ways she is known by: as a member (membership), because
-- the village follows her (following), or because peers announce her (farmer_origin).
-- A farmer who left stays as a row without snapshots, so that nobody else can take her handle.
CREATE TABLE farmer (
    id            TEXT    PRIMARY KEY,
    actor         TEXT    NOT NULL UNIQUE,
    actor_host    TEXT    NOT NULL,
    account_name  TEXT    NOT NULL,
    account_host  TEXT    NOT NULL,
    display_name  TEXT    NOT NULL,
    tracker_url   TEXT    NOT NULL,
    farmer_key    TEXT    NOT NULL,
    page          TEXT,
    membership    TEXT    CHECK (membership IN ('pending', 'active', 'left', 'removed')),
    following     TEXT    CHECK (following IN ('pending', 'active')),
    registered_at INTEGER NOT NULL,
    -- The time written in the newest signed request of hers that was heeded; older ones are replays.
    asked_at      INTEGER,
    last_sync_at  INTEGER,
    UNIQUE (account_name, account_host)
);
CREATE INDEX farmer_by_actor_host ON farmer (actor_host);
CREATE INDEX farmer_by_account_host ON farmer (account_host);

-- Signed snapshots with their canonical bytes.
CREATE TABLE farmer_snapshot (
    farmer_id     TEXT    NOT NULL REFERENCES farmer (id) ON DELETE CASCADE,
    sequence      INTEGER NOT NULL,
    object_id     TEXT    NOT NULL,
    season        TEXT    NOT NULL,
    total_coins   INTEGER NOT NULL,
    current_coins INTEGER NOT NULL,
    streak_days   INTEGER NOT NULL,
    level         INTEGER NOT NULL,
    proofs        INTEGER NOT NULL,
    published_at  INTEGER NOT NULL,
    received_at   INTEGER NOT NULL,
    document      BLOB    NOT NULL,
    PRIMARY KEY (farmer_id, sequence)
);

-- Projection: the newest snapshot of each season of every farmer who may be shown.
CREATE TABLE board_row (
    farmer_id    TEXT    NOT NULL REFERENCES farmer (id) ON DELETE CASCADE,
    season       TEXT    NOT NULL,
    newest       INTEGER NOT NULL,
    local        INTEGER NOT NULL,
    federated    INTEGER NOT NULL,
    sequence     INTEGER NOT NULL,
    total_coins  INTEGER NOT NULL,
    streak_days  INTEGER NOT NULL,
    level        INTEGER NOT NULL,
    published_at INTEGER NOT NULL,
    PRIMARY KEY (farmer_id, season)
);
CREATE INDEX board_row_by_season ON board_row (season);

CREATE TABLE board_category (
    farmer_id TEXT    NOT NULL,
    season    TEXT    NOT NULL,
    category  TEXT    NOT NULL,
    proofs    INTEGER NOT NULL,
    coins     INTEGER NOT NULL,
    PRIMARY KEY (farmer_id, season, category),
    FOREIGN KEY (farmer_id, season) REFERENCES board_row (farmer_id, season) ON DELETE CASCADE
);

-- Other villages. `following` is our follow of theirs, `follower` theirs of ours.
CREATE TABLE federated_village (
    id           TEXT    PRIMARY KEY,
    actor        TEXT    NOT NULL UNIQUE,
    host         TEXT    NOT NULL,
    remote_url   TEXT    NOT NULL,
    remote_name  TEXT    NOT NULL,
    following    TEXT,
    follower     TEXT,
    status       TEXT    NOT NULL CHECK (status IN ('pending', 'active', 'blocked')),
    -- Made anew each time both sides have agreed: what was sent in an earlier peering is sent again.
    peering      TEXT    NOT NULL,
    changed_at   INTEGER NOT NULL,
    last_sync_at INTEGER
);
CREATE INDEX federated_village_by_host ON federated_village (host);

-- Which villages announce a farmer.
CREATE TABLE farmer_origin (
    farmer_id     TEXT    NOT NULL REFERENCES farmer (id) ON DELETE CASCADE,
    village_id    TEXT    NOT NULL REFERENCES federated_village (id) ON DELETE CASCADE,
    first_seen_at INTEGER NOT NULL,
    PRIMARY KEY (farmer_id, village_id)
);
CREATE INDEX farmer_origin_by_village ON farmer_origin (village_id);

CREATE TABLE blocked_host (
    host       TEXT    PRIMARY KEY,
    blocked_at INTEGER NOT NULL
);

-- Invite codes, hashed.
CREATE TABLE invite (
    code_hash  TEXT    PRIMARY KEY,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    uses_left  INTEGER NOT NULL
);

-- Bearer tokens, hashed.
CREATE TABLE token (
    token_hash TEXT    PRIMARY KEY,
    purpose    TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
);
