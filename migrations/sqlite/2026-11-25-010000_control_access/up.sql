-- Who may do what, and who did it: what narrows and ends an API key, and the audit log.
-- Running code of the version before does not exist: one process owns the file.
--
-- The twin of the PostgreSQL migration of the same name.

-- What the key is narrowed to: a JSON array of permissions; empty = all that its owner may do.
ALTER TABLE api_keys ADD COLUMN scopes text NOT NULL DEFAULT '[]';
-- Null = for good.
ALTER TABLE api_keys ADD COLUMN expires_at integer;
-- Written at most once a minute.
ALTER TABLE api_keys ADD COLUMN last_used_at integer;

-- An organization's keys, newest first.
CREATE INDEX api_keys_organization_idx ON api_keys (organization_id, id);
-- A user's organizations; the primary key leads the other way.
CREATE INDEX memberships_user_idx ON memberships (user_id);

-- Written in the transaction of the change that it tells of, never changed. It names users, keys and objects without
-- foreign keys: what is gone is still told of.
CREATE TABLE audit_log (
    id text PRIMARY KEY NOT NULL,
    organization_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    created_at integer NOT NULL DEFAULT (CAST(round(unixepoch('subsec') * 1000) AS integer) * 1000),
    -- Null = whoever ran `gristmill admin`.
    actor_user_id text,
    -- Null = a token, or `gristmill admin`.
    api_key_id text,
    request_id text,
    action text NOT NULL,
    object_kind text NOT NULL,
    object_id text NOT NULL,
    -- A small JSON object.
    detail text NOT NULL DEFAULT '{}'
) STRICT;

-- The log, newest first, and the story of one object.
CREATE INDEX audit_log_created_at_idx ON audit_log (organization_id, created_at, id);
CREATE INDEX audit_log_object_idx ON audit_log (organization_id, object_id, created_at, id);
