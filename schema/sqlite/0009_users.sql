-- Users become numbers. A user's name stands in account, and every other table refers to the user
-- by account.id. So a row costs the same however long names are, and neither a rename nor the
-- erasure of a name touches a message, a read marker, an idempotency key or a change.
--
-- Two tables keep a copy of the name, because a page of members and the names under a reaction are
-- read in byte order of names, from an index, in steps that do not grow with the group:
-- - membership.username, in a user's last stay in each conversation;
-- - reaction.username, in sets with more than a few rows (REACTION_ROWS_FEW). A smaller set is
--   sorted when it is read. The trigger account_renamed keeps the copies true, so a rename is one
--   UPDATE of account.

DROP INDEX conversation_pair;
DROP INDEX membership_version;
DROP INDEX membership_standing;
DROP INDEX membership_oldest;
DROP INDEX membership_present;
DROP INDEX membership_gone;
DROP INDEX membership_since;
DROP INDEX membership_past;
DROP INDEX membership_owner;
DROP INDEX read_marker_moved;
DROP INDEX message_id;
DROP INDEX message_client_id;
DROP INDEX message_changed;
DROP INDEX reaction_set_place;
DROP INDEX reaction_set_cleared;
ALTER TABLE account RENAME TO old_account;
ALTER TABLE conversation RENAME TO old_conversation;
ALTER TABLE membership RENAME TO old_membership;
ALTER TABLE read_marker RENAME TO old_read_marker;
ALTER TABLE message RENAME TO old_message;
ALTER TABLE creation_key RENAME TO old_creation_key;
ALTER TABLE reaction_set RENAME TO old_reaction_set;
ALTER TABLE reaction RENAME TO old_reaction;
ALTER TABLE outbox RENAME TO old_outbox;

CREATE TABLE account (
    id              INTEGER PRIMARY KEY,           -- 1, 2, 3 …
    name            TEXT    NOT NULL UNIQUE,       -- [A-Za-z0-9_]{1,20}, case-sensitive
    created_at      INTEGER NOT NULL               -- tick, UNIX ms
);
INSERT INTO account (name, created_at) SELECT name, created_at FROM old_account ORDER BY created_at, name;

CREATE TABLE conversation (
    id              INTEGER PRIMARY KEY CHECK (id < 2147483648),  -- fits into message.place
    type            TEXT    NOT NULL CHECK (type IN ('private_chat', 'group_chat')),
    pair_low        INTEGER REFERENCES account (id),    -- the pair of a private chat, in order of the numbers;
    pair_high       INTEGER REFERENCES account (id),    -- both NULL in a group
    created_at      INTEGER NOT NULL,   -- tick, UNIX ms
    updated_at      INTEGER NOT NULL,   -- tick of the last change that all members see, UNIX ms
    last_seq        INTEGER NOT NULL CHECK (last_seq < 4294967296),  -- seq of the newest message; 0: none
    version         INTEGER NOT NULL,   -- number of changes so far; the creation is the first
    member_count    INTEGER NOT NULL DEFAULT 0,     -- present members
    listed_at       INTEGER NOT NULL DEFAULT 0,     -- tick when membership.active_at was last updated, UNIX ms
    invite_only     INTEGER NOT NULL DEFAULT 0,     -- 1: only a member can add users
    title           TEXT    NOT NULL DEFAULT '',    -- '': none
    CHECK ((type = 'private_chat') = (pair_low IS NOT NULL)),
    CHECK ((type = 'private_chat') = (pair_high IS NOT NULL)),
    CHECK (pair_low < pair_high)
);
INSERT INTO conversation (id, type, pair_low, pair_high, created_at, updated_at, last_seq, version, member_count,
        listed_at, invite_only, title)
    SELECT c.id, type, min(l.id, h.id), max(l.id, h.id), c.created_at, updated_at, last_seq, version, member_count,
        listed_at, invite_only, title
    FROM old_conversation c LEFT JOIN account l ON l.name = pair_low LEFT JOIN account h ON h.name = pair_high;
-- One private chat for each pair, under any concurrency.
CREATE UNIQUE INDEX conversation_pair ON conversation (pair_low, pair_high) WHERE pair_low IS NOT NULL;

-- One row for each stay of a user in a conversation. The user received the messages with joined_seq
-- < seq <= left_seq, and the pushes with joined_version <= version <= left_version.
CREATE TABLE membership (
    conversation    INTEGER NOT NULL REFERENCES conversation (id),
    account         INTEGER NOT NULL REFERENCES account (id),
    joined_version  INTEGER NOT NULL,   -- conversation.version that the joining made
    joined_seq      INTEGER NOT NULL,   -- conversation.last_seq at joining
    left_version    INTEGER,            -- conversation.version that the leaving made; NULL: still a member
    left_seq        INTEGER,            -- conversation.last_seq at leaving; NULL: still a member
    left_at         INTEGER,            -- tick of the leaving, UNIX ms; NULL: still a member
    role            TEXT    NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'admin', 'member')),
    removed         INTEGER NOT NULL DEFAULT 0,     -- 1: the user was removed
    -- conversation.version of the last change to this membership; NULL if the user has a later
    -- stay.
    version         INTEGER,
    -- When the conversation was last active for this user, UNIX ms. It may lag
    -- conversation.updated_at by some seconds (ACTIVE_LAG_MS), and is never ahead of it. For a
    -- former member it is the leaving. In a conversation with many members it is the largest
    -- integer, because a message cannot afford to update all their rows.
    active_at       INTEGER NOT NULL DEFAULT 0,
    since_at        INTEGER NOT NULL DEFAULT 0,     -- when the user first joined, UNIX ms: no message they received is older
    username        TEXT,               -- copy of account.name; NULL if the user has a later stay
    PRIMARY KEY (conversation, account, joined_version),
    CHECK ((left_version IS NULL) = (left_seq IS NULL)),
    CHECK ((version IS NULL) = (username IS NULL))
) WITHOUT ROWID;
INSERT INTO membership (conversation, account, joined_version, joined_seq, left_version, left_seq, left_at, role,
        removed, version, active_at, since_at, username)
    SELECT conversation, a.id, joined_version, joined_seq, left_version, left_seq, left_at, role,
        removed, version, active_at, since_at, CASE WHEN version IS NOT NULL THEN username END
    FROM old_membership CROSS JOIN account a ON a.name = username ORDER BY conversation, a.id, joined_version;
-- Present members by name (left_version NULL), however many have left; and recent leavers. With the
-- role, so that a page of members is read from this index alone.
CREATE INDEX membership_standing ON membership (conversation, left_version, username, role);
-- Present members, by role and then by seniority.
CREATE INDEX membership_oldest ON membership (conversation, left_version, role, joined_version, username);
-- Memberships that changed since a version.
CREATE INDEX membership_version ON membership (conversation, version, username) WHERE version IS NOT NULL;
-- A user's conversations, latest activity first. Only the last stay in a conversation has a
-- version.
CREATE INDEX membership_present ON membership (account, active_at) WHERE left_version IS NULL;
CREATE INDEX membership_gone ON membership (account, left_at) WHERE left_at IS NOT NULL AND version IS NOT NULL;
-- The same, in the order of joining; and the rows that a rename has to change.
CREATE INDEX membership_since ON membership (account, since_at) WHERE version IS NOT NULL;
-- Past stays in which messages were received: former members read on by these.
CREATE INDEX membership_past ON membership (conversation, account, joined_seq, left_seq) WHERE left_seq > joined_seq;
-- At most one owner, under any concurrency. (SQLite does not infer role <> 'member' from role =
-- 'owner', so a partial index on role <> 'member' could not find the owner.)
CREATE UNIQUE INDEX membership_owner ON membership (conversation) WHERE role = 'owner' AND left_version IS NULL;

-- How far each user has read. It has no version, and only moves forward.
CREATE TABLE read_marker (
    conversation    INTEGER NOT NULL REFERENCES conversation (id),
    account         INTEGER NOT NULL REFERENCES account (id),
    seq             INTEGER NOT NULL,   -- up to and including this message
    moved_at        INTEGER NOT NULL,   -- tick of the last move, UNIX ms
    PRIMARY KEY (conversation, account)
) WITHOUT ROWID;
INSERT INTO read_marker (conversation, account, seq, moved_at) SELECT conversation, a.id, seq, moved_at
    FROM old_read_marker CROSS JOIN account a ON a.name = username ORDER BY conversation, a.id;
CREATE INDEX read_marker_moved ON read_marker (account, moved_at);

-- Keyed by place: the messages of a conversation are adjacent, so a page is one short range. The
-- key is one integer, so the upper levels of the tree hold only keys and stay in a small cache. The
-- content, which may be long, comes last.
CREATE TABLE message (
    place           INTEGER PRIMARY KEY,  -- conversation * 2^32 + seq
    id              INTEGER NOT NULL,   -- unique in this database, growing with time
    sender          INTEGER NOT NULL REFERENCES account (id),
    timestamp       INTEGER NOT NULL,   -- tick of the transaction that stored it, UNIX ms; grows with seq and id
    created_version INTEGER NOT NULL,   -- conversation.version that the sending made; grows with seq
    changed_version INTEGER,            -- that of the last edit, deletion or reaction; NULL: none
    client_id       TEXT,               -- the sender's idempotency key, 1 … 64 bytes of printable ASCII
    reply_to        INTEGER,            -- message.id, in the same conversation
    edited_at       INTEGER,            -- tick of the last edit, UNIX ms
    deleted_at      INTEGER,            -- tick of the deletion, UNIX ms
    emoji_count     INTEGER NOT NULL DEFAULT 0,  -- number of different emoji in reaction_set
    sent_print      INTEGER,            -- of what was first sent under client_id, once content is no longer that: 16 bits,
                                        -- enough to tell a repeat from another message, too few to
                                        -- tell what it was
    -- The length of the run of consecutive messages by the same sender that ends with this one
    -- (NULL means 1). Counting what others sent skips the reader's own run in one step.
    run             INTEGER,
    content         TEXT    NOT NULL,   -- '' if deleted
    conversation    INTEGER GENERATED ALWAYS AS (place >> 32) VIRTUAL,         -- for readers of the database; not stored
    seq             INTEGER GENERATED ALWAYS AS (place & 4294967295) VIRTUAL   -- 1, 2, 3 … in each conversation, no holes
);
INSERT INTO message (place, id, sender, timestamp, created_version, changed_version, client_id, reply_to, edited_at,
        deleted_at, emoji_count, sent_print, run, content)
    SELECT place, m.id, a.id, timestamp, created_version, changed_version, client_id, reply_to, edited_at,
        deleted_at, emoji_count, sent_print, run, content
    FROM old_message m CROSS JOIN account a ON a.name = m.sender ORDER BY place;
-- By id, which is by time: a walk back through the newest messages anywhere reads this index alone.
CREATE UNIQUE INDEX message_id ON message (id, timestamp);
-- A key sends one message, forever.
CREATE UNIQUE INDEX message_client_id ON message (sender, client_id) WHERE client_id IS NOT NULL;
-- Messages that changed since a version. Unchanged ones are found by place, because their versions
-- grow with it.
CREATE INDEX message_changed ON message (conversation, changed_version) WHERE changed_version IS NOT NULL;

-- Each key of a creator creates one conversation. A caller that creates conversations for others
-- need not be a user: then the caller's own name stands here.
CREATE TABLE creation_key (
    creator         INTEGER NOT NULL,   -- account.id; 0: no user
    caller          TEXT    NOT NULL,   -- who created it if no user did; '': a user, or the caller named nobody
    client_id       TEXT    NOT NULL,   -- the creator's idempotency key, 1 … 64 bytes of printable ASCII
    conversation    INTEGER NOT NULL REFERENCES conversation (id),
    print           INTEGER NOT NULL,   -- hash of the request: 16 bits, enough to tell a repeat from another request
    PRIMARY KEY (creator, caller, client_id)
) WITHOUT ROWID;
INSERT INTO creation_key (creator, caller, client_id, conversation, print)
    SELECT coalesce(a.id, 0), CASE WHEN a.id IS NULL THEN creator ELSE '' END, client_id, conversation, print
    FROM old_creation_key LEFT JOIN account a ON a.name = creator;

-- A reaction set is the users who reacted to a message with one emoji. It stores their count, so
-- showing it does not read 10,000 names. Clearing a set updates one row, whatever its size.
CREATE TABLE reaction_set (
    id              INTEGER PRIMARY KEY,
    place           INTEGER REFERENCES message (place),  -- NULL: cleared; its rows in reaction are swept later
    emoji           TEXT    NOT NULL,   -- 1 … 64 bytes, without variation selectors (U+FE0E, U+FE0F)
    count           INTEGER NOT NULL,   -- number of its rows in reaction, at least 1
    named           INTEGER NOT NULL DEFAULT 0  -- 1: its rows hold names, because there were more than REACTION_ROWS_FEW
);
INSERT INTO reaction_set (id, place, emoji, count, named) SELECT id, place, emoji, count, count > 16 FROM old_reaction_set;
CREATE UNIQUE INDEX reaction_set_place ON reaction_set (place, emoji) WHERE place IS NOT NULL;
CREATE INDEX reaction_set_cleared ON reaction_set (id) WHERE place IS NULL;

CREATE TABLE reaction (
    set_id          INTEGER NOT NULL,   -- reaction_set.id; no foreign key, which would scan all rows of a set
    account         INTEGER NOT NULL REFERENCES account (id),
    username        TEXT,               -- copy of account.name; NULL unless reaction_set.named
    PRIMARY KEY (set_id, account)
) WITHOUT ROWID;
INSERT INTO reaction (set_id, account, username) SELECT set_id, a.id, CASE WHEN s.named THEN username END
    FROM old_reaction CROSS JOIN account a ON a.name = username LEFT JOIN reaction_set s ON s.id = set_id
    ORDER BY set_id, a.id;
-- The names of a large set, in byte order.
CREATE INDEX reaction_username ON reaction (set_id, username) WHERE username IS NOT NULL;
-- The rows that a rename has to change.
CREATE INDEX reaction_named ON reaction (account) WHERE username IS NOT NULL;

-- Changes that are committed and perhaps not pushed yet, in order. Only ids are stored: a push
-- frame is rendered when it is sent.
CREATE TABLE outbox (
    id              INTEGER PRIMARY KEY,
    event           TEXT    NOT NULL,   -- name of the event in the push frame
    conversation    INTEGER NOT NULL,
    version         INTEGER NOT NULL,   -- conversation.version that the change made
    tick            INTEGER NOT NULL,   -- when, UNIX ms
    seq             INTEGER,            -- message.seq if the event is about a message
    account         INTEGER,            -- account.id of the user who joined, left, read or reacted
    emoji           TEXT,               -- NULL: not about a reaction
    added           INTEGER,            -- 1: the reaction was added, 0: removed or cleared
    payer           INTEGER NOT NULL DEFAULT 0     -- limiter_key() of the caller, who is charged for the fan-out; 0: none
);
INSERT INTO outbox (id, event, conversation, version, tick, seq, account, emoji, added, payer)
    SELECT o.id, event, conversation, version, tick, seq, a.id, emoji, added, payer
    FROM old_outbox o LEFT JOIN account a ON a.name = o.username;

CREATE TRIGGER account_renamed AFTER UPDATE OF name ON account BEGIN
    UPDATE membership SET username = new.name WHERE account = new.id AND version IS NOT NULL;
    UPDATE reaction SET username = new.name WHERE account = new.id AND username IS NOT NULL;
END;

DROP TABLE old_outbox;
DROP TABLE old_reaction;
DROP TABLE old_reaction_set;
DROP TABLE old_creation_key;
DROP TABLE old_read_marker;
DROP TABLE old_membership;
DROP TABLE old_message;
DROP TABLE old_conversation;
DROP TABLE old_account;
-- Binaries that know users by name cannot use this database.
UPDATE instance SET needs = 9;
