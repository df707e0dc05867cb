-- Whose rate pays for telling the change to those who listen, once the relay knows how many they are.
ALTER TABLE outbox ADD COLUMN payer INTEGER NOT NULL DEFAULT 0;    -- limiter_key() of the caller; 0: nobody's
