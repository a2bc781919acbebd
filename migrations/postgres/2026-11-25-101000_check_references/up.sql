-- Old rows are held against the references of the migration before. This reads three tables, and lets everybody read and
-- write meanwhile.
ALTER TABLE execution_journal VALIDATE CONSTRAINT execution_journal_execution_id_fkey;
ALTER TABLE execution_inbox VALIDATE CONSTRAINT execution_inbox_execution_id_fkey;
ALTER TABLE execution_tags VALIDATE CONSTRAINT execution_tags_execution_id_fkey;
