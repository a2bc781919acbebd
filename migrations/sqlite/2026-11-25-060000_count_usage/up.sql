-- What organizations have used of what their tiers allow, and the producers' own marks on executions.
-- Running code of the version before does not exist: one process owns the file.
--
-- The twin of the PostgreSQL migration of the same name. With one writer, everybody counts in slot 0.

CREATE TABLE usage_counters (
    organization_id text NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    -- As in 2026-11: UTC, by the database's clock.
    month text NOT NULL,
    slot integer NOT NULL,
    executions integer NOT NULL,
    granted integer NOT NULL DEFAULT 0,
    PRIMARY KEY (organization_id, month, slot)
) STRICT, WITHOUT ROWID;

-- What producers find their executions again by: a JSON array of strings, and a JSON object.
ALTER TABLE executions ADD COLUMN tags text;
ALTER TABLE executions ADD COLUMN metadata text;
