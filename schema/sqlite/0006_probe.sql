-- /healthz writes here to learn whether the disk accepts as much as it last refused. One row.
CREATE TABLE probe (
    only_row        INTEGER PRIMARY KEY CHECK (only_row = 1),
    filler          BLOB    NOT NULL    -- random bytes without meaning
);
INSERT INTO probe (only_row, filler) VALUES (1, '');
