-- What is watched in clusters. Objects are not kept, only which there are and the declared fields of each.

-- One watch of one resource; without a version it begins with a list.
CREATE TABLE kubernetes_watches (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    source           TEXT    NOT NULL,
    resource         TEXT    NOT NULL,
    namespace        TEXT    NOT NULL, -- empty: all of them
    resource_version TEXT,
    epoch            INTEGER NOT NULL DEFAULT 0, -- counts lists
    seen_at          INTEGER NOT NULL,
    UNIQUE (source, resource, namespace)
) STRICT;

-- What a plugin reads of a watch. While it is absent its states fall behind.
CREATE TABLE kubernetes_subscriptions (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    watch        INTEGER NOT NULL REFERENCES kubernetes_watches (id) ON DELETE CASCADE,
    plugin       TEXT    NOT NULL,
    fields       TEXT    NOT NULL, -- digest of the declared paths
    absent_since INTEGER,
    UNIQUE (watch, plugin)
) STRICT;

CREATE TABLE kubernetes_objects (
    watch       INTEGER NOT NULL REFERENCES kubernetes_watches (id) ON DELETE CASCADE,
    uid         TEXT    NOT NULL,
    epoch       INTEGER NOT NULL, -- the list in or after which it was seen last
    sealed      BLOB    NOT NULL, -- name and namespace
    api_version TEXT    NOT NULL,
    created     INTEGER NOT NULL,
    PRIMARY KEY (watch, uid)
) STRICT, WITHOUT ROWID;

-- The values that count, and others that may yet be undone.
CREATE TABLE kubernetes_states (
    subscription    INTEGER NOT NULL REFERENCES kubernetes_subscriptions (id) ON DELETE CASCADE,
    uid             TEXT    NOT NULL,
    watch           INTEGER NOT NULL,
    fields          BLOB    NOT NULL, -- sealed, as is the candidate
    since           INTEGER NOT NULL,
    candidate       BLOB,
    candidate_since INTEGER,
    due_at          INTEGER,
    PRIMARY KEY (watch, uid, subscription),
    FOREIGN KEY (watch, uid) REFERENCES kubernetes_objects (watch, uid) ON DELETE CASCADE
) STRICT;
CREATE INDEX kubernetes_states_due ON kubernetes_states (watch, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX kubernetes_states_of ON kubernetes_states (subscription);
