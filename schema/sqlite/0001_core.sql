-- The core: users, conversations, memberships, messages, and the outbox of changes to push. A user
-- name is the key of its user and never changes. Rows refer to users by name, so reading a message
-- or a list of members needs no join.

-- The identity and the counters of this database. One row.
CREATE TABLE instance (
    only_row        INTEGER PRIMARY KEY CHECK (only_row = 1),
    epoch           TEXT    NOT NULL,   -- identity of this database: 32 hex digits, random
    tick            INTEGER NOT NULL,   -- timestamp of the last write transaction, UNIX ms; never goes back
    last_message_id INTEGER NOT NULL,   -- highest message.id ever given; ids are never reused
    last_change     INTEGER NOT NULL    -- highest outbox.id ever given; ids are never reused
);
INSERT INTO instance (only_row, epoch, tick, last_message_id, last_change)
VALUES (1, lower(hex(randomblob(16))), 0, 0, 0);

CREATE TABLE account (
    name            TEXT    NOT NULL PRIMARY KEY,  -- [A-Za-z0-9_]{1,20}, case-sensitive
    created_at      INTEGER NOT NULL               -- tick, UNIX ms
) WITHOUT ROWID;

CREATE TABLE conversation (
    id              INTEGER PRIMARY KEY CHECK (id < 2147483648),  -- fits into message.place
    type            TEXT    NOT NULL CHECK (type IN ('private_chat', 'group_chat')),
    pair_low        TEXT    REFERENCES account (name),  -- the pair of a private chat, in byte order;
    pair_high       TEXT    REFERENCES account (name),  -- both NULL in a group
    created_at      INTEGER NOT NULL,   -- tick, UNIX ms
    updated_at      INTEGER NOT NULL,   -- tick of the last change that all members see, UNIX ms
    last_seq        INTEGER NOT NULL CHECK (last_seq < 4294967296),  -- seq of the newest message; 0: none
    version         INTEGER NOT NULL,   -- number of changes so far; the creation is the first
    CHECK ((type = 'private_chat') = (pair_low IS NOT NULL)),
    CHECK ((type = 'private_chat') = (pair_high IS NOT NULL)),
    CHECK (pair_low < pair_high)
);
-- One private chat for each pair, under any concurrency.
CREATE UNIQUE INDEX conversation_pair ON conversation (pair_low, pair_high) WHERE pair_low IS NOT NULL;

-- One row for each stay of a user in a conversation. The user received the messages with joined_seq
-- < seq <= left_seq, and the pushes with joined_version <= version <= left_version.
CREATE TABLE membership (
    conversation    INTEGER NOT NULL REFERENCES conversation (id),
    username        TEXT    NOT NULL REFERENCES account (name),
    joined_version  INTEGER NOT NULL,   -- conversation.version that the joining made
    joined_seq      INTEGER NOT NULL,   -- conversation.last_seq at joining
    left_version    INTEGER,            -- conversation.version that the leaving made; NULL: still a member
    left_seq        INTEGER,            -- conversation.last_seq at leaving; NULL: still a member
    PRIMARY KEY (conversation, username, joined_version),
    CHECK ((left_version IS NULL) = (left_seq IS NULL))
) WITHOUT ROWID;
CREATE INDEX membership_username ON membership (username, conversation, joined_version, joined_seq, left_seq);

-- Keyed by place: the messages of a conversation are adjacent, so a page is one short range. The
-- key is one integer, so the upper levels of the tree hold only keys and stay in a small cache.
CREATE TABLE message (
    place           INTEGER PRIMARY KEY,  -- conversation * 2^32 + seq
    id              INTEGER NOT NULL,   -- unique in this database, growing with time
    sender          TEXT    NOT NULL REFERENCES account (name),
    timestamp       INTEGER NOT NULL,   -- tick of the transaction that stored it, UNIX ms; grows with seq and id
    content         TEXT    NOT NULL,
    conversation    INTEGER GENERATED ALWAYS AS (place >> 32) VIRTUAL,         -- for readers of the database; not stored
    seq             INTEGER GENERATED ALWAYS AS (place & 4294967295) VIRTUAL   -- 1, 2, 3 … in each conversation, no holes
);
-- By id, which is also by time: walking back through the newest messages of all conversations reads
-- only this index.
CREATE UNIQUE INDEX message_id ON message (id, timestamp);

-- Changes that are committed and perhaps not pushed yet, in order. Only ids are stored: a push
-- frame is rendered when it is sent.
CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY,
    event           TEXT    NOT NULL,   -- name of the event in the push frame
    conversation    INTEGER NOT NULL,
    version         INTEGER NOT NULL,   -- conversation.version that the change made
    tick            INTEGER NOT NULL,   -- when, UNIX ms
    seq             INTEGER,            -- message.seq if the event is about a message
    username        TEXT                -- the user who joined or left
);
