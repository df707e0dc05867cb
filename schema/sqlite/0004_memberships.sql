-- Memberships and conversations whose past costs nothing: each question reads the rows that it is about, however often
-- somebody came and went. And a key that makes the creation of a conversation repeatable.

-- When the user first joined the conversation: they received no message there with an earlier timestamp. UNIX ms. Of what
-- is older than this column, the message before the joining tells it, or the conversation's creation.
ALTER TABLE membership ADD COLUMN since_at INTEGER NOT NULL DEFAULT 0;
UPDATE membership SET since_at = coalesce(
    (SELECT m.timestamp FROM message m WHERE m.place = (membership.conversation << 32) +
        (SELECT f.joined_seq FROM membership f WHERE f.conversation = membership.conversation
         AND f.username = membership.username ORDER BY f.joined_version LIMIT 1)),
    (SELECT c.created_at FROM conversation c WHERE c.id = membership.conversation));

DROP INDEX membership_active;
DROP INDEX membership_staff;
DROP INDEX membership_standing;
-- Who is there, by name, however many have come and gone (left_version NULL); and who was there until lately. With the
-- role, so that a page of members is read from here alone.
CREATE INDEX membership_standing ON membership (conversation, left_version, username, role);
-- Who is there, by role and then by how long.
CREATE INDEX membership_oldest ON membership (conversation, left_version, role, joined_version);
-- A user's conversations, the latest active first. The last stay in a conversation has a version, earlier stays have none.
CREATE INDEX membership_present ON membership (username, active_at) WHERE left_version IS NULL;
CREATE INDEX membership_gone ON membership (username, left_at) WHERE left_at IS NOT NULL AND version IS NOT NULL;
-- The same, in the order in which they were joined.
CREATE INDEX membership_since ON membership (username, since_at) WHERE version IS NOT NULL;
-- Stays that have ended, and in which messages were received: by these a former member reads on.
CREATE INDEX membership_past ON membership (conversation, username, joined_seq, left_seq) WHERE left_seq > joined_seq;
-- At most one owner, whoever writes. (No index of those who are not 'member' could find the owner: SQLite does not infer
-- role <> 'member' from role = 'owner'.)
CREATE UNIQUE INDEX membership_owner ON membership (conversation) WHERE role = 'owner' AND left_version IS NULL;

-- How many messages of the same sender stand in a row up to this one; NULL: it is the first. Whoever counts what others
-- sent passes over a run of their own in one step.
ALTER TABLE message ADD COLUMN run INTEGER;
UPDATE message SET run = r.run FROM (
    SELECT place, row_number() OVER (PARTITION BY conversation, sender, island ORDER BY place) AS run FROM (
        SELECT place, conversation, sender,
            place - row_number() OVER (PARTITION BY conversation, sender ORDER BY place) AS island FROM message)) AS r
    WHERE r.place = message.place AND r.run > 1;

-- A conversation is created once for each key of its creator.
CREATE TABLE creation_key (
    creator         TEXT    NOT NULL,   -- account.name; '': nobody was named
    client_id       TEXT    NOT NULL,   -- the creator's own key for it, 1 … 64 bytes of printable ASCII
    conversation    INTEGER NOT NULL REFERENCES conversation (id),
    print           INTEGER NOT NULL,   -- of what was asked for: 16 bits, enough to tell a repeat from another request
    PRIMARY KEY (creator, client_id)
) WITHOUT ROWID;
