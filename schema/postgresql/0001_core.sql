-- The tables as schema/sqlite/ has them after its ninth migration, for PostgreSQL 14 or later. What
-- differs, and why:
-- - All integers are bigint. Names and keys are compared by bytes (COLLATE "C"), whatever the
--   locale of the database.
-- - All ids are counted in the row of instance, which each transaction that writes has locked. So
--   they have no holes, and a statement that stores a row has nothing to return.
-- - Only rows that are rarely written have foreign keys to accounts: checking one would lock and
--   rewrite the account's row with each message of its user.
-- - An index of present members, and one of those who left, instead of one of both: PostgreSQL does
--   not read "left_version IS NULL ORDER BY username" in order from an index that begins with
--   left_version.

-- The identity and the counters of this database. One row. Each writing transaction locks it first,
-- so transactions commit in the order of their ticks. Updates change the page of the row only, not
-- the index.
CREATE TABLE instance (
    only_row        bigint  PRIMARY KEY CHECK (only_row = 1),
    epoch           text    NOT NULL,   -- identity of this database: 32 hex digits, random
    tick            bigint  NOT NULL,   -- timestamp of the last write transaction, UNIX ms; never goes back
    last_message_id bigint  NOT NULL,   -- highest message.id ever given; ids are never reused
    last_change     bigint  NOT NULL,   -- highest outbox.id ever given
    last_account_id bigint  NOT NULL,   -- highest account.id ever given
    last_conversation_id bigint NOT NULL, -- highest conversation.id ever given
    last_set_id     bigint  NOT NULL,   -- highest reaction_set.id ever given
    schema_version  bigint  NOT NULL,   -- number of the last migration that was applied
    needs           bigint  NOT NULL    -- number of a migration: a binary must know at least this one
) WITH (fillfactor = 10);
INSERT INTO instance VALUES (1, replace(gen_random_uuid()::text, '-', ''), 0, 0, 0, 0, 0, 0, 0, 1);

CREATE TABLE account (
    id              bigint  PRIMARY KEY,            -- 1, 2, 3 …
    name            text    COLLATE "C" NOT NULL UNIQUE, -- [A-Za-z0-9_]{1,20}, case-sensitive
    created_at      bigint  NOT NULL                -- tick, UNIX ms
);

-- Each page has room for updates of its rows.
CREATE TABLE conversation (
    id              bigint  PRIMARY KEY CHECK (id < 2147483648),  -- fits into message.place
    type            text    NOT NULL CHECK (type IN ('private_chat', 'group_chat')),
    pair_low        bigint  REFERENCES account (id),    -- the pair of a private chat, in order of the numbers;
    pair_high       bigint  REFERENCES account (id),    -- both NULL in a group
    created_at      bigint  NOT NULL,   -- tick, UNIX ms
    updated_at      bigint  NOT NULL,   -- tick of the last change that all members see, UNIX ms
    last_seq        bigint  NOT NULL CHECK (last_seq < 4294967296),  -- seq of the newest message; 0: none
    version         bigint  NOT NULL,   -- number of changes so far; the creation is the first
    member_count    bigint  NOT NULL,   -- present members
    listed_at       bigint  NOT NULL,   -- tick when membership.active_at was last updated, UNIX ms
    invite_only     boolean NOT NULL,   -- only a member can add users
    title           text    NOT NULL,   -- '': none
    CHECK ((type = 'private_chat') = (pair_low IS NOT NULL)),
    CHECK ((type = 'private_chat') = (pair_high IS NOT NULL)),
    CHECK (pair_low < pair_high)
) WITH (fillfactor = 50);
-- One private chat for each pair, under any concurrency.
CREATE UNIQUE INDEX conversation_pair ON conversation (pair_low, pair_high) WHERE pair_low IS NOT NULL;

-- One row for each stay of a user in a conversation. The user received the messages with joined_seq
-- < seq <= left_seq, and the pushes with joined_version <= version <= left_version.
CREATE TABLE membership (
    conversation    bigint  NOT NULL REFERENCES conversation (id),
    account         bigint  NOT NULL REFERENCES account (id),
    joined_version  bigint  NOT NULL,   -- conversation.version that the joining made
    joined_seq      bigint  NOT NULL,   -- conversation.last_seq at joining
    left_version    bigint,             -- conversation.version that the leaving made; NULL: still a member
    left_seq        bigint,             -- conversation.last_seq at leaving; NULL: still a member
    left_at         bigint,             -- tick of the leaving, UNIX ms; NULL: still a member
    removed         boolean NOT NULL DEFAULT false, -- the user was removed
    role            text    NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    -- conversation.version of the last change to this membership; NULL if the user has a later
    -- stay.
    version         bigint,
    -- When the conversation was last active for this user, UNIX ms. It may lag
    -- conversation.updated_at by some seconds (ACTIVE_LAG_MS), and is never ahead of it. For a
    -- former member it is the leaving. In a conversation with many members it is the largest
    -- integer, because a message cannot afford to update all their rows.
    active_at       bigint  NOT NULL,
    since_at        bigint  NOT NULL,   -- when the user first joined, UNIX ms: no message they received is older
    username        text    COLLATE "C", -- copy of account.name; NULL if the user has a later stay
    PRIMARY KEY (conversation, account, joined_version),
    CHECK ((left_version IS NULL) = (left_seq IS NULL)),
    CHECK ((version IS NULL) = (username IS NULL))
) WITH (fillfactor = 80);
-- Present members by name, however many have left; and recent leavers.
CREATE INDEX membership_standing ON membership (conversation, username) INCLUDE (role) WHERE left_version IS NULL;
CREATE INDEX membership_left ON membership (conversation, left_version) WHERE left_version IS NOT NULL;
-- Present members, by role and then by seniority.
CREATE INDEX membership_oldest ON membership (conversation, role, joined_version, username) WHERE left_version IS NULL;
-- Memberships that changed since a version.
CREATE INDEX membership_version ON membership (conversation, version, username) WHERE version IS NOT NULL;
-- A user's conversations, latest activity first. Only the last stay in a conversation has a
-- version.
CREATE INDEX membership_present ON membership (account, active_at, conversation) WHERE left_version IS NULL;
CREATE INDEX membership_gone ON membership (account, left_at, conversation)
    WHERE left_at IS NOT NULL AND version IS NOT NULL;
-- The same, in the order of joining; and the rows that a rename has to change.
CREATE INDEX membership_since ON membership (account, since_at) WHERE version IS NOT NULL;
-- Past stays in which messages were received: former members read on by these.
CREATE INDEX membership_past ON membership (conversation, account, joined_seq, left_seq) WHERE left_seq > joined_seq;
-- At most one owner, under any concurrency.
CREATE UNIQUE INDEX membership_owner ON membership (conversation) WHERE role = 'owner' AND left_version IS NULL;

-- How far each user has read. It has no version, and only moves forward.
CREATE TABLE read_marker (
    conversation    bigint  NOT NULL REFERENCES conversation (id),
    account         bigint  NOT NULL REFERENCES account (id),
    seq             bigint  NOT NULL,   -- up to and including this message
    moved_at        bigint  NOT NULL,   -- tick of the last move, UNIX ms
    PRIMARY KEY (conversation, account)
) WITH (fillfactor = 80);
CREATE INDEX read_marker_moved ON read_marker (account, moved_at, conversation);

CREATE TABLE message (
    place           bigint  PRIMARY KEY,    -- conversation * 2^32 + seq: a conversation's messages are one range
    id              bigint  NOT NULL,   -- unique in this database, growing with time, without holes
    sender          bigint  NOT NULL,   -- account.id
    timestamp       bigint  NOT NULL,   -- tick of the transaction that stored it, UNIX ms; grows with seq and id
    created_version bigint  NOT NULL,   -- conversation.version that the sending made; grows with seq
    changed_version bigint,             -- that of the last edit, deletion or reaction; NULL: none
    reply_to        bigint,             -- message.id, in the same conversation
    edited_at       bigint,             -- tick of the last edit, UNIX ms
    deleted_at      bigint,             -- tick of the deletion, UNIX ms
    emoji_count     bigint  NOT NULL DEFAULT 0,     -- number of different emoji in reaction_set
    sent_print      bigint,             -- of what was first sent under client_id, once content is no longer that: 16 bits,
                                        -- enough to tell a repeat from another message, too few to
                                        -- tell what it was
    -- The length of the run of consecutive messages by the same sender that ends with this one
    -- (NULL means 1). Counting what others sent skips the reader's own run in one step.
    run             bigint,
    client_id       text    COLLATE "C", -- the sender's idempotency key, 1 … 64 bytes of printable ASCII
    content         text    NOT NULL    -- '' if deleted
);
-- By id, which is also the order of time.
CREATE UNIQUE INDEX message_id ON message (id);
-- A key sends one message, forever.
CREATE UNIQUE INDEX message_client_id ON message (sender, client_id) WHERE client_id IS NOT NULL;
-- A conversation's messages that changed since a version. Unchanged ones are found by place,
-- because their versions grow with it.
CREATE INDEX message_changed ON message ((place >> 32), changed_version) WHERE changed_version IS NOT NULL;

-- Each key of a creator creates one conversation. A caller that creates conversations for others
-- need not be a user: then `caller` has its name.
CREATE TABLE creation_key (
    creator         bigint  NOT NULL,   -- account.id; 0: no user
    caller          text    COLLATE "C" NOT NULL, -- who created it if no user did; '': a user, or the caller named nobody
    client_id       text    COLLATE "C" NOT NULL, -- the creator's idempotency key, 1 … 64 bytes of printable ASCII
    conversation    bigint  NOT NULL REFERENCES conversation (id),
    print           bigint  NOT NULL,   -- hash of the request: 16 bits, enough to tell a repeat from another request
    PRIMARY KEY (creator, caller, client_id)
);

-- A reaction set is the users who reacted to a message with one emoji. It stores their count, so
-- showing it does not read 10,000 names. Clearing a set updates one row, whatever its size.
CREATE TABLE reaction_set (
    id              bigint  PRIMARY KEY,
    place           bigint,             -- message.place; NULL: cleared; its rows in reaction are swept later
    emoji           text    COLLATE "C" NOT NULL, -- 1 … 64 bytes, without variation selectors (U+FE0E, U+FE0F)
    count           bigint  NOT NULL,   -- number of its rows in reaction, at least 1
    named           boolean NOT NULL    -- its rows hold names, because there were more than REACTION_ROWS_FEW
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX reaction_set_place ON reaction_set (place, emoji) WHERE place IS NOT NULL;
CREATE INDEX reaction_set_cleared ON reaction_set (id) WHERE place IS NULL;

CREATE TABLE reaction (
    set_id          bigint  NOT NULL,   -- reaction_set.id
    account         bigint  NOT NULL REFERENCES account (id),
    username        text    COLLATE "C", -- copy of account.name; NULL unless reaction_set.named
    PRIMARY KEY (set_id, account)
);
-- The names of a large set, in byte order.
CREATE INDEX reaction_username ON reaction (set_id, username) WHERE username IS NOT NULL;
-- The rows that a rename has to change.
CREATE INDEX reaction_named ON reaction (account) WHERE username IS NOT NULL;

-- Changes that are committed and perhaps not pushed yet, in order. Only ids are stored: a push
-- frame is rendered when it is sent. A queue, so the number of rows that went through it decides
-- when it is vacuumed, not its size.
CREATE TABLE outbox (
    id              bigint  PRIMARY KEY,
    event           text    NOT NULL,   -- name of the event in the push frame
    conversation    bigint  NOT NULL,
    version         bigint  NOT NULL,   -- conversation.version that the change made
    tick            bigint  NOT NULL,   -- when, UNIX ms
    seq             bigint,             -- message.seq if the event is about a message
    account         bigint,             -- account.id of the user who joined, left, read or reacted
    emoji           text,               -- NULL: not about a reaction
    added           boolean NOT NULL,   -- the reaction was added; false: removed or cleared
    payer           bigint  NOT NULL    -- limiter_key() of the caller, who is charged for the fan-out; 0: none
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);

-- /healthz writes here to test whether the disk accepts as many bytes as it last refused. One row.
CREATE TABLE probe (
    only_row        bigint  PRIMARY KEY CHECK (only_row = 1),
    filler          text    NOT NULL    -- without meaning
);
ALTER TABLE probe ALTER COLUMN filler SET STORAGE EXTERNAL;
INSERT INTO probe VALUES (1, '');

-- Keeps the copies of names up to date.
CREATE FUNCTION account_renamed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE membership SET username = new.name WHERE account = new.id AND version IS NOT NULL;
    UPDATE reaction SET username = new.name WHERE account = new.id AND username IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER account_renamed AFTER UPDATE OF name ON account FOR EACH ROW EXECUTE FUNCTION account_renamed();
