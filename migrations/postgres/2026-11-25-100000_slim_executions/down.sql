DROP INDEX execution_tags_execution_idx;
CREATE INDEX execution_tags_execution_idx ON execution_tags (organization_id, execution_id);

ALTER TABLE executions ADD CONSTRAINT executions_organization_id_is_part_of_the_key UNIQUE (organization_id, id);
ALTER TABLE execution_tags
    DROP CONSTRAINT execution_tags_execution_id_fkey,
    ADD CONSTRAINT execution_tags_organization_id_execution_id_fkey FOREIGN KEY (organization_id, execution_id)
        REFERENCES executions (organization_id, id) ON DELETE CASCADE;
ALTER TABLE execution_inbox
    DROP CONSTRAINT execution_inbox_execution_id_fkey,
    ADD CONSTRAINT execution_inbox_organization_id_execution_id_fkey FOREIGN KEY (organization_id, execution_id)
        REFERENCES executions (organization_id, id) ON DELETE CASCADE;
ALTER TABLE execution_journal
    DROP CONSTRAINT execution_journal_execution_id_fkey,
    ADD CONSTRAINT execution_journal_organization_id_execution_id_fkey FOREIGN KEY (organization_id, execution_id)
        REFERENCES executions (organization_id, id) ON DELETE CASCADE;
