-- What organizations have used of what their tiers allow, and the producers' own marks on executions.
-- Running code of the version before sees a table that it does not know and columns that may stay null. What it inserts
-- is not counted: counting begins when its last process has gone.

-- A month's executions are the sum of its slots. Limited organizations count in slot 0, whose lock is what decides on the
-- last free place; the others count in any slot above, so that processes that submit at the same time do not wait for
-- each other, and a transaction that is left open does not make one row's dead versions a long way to its living one.
CREATE TABLE usage_counters (
    organization_id text COLLATE "C" NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    -- As in 2026-11: UTC, by the database's clock.
    month text COLLATE "C" NOT NULL,
    slot integer NOT NULL,
    executions bigint NOT NULL,
    -- How many of the executions that the newest statement asked for did fit; only statements that ask for several read it.
    granted integer NOT NULL DEFAULT 0,
    PRIMARY KEY (organization_id, month, slot)
) WITH (fillfactor = 20);

-- What producers find their executions again by: a JSON array of strings, and a JSON object.
ALTER TABLE executions ADD COLUMN tags text;
ALTER TABLE executions ADD COLUMN metadata text;
