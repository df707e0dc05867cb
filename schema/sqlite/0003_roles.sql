-- Who may do what in a group: whether anybody may join, and who was made to leave. (membership.role is there already.)

ALTER TABLE conversation ADD COLUMN invite_only INTEGER NOT NULL DEFAULT 0;  -- 1: nobody joins by themselves
ALTER TABLE membership ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;        -- 1: the stay was ended by somebody else
-- Owner and admins, without a look at all members.
CREATE INDEX membership_staff ON membership (conversation, role) WHERE role <> 'member' AND left_version IS NULL;
