-- Group permissions: whether anybody may join, and who was removed. (membership.role exists
-- already.)

ALTER TABLE conversation ADD COLUMN invite_only INTEGER NOT NULL DEFAULT 0;  -- 1: only a member can add users
ALTER TABLE membership ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;        -- 1: the user was removed
-- The owner and the admins, without reading all members.
CREATE INDEX membership_staff ON membership (conversation, role) WHERE role <> 'member' AND left_version IS NULL;
