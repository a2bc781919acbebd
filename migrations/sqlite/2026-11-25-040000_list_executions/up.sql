-- Lists of executions: by organization or workflow, narrowed by status and time, newest first; and by the producer's tags.
-- Running code of the version before does not exist: one process owns the file.
--
-- The twin of the PostgreSQL migration of the same name.

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
    organization_id text NOT NULL,
    tag text NOT NULL,
    -- The execution's own, so that a page is read without looking at executions that are not on it.
    created_at integer NOT NULL,
    execution_id text NOT NULL,
    PRIMARY KEY (organization_id, tag, created_at, execution_id),
    FOREIGN KEY (organization_id, execution_id) REFERENCES executions (organization_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The way of a deleted execution to its tags.
CREATE INDEX execution_tags_execution_idx ON execution_tags (organization_id, execution_id);
