-- Beyond the core: edits, deletions, replies, reactions, idempotency keys, titles, roles and read
-- markers. Also the two orders that every page needs: a conversation's objects by the version of
-- their last change, and a user's conversations by their last activity.

ALTER TABLE conversation ADD COLUMN title TEXT NOT NULL DEFAULT '';                -- '': none
ALTER TABLE conversation ADD COLUMN member_count INTEGER NOT NULL DEFAULT 0;       -- present members
ALTER TABLE conversation ADD COLUMN listed_at INTEGER NOT NULL DEFAULT 0;          -- tick when membership.active_at was last updated, UNIX ms
UPDATE conversation SET listed_at = updated_at, member_count =
    (SELECT count(*) FROM membership m WHERE m.conversation = conversation.id AND m.left_seq IS NULL);

ALTER TABLE membership ADD COLUMN role TEXT NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'admin', 'member'));
ALTER TABLE membership ADD COLUMN left_at INTEGER;    -- tick of the leaving, UNIX ms; NULL: still a member
-- conversation.version of the last change to this membership; NULL if the user has a later stay.
ALTER TABLE membership ADD COLUMN version INTEGER;
-- When the conversation was last active for this user, UNIX ms. It may lag conversation.updated_at
-- by some seconds (ACTIVE_LAG_MS), and is never ahead of it. For a former member it is the leaving.
-- In a conversation with many members it is the largest integer, because a message cannot afford to
-- update all their rows.
ALTER TABLE membership ADD COLUMN active_at INTEGER NOT NULL DEFAULT 0;

-- The core did not record when a stay ended. The time of the next message is the closest known.
UPDATE membership SET left_at = coalesce(
    (SELECT m.timestamp FROM message m WHERE m.place = (membership.conversation << 32) + left_seq + 1),
    (SELECT c.updated_at FROM conversation c WHERE c.id = membership.conversation)) WHERE left_seq IS NOT NULL;
UPDATE membership SET version = coalesce(left_version, joined_version) WHERE NOT EXISTS
    (SELECT 1 FROM membership later WHERE later.conversation = membership.conversation
     AND later.username = membership.username AND later.joined_version > membership.joined_version);
UPDATE membership SET active_at = coalesce(left_at,
    (SELECT CASE WHEN c.member_count > 100 THEN 9223372036854775807 ELSE c.updated_at END
     FROM conversation c WHERE c.id = membership.conversation));

DROP INDEX membership_username;
-- A user's conversations, latest activity first, with what is needed to find the messages received
-- there.
CREATE INDEX membership_active ON membership (username, active_at, joined_seq, left_seq);
-- Present members (left_version NULL), however many have left; and recent leavers.
CREATE INDEX membership_standing ON membership (conversation, left_version, username);
-- Memberships that changed since a version.
CREATE INDEX membership_version ON membership (conversation, version) WHERE version IS NOT NULL;

-- How far each user has read. It has no version, and only moves forward.
CREATE TABLE read_marker (
    conversation    INTEGER NOT NULL REFERENCES conversation (id),
    username        TEXT    NOT NULL REFERENCES account (name),
    seq             INTEGER NOT NULL,   -- up to and including this message
    moved_at        INTEGER NOT NULL,   -- tick of the last move, UNIX ms
    PRIMARY KEY (conversation, username)
) WITHOUT ROWID;
CREATE INDEX read_marker_moved ON read_marker (username, moved_at);

-- The message table again, with new columns before the content, which may be long. The versions of
-- the existing messages are computed. Version 1 is the conversation's creation. Each message,
-- joining and leaving adds one. Each joining and leaving knows how many messages came before it.
CREATE TABLE step (
    conversation    INTEGER NOT NULL,
    seq             INTEGER NOT NULL,
    changes         INTEGER NOT NULL,   -- joinings and leavings up to here that made a version
    PRIMARY KEY (conversation, seq)
) WITHOUT ROWID;
INSERT INTO step
    SELECT conversation, seq, sum(count(*)) OVER (PARTITION BY conversation ORDER BY seq) FROM (
        SELECT conversation, joined_seq AS seq FROM membership WHERE joined_version > 1
        UNION ALL SELECT conversation, left_seq FROM membership WHERE left_seq IS NOT NULL)
    GROUP BY conversation, seq;

CREATE TABLE message_with_versions (
    place           INTEGER PRIMARY KEY,  -- conversation * 2^32 + seq
    id              INTEGER NOT NULL,   -- unique in this database, growing with time
    sender          TEXT    NOT NULL REFERENCES account (name),
    timestamp       INTEGER NOT NULL,   -- tick of the transaction that stored it, UNIX ms; grows with seq and id
    created_version INTEGER NOT NULL,   -- conversation.version that the sending made; grows with seq
    changed_version INTEGER,            -- that of the last edit, deletion or reaction; NULL: none
    client_id       TEXT,               -- the sender's idempotency key, 1 … 64 bytes of printable ASCII
    reply_to        INTEGER,            -- message.id, in the same conversation
    edited_at       INTEGER,            -- tick of the last edit, UNIX ms
    deleted_at      INTEGER,            -- tick of the deletion, UNIX ms
    emoji_count     INTEGER NOT NULL DEFAULT 0,  -- number of different emoji in reaction
    sent_print      INTEGER,            -- of what was first sent under client_id, once content is no longer that: 16 bits,
                                        -- enough to tell a repeat from another message, too few to
                                        -- tell what it was
    content         TEXT    NOT NULL,   -- '' if deleted
    conversation    INTEGER GENERATED ALWAYS AS (place >> 32) VIRTUAL,         -- not stored
    seq             INTEGER GENERATED ALWAYS AS (place & 4294967295) VIRTUAL   -- 1, 2, 3 … in each conversation, no holes
);
INSERT INTO message_with_versions (place, id, sender, timestamp, created_version, content)
    SELECT place, id, sender, timestamp, 1 + seq + coalesce(
        (SELECT s.changes FROM step s WHERE s.conversation = m.conversation AND s.seq < m.seq
         ORDER BY s.seq DESC LIMIT 1), 0), content
    FROM message m ORDER BY place;
DROP TABLE step;
DROP TABLE message;
ALTER TABLE message_with_versions RENAME TO message;

-- By id, which is by time: a walk back through the newest messages anywhere reads this index alone.
CREATE UNIQUE INDEX message_id ON message (id, timestamp);
-- A key sends one message, forever.
CREATE UNIQUE INDEX message_client_id ON message (sender, client_id) WHERE client_id IS NOT NULL;
-- Messages that changed since a version. Unchanged ones are found by place, because their versions
-- grow with it.
CREATE INDEX message_changed ON message (conversation, changed_version) WHERE changed_version IS NOT NULL;

CREATE TABLE reaction (
    place           INTEGER NOT NULL REFERENCES message (place),
    emoji           TEXT    NOT NULL,   -- 1 … 64 bytes
    username        TEXT    NOT NULL REFERENCES account (name),
    PRIMARY KEY (place, emoji, username)
) WITHOUT ROWID;
