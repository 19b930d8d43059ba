-- What the federation engine remembers. Times are Unix seconds, ids are URLs.

CREATE TABLE fed_keys (
    name TEXT PRIMARY KEY,
    pem  TEXT NOT NULL
);

CREATE TABLE fed_actors (
    id              TEXT PRIMARY KEY,
    kind            TEXT NOT NULL,
    username        TEXT NOT NULL,
    account         TEXT,
    name            TEXT NOT NULL,
    page            TEXT,
    icon            TEXT,
    inbox           TEXT NOT NULL,
    shared_inbox    TEXT,
    outbox          TEXT,
    key_id          TEXT NOT NULL,
    public_key_pem  TEXT NOT NULL,
    farm_key_id     TEXT,
    farm_key        TEXT,
    offered_key_id  TEXT,
    offered_key     TEXT,
    fetched_at      BIGINT NOT NULL
);
CREATE INDEX fed_actors_by_key ON fed_actors (key_id);

CREATE TABLE fed_relations (
    local       TEXT NOT NULL,
    remote      TEXT NOT NULL,
    direction   TEXT NOT NULL,
    state       TEXT NOT NULL,
    follow_id   TEXT NOT NULL,
    remote_kind TEXT NOT NULL,
    inbox       TEXT NOT NULL,
    host        TEXT NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (local, direction, remote)
);
CREATE INDEX fed_relations_by_remote ON fed_relations (remote, direction);
CREATE INDEX fed_relations_by_follow ON fed_relations (follow_id);
CREATE INDEX fed_relations_by_host ON fed_relations (host);
CREATE INDEX fed_relations_by_inbox ON fed_relations (inbox);

CREATE TABLE fed_blocks (
    host       TEXT PRIMARY KEY,
    blocked_at BIGINT NOT NULL
);

-- What local actors sent. `spread` says whether the deliveries below have been made from it.
CREATE TABLE fed_posts (
    position  INTEGER PRIMARY KEY AUTOINCREMENT,
    id        TEXT NOT NULL UNIQUE,
    actor     TEXT NOT NULL,
    object    TEXT NOT NULL,
    audience  TEXT NOT NULL,
    listed    BOOLEAN NOT NULL,
    body      TEXT NOT NULL,
    published BIGINT NOT NULL,
    spread    BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX fed_posts_unspread ON fed_posts (position) WHERE spread = FALSE;
CREATE INDEX fed_posts_outbox ON fed_posts (actor, position) WHERE listed = TRUE;

-- The delivery log. `state` is waiting, delivered or dead.
CREATE TABLE fed_deliveries (
    position    INTEGER PRIMARY KEY AUTOINCREMENT,
    activity    TEXT NOT NULL,
    object      TEXT NOT NULL,
    inbox       TEXT NOT NULL,
    host        TEXT NOT NULL,
    appended_at BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    refusals    BIGINT NOT NULL DEFAULT 0,
    state       TEXT NOT NULL DEFAULT 'waiting',
    note        TEXT,
    settled_at  BIGINT,
    UNIQUE (activity, inbox)
);
CREATE INDEX fed_deliveries_waiting ON fed_deliveries (host, position) WHERE state = 'waiting';
CREATE INDEX fed_deliveries_order ON fed_deliveries (host, object, inbox, position) WHERE state = 'waiting';
CREATE INDEX fed_deliveries_settled ON fed_deliveries (settled_at) WHERE state <> 'waiting';

-- One row per host ever delivered to. Every delivery up to `cursor` is delivered or dead.
CREATE TABLE fed_lanes (
    host   TEXT PRIMARY KEY,
    cursor BIGINT NOT NULL,
    lane   TEXT NOT NULL
);

-- What arrived. `state` is waiting, done or dead.
CREATE TABLE fed_inbox (
    position    INTEGER PRIMARY KEY AUTOINCREMENT,
    id          TEXT NOT NULL,
    actor       TEXT NOT NULL,
    body        TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    attempts    BIGINT NOT NULL DEFAULT 0,
    state       TEXT NOT NULL DEFAULT 'waiting',
    note        TEXT,
    settled_at  BIGINT,
    UNIQUE (id, actor)
);
CREATE INDEX fed_inbox_waiting ON fed_inbox (due_at, position) WHERE state = 'waiting';
CREATE INDEX fed_inbox_settled ON fed_inbox (settled_at) WHERE state <> 'waiting';
