-- A reaction set is the users who reacted to a message with one emoji. It stores their count, so
-- showing it does not read 10,000 names. Clearing a set updates one row, whatever its size.

CREATE TABLE reaction_set (
    id              INTEGER PRIMARY KEY,
    place           INTEGER REFERENCES message (place),  -- NULL: cleared; its rows in reaction are swept later
    emoji           TEXT    NOT NULL,   -- 1 … 64 bytes, without variation selectors (U+FE0E, U+FE0F)
    count           INTEGER NOT NULL    -- number of its rows in reaction, at least 1
);
CREATE UNIQUE INDEX reaction_set_place ON reaction_set (place, emoji) WHERE place IS NOT NULL;
CREATE INDEX reaction_set_cleared ON reaction_set (id) WHERE place IS NULL;

CREATE TABLE reaction_in_set (
    set_id          INTEGER NOT NULL,   -- reaction_set.id; no foreign key, which would scan all rows of a set
    username        TEXT    NOT NULL REFERENCES account (name),
    PRIMARY KEY (set_id, username)
) WITHOUT ROWID;

INSERT INTO reaction_set (place, emoji, count)
    SELECT place, replace(replace(emoji, char(65038), ''), char(65039), '') AS plain, count(DISTINCT username)
    FROM reaction GROUP BY place, plain HAVING plain <> '';
INSERT OR IGNORE INTO reaction_in_set (set_id, username)
    SELECT s.id, r.username FROM reaction r JOIN reaction_set s ON s.place = r.place
    AND s.emoji = replace(replace(r.emoji, char(65038), ''), char(65039), '');
DROP TABLE reaction;
ALTER TABLE reaction_in_set RENAME TO reaction;
UPDATE message SET emoji_count = (SELECT count(*) FROM reaction_set s WHERE s.place = message.place)
    WHERE emoji_count > 0;

-- What an event about a reaction says beside its message.
ALTER TABLE outbox ADD COLUMN emoji TEXT;       -- NULL: not about a reaction
ALTER TABLE outbox ADD COLUMN added INTEGER;    -- 1: added, 0: removed or cleared
