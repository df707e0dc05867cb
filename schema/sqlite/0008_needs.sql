-- Which binaries may use the database: those that know at least this migration. A later migration
-- that older binaries can live with leaves it as it is, so that two versions can run in turn during
-- an upgrade.
ALTER TABLE instance ADD COLUMN needs INTEGER NOT NULL DEFAULT 8;  -- number of a migration
