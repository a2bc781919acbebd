-- Lists of executions: by organization or workflow, narrowed by status and time, newest first; and by the producer's tags.
-- Running code of the version before neither reads nor writes what is new here, and what it writes stays valid. Building
-- the indexes holds writes up once, for as long as it takes to read the table.
--
-- Every status is a stretch of each index, so that a page is a merge of as many stretches as statuses are wanted, and what
-- is rare is found as fast as what is common. Ended and unfinished ones are apart for the sake of the statements of the
-- queue: none of them names `completed_at`, so none can be planned to read such an index from end to end in search of what
-- is PENDING or RUNNING. (One was, as long as the table was small when it was planned: half of the throughput.)

CREATE INDEX executions_organization_ended_idx ON executions (organization_id, status, created_at, id)
    WHERE completed_at IS NOT NULL;
CREATE INDEX executions_workflow_ended_idx ON executions (workflow_id, status, created_at, id)
    WHERE completed_at IS NOT NULL;
CREATE INDEX executions_organization_unfinished_idx ON executions (organization_id, status, created_at, id)
    WHERE completed_at IS NULL;
CREATE INDEX executions_workflow_unfinished_idx ON executions (workflow_id, status, created_at, id)
    WHERE completed_at IS NULL;

-- One row for each tag of an execution. What has no tags writes nothing here.
CREATE TABLE execution_tags (
    organization_id text COLLATE "C" NOT NULL,
    tag text COLLATE "C" NOT NULL,
    -- The execution's own, so that a page is read without looking at executions that are not on it.
    created_at timestamptz NOT NULL,
    execution_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (organization_id, tag, created_at, execution_id),
    FOREIGN KEY (organization_id, execution_id) REFERENCES executions (organization_id, id) ON DELETE CASCADE
);

-- The way of a deleted execution to its tags.
CREATE INDEX execution_tags_execution_idx ON execution_tags (organization_id, execution_id);
