-- What belongs to an execution names it by its id alone: an id is unique across organizations, and the statements that
-- write journal, mail and tags take the organization from the execution's own row. The unique index over (organization_id,
-- id), which nothing else needed, was written three times in the life of each execution, and cost a twentieth of the
-- throughput.
--
-- Running code of the version before looks executions up by their id as well, and what it writes stays valid. The tables
-- are locked for a moment; that old rows keep to the new references is known from the references that they replace, and
-- looked at in the next migration, which locks nobody out.
ALTER TABLE execution_journal
    DROP CONSTRAINT execution_journal_organization_id_execution_id_fkey,
    ADD CONSTRAINT execution_journal_execution_id_fkey FOREIGN KEY (execution_id) REFERENCES executions (id)
        ON DELETE CASCADE NOT VALID;
ALTER TABLE execution_inbox
    DROP CONSTRAINT execution_inbox_organization_id_execution_id_fkey,
    ADD CONSTRAINT execution_inbox_execution_id_fkey FOREIGN KEY (execution_id) REFERENCES executions (id)
        ON DELETE CASCADE NOT VALID;
ALTER TABLE execution_tags
    DROP CONSTRAINT execution_tags_organization_id_execution_id_fkey,
    ADD CONSTRAINT execution_tags_execution_id_fkey FOREIGN KEY (execution_id) REFERENCES executions (id)
        ON DELETE CASCADE NOT VALID;
ALTER TABLE executions DROP CONSTRAINT executions_organization_id_is_part_of_the_key;

-- The way of a deleted execution to its tags.
DROP INDEX execution_tags_execution_idx;
CREATE INDEX execution_tags_execution_idx ON execution_tags (execution_id);
