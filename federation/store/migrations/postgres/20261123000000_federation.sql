-- What the federation engine remembers. Times are Unix seconds, ids are URLs. Text is compared byte by
-- byte, as SQLite does.

CREATE TABLE fed_keys (
    name TEXT COLLATE "C" PRIMARY KEY,
    pem  TEXT COLLATE "C" NOT NULL
);

CREATE TABLE fed_actors (
    id              TEXT COLLATE "C" PRIMARY KEY,
    kind            TEXT COLLATE "C" NOT NULL,
    username        TEXT COLLATE "C" NOT NULL,
    account         TEXT COLLATE "C",
    name            TEXT COLLATE "C" NOT NULL,
    page            TEXT COLLATE "C",
    icon            TEXT COLLATE "C",
    inbox           TEXT COLLATE "C" NOT NULL,
    shared_inbox    TEXT COLLATE "C",
    outbox          TEXT COLLATE "C",
    key_id          TEXT COLLATE "C" NOT NULL,
    public_key_pem  TEXT COLLATE "C" NOT NULL,
    farm_key_id     TEXT COLLATE "C",
    farm_key        TEXT COLLATE "C",
    offered_key_id  TEXT COLLATE "C",
    offered_key     TEXT COLLATE "C",
    fetched_at      BIGINT NOT NULL
);
CREATE INDEX fed_actors_by_key ON fed_actors (key_id);

CREATE TABLE fed_relations (
    local       TEXT COLLATE "C" NOT NULL,
    remote      TEXT COLLATE "C" NOT NULL,
    direction   TEXT COLLATE "C" NOT NULL,
    state       TEXT COLLATE "C" NOT NULL,
    follow_id   TEXT COLLATE "C" NOT NULL,
    remote_kind TEXT COLLATE "C" NOT NULL,
    inbox       TEXT COLLATE "C" NOT NULL,
    host        TEXT COLLATE "C" NOT NULL,
    changed_at  BIGINT NOT NULL,
    PRIMARY KEY (local, direction, remote)
);
CREATE INDEX fed_relations_by_remote ON fed_relations (remote, direction);
CREATE INDEX fed_relations_by_follow ON fed_relations (follow_id);
CREATE INDEX fed_relations_by_host ON fed_relations (host);
CREATE INDEX fed_relations_by_inbox ON fed_relations (inbox);

CREATE TABLE fed_blocks (
    host       TEXT COLLATE "C" PRIMARY KEY,
    blocked_at BIGINT NOT NULL
);

-- What local actors sent. `spread` says whether the deliveries below have been made from it.
CREATE TABLE fed_posts (
    position  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id        TEXT COLLATE "C" NOT NULL UNIQUE,
    actor     TEXT COLLATE "C" NOT NULL,
    object    TEXT COLLATE "C" NOT NULL,
    audience  TEXT COLLATE "C" NOT NULL,
    listed    BOOLEAN NOT NULL,
    body      TEXT COLLATE "C" NOT NULL,
    published BIGINT NOT NULL,
    spread    BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX fed_posts_unspread ON fed_posts (position) WHERE spread = FALSE;
CREATE INDEX fed_posts_outbox ON fed_posts (actor, position) WHERE listed = TRUE;

-- The delivery log. `state` is waiting, delivered or dead.
CREATE TABLE fed_deliveries (
    position    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    activity    TEXT COLLATE "C" NOT NULL,
    object      TEXT COLLATE "C" NOT NULL,
    inbox       TEXT COLLATE "C" NOT NULL,
    host        TEXT COLLATE "C" NOT NULL,
    appended_at BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    refusals    BIGINT NOT NULL DEFAULT 0,
    state       TEXT COLLATE "C" NOT NULL DEFAULT 'waiting',
    note        TEXT COLLATE "C",
    settled_at  BIGINT,
    UNIQUE (activity, inbox)
);
CREATE INDEX fed_deliveries_waiting ON fed_deliveries (host, position) WHERE state = 'waiting';
CREATE INDEX fed_deliveries_order ON fed_deliveries (host, object, inbox, position) WHERE state = 'waiting';
CREATE INDEX fed_deliveries_settled ON fed_deliveries (settled_at) WHERE state <> 'waiting';

-- One row per host ever delivered to. Every delivery up to `cursor` is delivered or dead.
CREATE TABLE fed_lanes (
    host   TEXT COLLATE "C" PRIMARY KEY,
    cursor BIGINT NOT NULL,
    lane   TEXT COLLATE "C" NOT NULL
);

-- What arrived. `state` is waiting, done or dead.
CREATE TABLE fed_inbox (
    position    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          TEXT COLLATE "C" NOT NULL,
    actor       TEXT COLLATE "C" NOT NULL,
    body        TEXT COLLATE "C" NOT NULL,
    received_at BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    attempts    BIGINT NOT NULL DEFAULT 0,
    state       TEXT COLLATE "C" NOT NULL DEFAULT 'waiting',
    note        TEXT COLLATE "C",
    settled_at  BIGINT,
    UNIQUE (id, actor)
);
CREATE INDEX fed_inbox_waiting ON fed_inbox (due_at, position) WHERE state = 'waiting';
CREATE INDEX fed_inbox_settled ON fed_inbox (settled_at) WHERE state <> 'waiting';
