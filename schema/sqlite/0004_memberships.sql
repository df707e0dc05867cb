-- The cost of a query no longer grows with the number of past stays: it reads only the rows that it
-- is about. Also an idempotency key for the creation of a conversation.

-- When the user first joined the conversation, UNIX ms: they received no earlier message there. For
-- rows older than this column, it is the time of the last message before the joining, or else the
-- conversation's creation.
ALTER TABLE membership ADD COLUMN since_at INTEGER NOT NULL DEFAULT 0;
UPDATE membership SET since_at = coalesce(
    (SELECT m.timestamp FROM message m WHERE m.place = (membership.conversation << 32) +
        (SELECT f.joined_seq FROM membership f WHERE f.conversation = membership.conversation
         AND f.username = membership.username ORDER BY f.joined_version LIMIT 1)),
    (SELECT c.created_at FROM conversation c WHERE c.id = membership.conversation));

DROP INDEX membership_active;
DROP INDEX membership_staff;
DROP INDEX membership_standing;
-- Present members by name (left_version NULL), however many have left; and recent leavers. With the
-- role, so that a page of members is read from this index alone.
CREATE INDEX membership_standing ON membership (conversation, left_version, username, role);
-- Present members, by role and then by seniority.
CREATE INDEX membership_oldest ON membership (conversation, left_version, role, joined_version);
-- A user's conversations, latest activity first. Only the last stay in a conversation has a
-- version.
CREATE INDEX membership_present ON membership (username, active_at) WHERE left_version IS NULL;
CREATE INDEX membership_gone ON membership (username, left_at) WHERE left_at IS NOT NULL AND version IS NOT NULL;
-- The same, in the order of joining.
CREATE INDEX membership_since ON membership (username, since_at) WHERE version IS NOT NULL;
-- Past stays in which messages were received: former members read on by these.
CREATE INDEX membership_past ON membership (conversation, username, joined_seq, left_seq) WHERE left_seq > joined_seq;
-- At most one owner, under any concurrency. (SQLite does not infer role <> 'member' from role =
-- 'owner', so a partial index on role <> 'member' could not find the owner.)
CREATE UNIQUE INDEX membership_owner ON membership (conversation) WHERE role = 'owner' AND left_version IS NULL;

-- The length of the run of consecutive messages by the same sender that ends with this one; NULL:
-- 1. Counting what others sent skips the reader's own run in one step.
ALTER TABLE message ADD COLUMN run INTEGER;
UPDATE message SET run = r.run FROM (
    SELECT place, row_number() OVER (PARTITION BY conversation, sender, island ORDER BY place) AS run FROM (
        SELECT place, conversation, sender,
            place - row_number() OVER (PARTITION BY conversation, sender ORDER BY place) AS island FROM message)) AS r
    WHERE r.place = message.place AND r.run > 1;

-- Each key of a creator creates one conversation.
CREATE TABLE creation_key (
    creator         TEXT    NOT NULL,   -- account.name; '': the caller named nobody
    client_id       TEXT    NOT NULL,   -- the creator's idempotency key, 1 … 64 bytes of printable ASCII
    conversation    INTEGER NOT NULL REFERENCES conversation (id),
    print           INTEGER NOT NULL,   -- hash of the request: 16 bits, enough to tell a repeat from another request
    PRIMARY KEY (creator, client_id)
) WITHOUT ROWID;
