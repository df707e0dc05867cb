-- Whose rate limit is charged for the fan-out of the change, once the relay knows how many users
-- listen.
ALTER TABLE outbox ADD COLUMN payer INTEGER NOT NULL DEFAULT 0;    -- limiter_key() of the caller; 0: none
