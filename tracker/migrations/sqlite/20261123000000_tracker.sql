-- The ledger is the truth. Tables below the line are projections: `rebuild` makes them anew.
CREATE TABLE ledger (
    position    INTEGER PRIMARY KEY,           -- from 1, without a gap
    kind        TEXT    NOT NULL,
    recorded_at INTEGER NOT NULL,              -- seconds since 1970-01-01T00:00:00Z, as every time here
    body        BLOB,                          -- canonical JSON; of a proof exactly the bytes received
    commitment  BLOB,                          -- of a proof whose body is archived: what the log has of it
    CHECK ((body IS NULL) = (commitment IS NOT NULL))
);

-- What is archived.
CREATE INDEX ledger_archived ON ledger (position) WHERE body IS NULL;

-- By which rules an entry was scored.
CREATE INDEX ledger_rules ON ledger (position) WHERE kind = 'rules_adopted';

-- Projections -------------------------------------------------------------------------------------

-- The transparency log's head and right edge. Every commit to the ledger names the size and the root
-- that it extends, so two writers, or one that was mistaken, never make two logs of one.
CREATE TABLE ledger_head (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    size   INTEGER NOT NULL,
    root   BLOB    NOT NULL,
    bundle BLOB    NOT NULL,                   -- the entry bundle that is not full
    rows   BLOB    NOT NULL                    -- the tiles above the leaves that are not full, lowest first
);

-- The log's full files, as they are served. The tiles of leaves are the hashes of the bundles.
CREATE TABLE tile (
    level INTEGER NOT NULL,                    -- -1 for entry bundles
    idx   INTEGER NOT NULL,
    body  BLOB    NOT NULL,
    PRIMARY KEY (level, idx)
);

CREATE TABLE proof_chain (
    position       INTEGER PRIMARY KEY,        -- the bytes are the ledger's body at this position
    proof_id       BLOB    NOT NULL,           -- unique within its chain
    agent_id       BLOB    NOT NULL,
    follows        BLOB    NOT NULL,           -- the previous proof; a first proof follows its agent,
                                               -- so that two first proofs collide like any fork
    branch         INTEGER NOT NULL,           -- of its agent's chain, from 0
    chain_length   INTEGER NOT NULL,
    hash           BLOB    NOT NULL,
    finished_at    INTEGER NOT NULL,
    action_type    TEXT    NOT NULL,
    category       TEXT    NOT NULL,
    coins_awarded  INTEGER NOT NULL,
    scoring_detail TEXT    NOT NULL,
    league_coins   TEXT,                       -- what it earned in leagues, as JSON
    day            TEXT,                       -- the farmer's, as the calendar was then
    earns          INTEGER NOT NULL,           -- 1 for a verified success
    counts         INTEGER NOT NULL            -- 0 once its agent was revoked from an earlier proof on
);
CREATE UNIQUE INDEX proof_chain_id ON proof_chain (proof_id, agent_id);
CREATE UNIQUE INDEX proof_chain_one_successor ON proof_chain (agent_id, branch, follows);
CREATE INDEX proof_chain_by_agent ON proof_chain (agent_id, position);

CREATE TABLE agent_trust (
    agent_id        BLOB    PRIMARY KEY,
    public_key      TEXT    NOT NULL,
    former_keys     TEXT    NOT NULL,          -- the keys that signed before, as a JSON list
    cluster_alias   TEXT    NOT NULL,
    status          TEXT    NOT NULL,          -- pending, active, revoked
    enrolled_at     INTEGER NOT NULL,
    approved_at     INTEGER,
    revoked_at      INTEGER,
    last_good_proof BLOB,
    branch          INTEGER NOT NULL,          -- the one that its chain grows on
    head            TEXT,                      -- where that branch ends, as JSON
    highest_proof   BLOB,                      -- the highest id in the chain
    proofs          INTEGER NOT NULL           -- accepted, over all branches
);

CREATE TABLE farm (
    id              INTEGER PRIMARY KEY CHECK (id = 1),
    profile         TEXT    NOT NULL,          -- who, where and which days, as JSON
    rules_digest    BLOB    NOT NULL,
    total_coins     INTEGER NOT NULL,
    spent_coins     INTEGER NOT NULL,
    composites      INTEGER NOT NULL,          -- how many were earned and count
    streak_days     INTEGER NOT NULL,
    streak_last_day TEXT,
    streak_longest  INTEGER NOT NULL,
    freezes_used    INTEGER NOT NULL,
    recharged_days  INTEGER NOT NULL,          -- with work, since a freeze was used or came back
    last_active     INTEGER,
    public_position INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
);

CREATE TABLE rule_set (
    digest BLOB PRIMARY KEY,
    body   BLOB NOT NULL
);

CREATE TABLE farm_upgrade (
    upgrade_slug TEXT    PRIMARY KEY,
    level        INTEGER NOT NULL,
    purchased_at INTEGER NOT NULL
);

CREATE TABLE purchase (
    position        INTEGER PRIMARY KEY,
    idempotency_key BLOB    NOT NULL UNIQUE,   -- SHA-256 of the key that the buyer gave
    item            TEXT    NOT NULL,
    level           INTEGER NOT NULL,
    price           INTEGER NOT NULL,
    purchased_at    INTEGER NOT NULL
);

CREATE TABLE rest_day (
    day TEXT PRIMARY KEY
);

CREATE TABLE agent_outage (
    position INTEGER PRIMARY KEY,
    agent_id BLOB    NOT NULL,
    began_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL
);

CREATE TABLE league (
    league       TEXT    PRIMARY KEY,
    name         TEXT    NOT NULL,
    village      TEXT,
    rules_digest BLOB    NOT NULL,
    joined_at    INTEGER NOT NULL,
    left_at      INTEGER
);

-- What its daily cap is held against.
CREATE TABLE league_day (
    league TEXT    NOT NULL,
    day    TEXT    NOT NULL,                   -- in the farmer's time zone
    coins  INTEGER NOT NULL,
    PRIMARY KEY (league, day)
);

CREATE TABLE league_season (
    league TEXT    NOT NULL,
    season TEXT    NOT NULL,
    coins  INTEGER NOT NULL,
    PRIMARY KEY (league, season)
);

-- Proofs that may become parts of a composite.
CREATE TABLE composing (
    slug       TEXT PRIMARY KEY,
    candidates TEXT NOT NULL                   -- as a JSON list, by time
);

CREATE TABLE composite (
    position    INTEGER PRIMARY KEY,
    slug        TEXT    NOT NULL,
    day         TEXT    NOT NULL,
    coins       INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    counts      INTEGER NOT NULL               -- 0 once one of its parts does not count
);

CREATE TABLE composite_part (
    position INTEGER NOT NULL,
    step     INTEGER NOT NULL,                 -- from 0
    agent_id BLOB    NOT NULL,
    proof_id BLOB    NOT NULL,
    PRIMARY KEY (position, step)
);
CREATE INDEX composite_part_of ON composite_part (agent_id, proof_id);

CREATE TABLE category_stats (
    category      TEXT    PRIMARY KEY,
    total_proofs  INTEGER NOT NULL,
    total_coins   INTEGER NOT NULL,
    last_proof_at INTEGER
);

CREATE TABLE day_stats (
    day          TEXT    PRIMARY KEY,          -- in the farmer's time zone
    total_proofs INTEGER NOT NULL,
    total_coins  INTEGER NOT NULL
);

CREATE TABLE hour_activity (
    hour        INTEGER NOT NULL,              -- UTC hours since 1970
    plugin      TEXT    NOT NULL,
    action_type TEXT    NOT NULL,
    proofs      INTEGER NOT NULL,
    PRIMARY KEY (hour, plugin, action_type)
);

CREATE TABLE fork_evidence (
    position    INTEGER PRIMARY KEY,           -- the refused proof is in the ledger's body
    agent_id    BLOB    NOT NULL,
    follows     BLOB    NOT NULL,
    kept        BLOB    NOT NULL,
    recorded_at INTEGER NOT NULL,
    UNIQUE (agent_id, follows)
);

-- Not projections: what waits for the owner, what was said to the world, and secrets ---------------

CREATE TABLE proof_buffer (
    agent_id     BLOB    NOT NULL,
    chain_length INTEGER NOT NULL,
    proof_id     BLOB    NOT NULL,
    follows      BLOB    NOT NULL,
    hash         BLOB    NOT NULL,
    finished_at  INTEGER NOT NULL,
    received_at  INTEGER NOT NULL,
    body         BLOB    NOT NULL,
    PRIMARY KEY (agent_id, chain_length),
    UNIQUE (agent_id, proof_id),
    UNIQUE (agent_id, follows)
);

-- What agents asked for that lost proofs; one for each, until the owner answers.
CREATE TABLE chain_reset_request (
    agent_id      BLOB    PRIMARY KEY,
    resumes_after BLOB,
    received_at   INTEGER NOT NULL,
    body          BLOB    NOT NULL             -- signed by the agent
);

-- When an agent was last heard of, to within a few minutes.
CREATE TABLE agent_contact (
    agent_id BLOB    PRIMARY KEY,
    heard_at INTEGER NOT NULL
);

-- A sequence number is used once: the row is written with the deliveries, in one transaction.
CREATE TABLE publication (
    sequence        INTEGER PRIMARY KEY,
    object_id       TEXT    NOT NULL UNIQUE,
    ledger_position INTEGER NOT NULL,
    published_at    INTEGER NOT NULL,
    document        BLOB    NOT NULL
);

-- The heads that were signed, each for what was durable by then.
CREATE TABLE checkpoint (
    size      INTEGER PRIMARY KEY,
    root      BLOB    NOT NULL,
    note      TEXT    NOT NULL,                -- a C2SP signed note, as it is served
    signed_at INTEGER NOT NULL
);

-- Weekly cards and milestones, by a key of ours, as they were last sent.
CREATE TABLE notice (
    notice_key   TEXT    PRIMARY KEY,
    object_id    TEXT    NOT NULL UNIQUE,
    revision     INTEGER NOT NULL,
    published_at INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    document     BLOB    NOT NULL
);

CREATE TABLE village (
    url       TEXT    PRIMARY KEY,
    actor     TEXT    NOT NULL,
    account   TEXT    NOT NULL,
    status    TEXT    NOT NULL,                -- pending, active
    home      INTEGER NOT NULL,
    joined_at INTEGER NOT NULL
);

CREATE TABLE secret (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
);

-- The token that may do everything, and how often the owner has ended all sessions.
CREATE TABLE owner_token (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    hash       TEXT    NOT NULL,               -- SHA-256 of the token; the token itself is nowhere
    created_at INTEGER NOT NULL,
    sessions   INTEGER NOT NULL
);

-- Tokens that the owner made: each may do some things, for some time.
CREATE TABLE api_token (
    id         TEXT    PRIMARY KEY,
    label      TEXT    NOT NULL UNIQUE,
    hash       TEXT    NOT NULL,
    scopes     TEXT    NOT NULL,               -- separated by spaces
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used  INTEGER                         -- to within five minutes
);

-- Where the owner put things: an Automerge document, which devices edit apart. The ledger does not know it.
CREATE TABLE layout (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    document BLOB    NOT NULL
);
