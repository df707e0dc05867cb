-- What /healthz writes to learn whether the disk takes as much as was refused before. One row.
CREATE TABLE probe (
    only_row        INTEGER PRIMARY KEY CHECK (only_row = 1),
    filler          BLOB    NOT NULL    -- random bytes, of no meaning
);
INSERT INTO probe (only_row, filler) VALUES (1, '');
