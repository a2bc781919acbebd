-- Lists of executions: by organization or workflow, narrowed by status and time, newest first; and by the producer's tags.
-- Running code of the version before neither reads nor writes what is new here, and what it writes stays valid. Building
-- the indexes holds writes up once, for as long as it takes to read the table.
--
-- Every status is a stretch of each index, so that a page is a merge of as many stretches as statuses are wanted, and what
-- is rare is found as fast as what is common. A claim and an end move a row from one stretch to the next; they write to
-- every index of the row anyway, since they change `wake_at`. Together the two cost an execution some 15 microseconds of
-- processor time.

CREATE INDEX executions_organization_status_created_idx ON executions (organization_id, status, created_at, id);
CREATE INDEX executions_workflow_status_created_idx ON executions (workflow_id, status, created_at, id);

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
