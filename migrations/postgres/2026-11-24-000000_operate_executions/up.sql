-- What operators and workflows do with executions: children, replays, retries, scheduled starts, deadlines and retention.
-- Running code of the version before sees columns that it does not read and that have defaults; what it writes stays
-- valid. Both indexes are partial: the first holds children only, the second ended executions only, so that no statement
-- that moves a live execution writes to either. Building the second holds writes up once, for as long as it takes to
-- read the table.

-- What a submit copies from the newest revision, beside revision and lane.
ALTER TABLE workflows ADD COLUMN timeout_ms bigint;
-- Whether the newest revision has an input schema, so that a submit has to say against which revision it was checked.
ALTER TABLE workflows ADD COLUMN checks_input boolean NOT NULL DEFAULT false;
-- How many days ended executions are kept; null = as configured.
ALTER TABLE workflows ADD COLUMN retain_completed_days integer;
ALTER TABLE workflows ADD COLUMN retain_failed_days integer;
ALTER TABLE workflows ADD COLUMN retain_cancelled_days integer;

-- The workflow that a failed execution of this revision is handed to.
ALTER TABLE workflow_revisions ADD COLUMN on_failure text COLLATE "C";

-- Links to other executions are no foreign keys: an insert must not lock the row that it names, and either end may be
-- pruned before the other.
ALTER TABLE executions ADD COLUMN parent_execution_id text COLLATE "C";
ALTER TABLE executions ADD COLUMN parent_path text;
ALTER TABLE executions ADD COLUMN depth integer NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN replay_of text COLLATE "C";
ALTER TABLE executions ADD COLUMN on_failure_of text COLLATE "C";
-- How often an operator had it retried.
ALTER TABLE executions ADD COLUMN operator_retries integer NOT NULL DEFAULT 0;
-- What this WAITING is for, if not for the graph: 'start' (submitted for later; mail does not wake it) or 'worker' (the
-- pause after lost workers).
ALTER TABLE executions ADD COLUMN waits_for text;
-- The workflow's timeoutMs, and what became of it at the first claim.
ALTER TABLE executions ADD COLUMN timeout_ms bigint;
ALTER TABLE executions ADD COLUMN deadline timestamptz;

CREATE UNIQUE INDEX executions_parent_idx ON executions (parent_execution_id, parent_path)
    WHERE parent_execution_id IS NOT NULL;
-- Retention's way to what has been kept for long enough.
CREATE INDEX executions_ended_idx ON executions (workflow_id, status, completed_at) WHERE completed_at IS NOT NULL;
