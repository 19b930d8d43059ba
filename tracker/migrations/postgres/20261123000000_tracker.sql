-- The SQLite tables, column by column; what each is for stands there. Text is compared byte by byte, as
-- SQLite does.

-- The ledger is the truth. Tables below the line are projections: `rebuild` makes them anew.
CREATE TABLE ledger (
    position    BIGINT PRIMARY KEY,
    kind        TEXT COLLATE "C" NOT NULL,
    recorded_at BIGINT NOT NULL,
    body        BYTEA,
    commitment  BYTEA,
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
    id     BIGINT PRIMARY KEY CHECK (id = 1),
    size   BIGINT NOT NULL,
    root   BYTEA NOT NULL,
    bundle BYTEA NOT NULL,
    rows   BYTEA NOT NULL
);

-- The log's full files, as they are served. The tiles of leaves are the hashes of the bundles.
CREATE TABLE tile (
    level BIGINT NOT NULL,
    idx   BIGINT NOT NULL,
    body  BYTEA NOT NULL,
    PRIMARY KEY (level, idx)
);

CREATE TABLE proof_chain (
    position       BIGINT PRIMARY KEY,
    proof_id       UUID NOT NULL,
    agent_id       UUID NOT NULL,
    follows        UUID NOT NULL,
    branch         BIGINT NOT NULL,
    chain_length   BIGINT NOT NULL,
    hash           BYTEA NOT NULL,
    finished_at    BIGINT NOT NULL,
    action_type    TEXT COLLATE "C" NOT NULL,
    category       TEXT COLLATE "C" NOT NULL,
    coins_awarded  BIGINT NOT NULL,
    scoring_detail TEXT COLLATE "C" NOT NULL,
    league_coins   TEXT COLLATE "C",
    day            TEXT COLLATE "C",
    earns          BIGINT NOT NULL,
    counts         BIGINT NOT NULL
);
CREATE UNIQUE INDEX proof_chain_id ON proof_chain (proof_id, agent_id);
CREATE UNIQUE INDEX proof_chain_one_successor ON proof_chain (agent_id, branch, follows);
CREATE INDEX proof_chain_by_agent ON proof_chain (agent_id, position);

CREATE TABLE agent_trust (
    agent_id        UUID PRIMARY KEY,
    public_key      TEXT COLLATE "C" NOT NULL,
    former_keys     TEXT COLLATE "C" NOT NULL,
    cluster_alias   TEXT COLLATE "C" NOT NULL,
    status          TEXT COLLATE "C" NOT NULL,
    enrolled_at     BIGINT NOT NULL,
    approved_at     BIGINT,
    revoked_at      BIGINT,
    last_good_proof UUID,
    branch          BIGINT NOT NULL,
    head            TEXT COLLATE "C",
    highest_proof   UUID,
    proofs          BIGINT NOT NULL
);

CREATE TABLE farm (
    id              BIGINT PRIMARY KEY CHECK (id = 1),
    profile         TEXT COLLATE "C" NOT NULL,
    rules_digest    BYTEA NOT NULL,
    total_coins     BIGINT NOT NULL,
    spent_coins     BIGINT NOT NULL,
    composites      BIGINT NOT NULL,
    streak_days     BIGINT NOT NULL,
    streak_last_day TEXT COLLATE "C",
    streak_longest  BIGINT NOT NULL,
    freezes_used    BIGINT NOT NULL,
    recharged_days  BIGINT NOT NULL,
    last_active     BIGINT,
    public_position BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL
);

CREATE TABLE rule_set (
    digest BYTEA PRIMARY KEY,
    body   BYTEA NOT NULL
);

CREATE TABLE farm_upgrade (
    upgrade_slug TEXT COLLATE "C" PRIMARY KEY,
    level        BIGINT NOT NULL,
    purchased_at BIGINT NOT NULL
);

CREATE TABLE purchase (
    position        BIGINT PRIMARY KEY,
    idempotency_key BYTEA NOT NULL UNIQUE,
    item            TEXT COLLATE "C" NOT NULL,
    level           BIGINT NOT NULL,
    price           BIGINT NOT NULL,
    purchased_at    BIGINT NOT NULL
);

CREATE TABLE rest_day (
    day TEXT COLLATE "C" PRIMARY KEY
);

CREATE TABLE agent_outage (
    position BIGINT PRIMARY KEY,
    agent_id UUID NOT NULL,
    began_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL
);

CREATE TABLE league (
    league       TEXT COLLATE "C" PRIMARY KEY,
    name         TEXT COLLATE "C" NOT NULL,
    village      TEXT COLLATE "C",
    rules_digest BYTEA NOT NULL,
    joined_at    BIGINT NOT NULL,
    left_at      BIGINT
);

-- What its daily cap is held against.
CREATE TABLE league_day (
    league TEXT COLLATE "C" NOT NULL,
    day    TEXT COLLATE "C" NOT NULL,
    coins  BIGINT NOT NULL,
    PRIMARY KEY (league, day)
);

CREATE TABLE league_season (
    league TEXT COLLATE "C" NOT NULL,
    season TEXT COLLATE "C" NOT NULL,
    coins  BIGINT NOT NULL,
    PRIMARY KEY (league, season)
);

-- Proofs that may become parts of a composite.
CREATE TABLE composing (
    slug       TEXT COLLATE "C" PRIMARY KEY,
    candidates TEXT COLLATE "C" NOT NULL
);

CREATE TABLE composite (
    position    BIGINT PRIMARY KEY,
    slug        TEXT COLLATE "C" NOT NULL,
    day         TEXT COLLATE "C" NOT NULL,
    coins       BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    counts      BIGINT NOT NULL
);

CREATE TABLE composite_part (
    position BIGINT NOT NULL,
    step     BIGINT NOT NULL,
    agent_id UUID NOT NULL,
    proof_id UUID NOT NULL,
    PRIMARY KEY (position, step)
);
CREATE INDEX composite_part_of ON composite_part (agent_id, proof_id);

CREATE TABLE category_stats (
    category      TEXT COLLATE "C" PRIMARY KEY,
    total_proofs  BIGINT NOT NULL,
    total_coins   BIGINT NOT NULL,
    last_proof_at BIGINT
);

CREATE TABLE day_stats (
    day          TEXT COLLATE "C" PRIMARY KEY,
    total_proofs BIGINT NOT NULL,
    total_coins  BIGINT NOT NULL
);

CREATE TABLE hour_activity (
    hour        BIGINT NOT NULL,
    plugin      TEXT COLLATE "C" NOT NULL,
    action_type TEXT COLLATE "C" NOT NULL,
    proofs      BIGINT NOT NULL,
    PRIMARY KEY (hour, plugin, action_type)
);

CREATE TABLE fork_evidence (
    position    BIGINT PRIMARY KEY,
    agent_id    UUID NOT NULL,
    follows     UUID NOT NULL,
    kept        UUID NOT NULL,
    recorded_at BIGINT NOT NULL,
    UNIQUE (agent_id, follows)
);

-- Not projections: what waits for the owner, what was said to the world, and secrets ---------------

CREATE TABLE proof_buffer (
    agent_id     UUID NOT NULL,
    chain_length BIGINT NOT NULL,
    proof_id     UUID NOT NULL,
    follows      UUID NOT NULL,
    hash         BYTEA NOT NULL,
    finished_at  BIGINT NOT NULL,
    received_at  BIGINT NOT NULL,
    body         BYTEA NOT NULL,
    PRIMARY KEY (agent_id, chain_length),
    UNIQUE (agent_id, proof_id),
    UNIQUE (agent_id, follows)
);

-- What agents asked for that lost proofs; one for each, until the owner answers.
CREATE TABLE chain_reset_request (
    agent_id      UUID PRIMARY KEY,
    resumes_after UUID,
    received_at   BIGINT NOT NULL,
    body          BYTEA NOT NULL
);

-- When an agent was last heard of, to within a few minutes.
CREATE TABLE agent_contact (
    agent_id UUID PRIMARY KEY,
    heard_at BIGINT NOT NULL
);

-- A sequence number is used once: the row is written with the deliveries, in one transaction.
CREATE TABLE publication (
    sequence        BIGINT PRIMARY KEY,
    object_id       TEXT COLLATE "C" NOT NULL UNIQUE,
    ledger_position BIGINT NOT NULL,
    published_at    BIGINT NOT NULL,
    document        BYTEA NOT NULL
);

-- The heads that were signed, each for what was durable by then.
CREATE TABLE checkpoint (
    size      BIGINT PRIMARY KEY,
    root      BYTEA NOT NULL,
    note      TEXT COLLATE "C" NOT NULL,
    signed_at BIGINT NOT NULL
);

-- Weekly cards and milestones, by a key of ours, as they were last sent.
CREATE TABLE notice (
    notice_key   TEXT COLLATE "C" PRIMARY KEY,
    object_id    TEXT COLLATE "C" NOT NULL UNIQUE,
    revision     BIGINT NOT NULL,
    published_at BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    document     BYTEA NOT NULL
);

CREATE TABLE village (
    url       TEXT COLLATE "C" PRIMARY KEY,
    actor     TEXT COLLATE "C" NOT NULL,
    account   TEXT COLLATE "C" NOT NULL,
    status    TEXT COLLATE "C" NOT NULL,
    home      BOOLEAN NOT NULL,
    joined_at BIGINT NOT NULL
);

CREATE TABLE secret (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value BYTEA NOT NULL
);

-- The token that may do everything, and how often the owner has ended all sessions.
CREATE TABLE owner_token (
    id         BIGINT PRIMARY KEY CHECK (id = 1),
    hash       TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    sessions   BIGINT NOT NULL
);

-- Tokens that the owner made: each may do some things, for some time.
CREATE TABLE api_token (
    id         TEXT COLLATE "C" PRIMARY KEY,
    label      TEXT COLLATE "C" NOT NULL UNIQUE,
    hash       TEXT COLLATE "C" NOT NULL,
    scopes     TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used  BIGINT
);

-- Where the owner put things: an Automerge document, which devices edit apart. The ledger does not know it.
CREATE TABLE layout (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    document BYTEA NOT NULL
);
