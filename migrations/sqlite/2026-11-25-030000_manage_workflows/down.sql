-- What is held for a paused workflow goes on: the version before knows no pause.
UPDATE executions SET status = 'PENDING', wake_at = CAST(round(unixepoch('subsec') * 1000) AS integer) * 1000, waits_for = NULL
WHERE waits_for = 'paused';
DROP TABLE execution_ends;
DROP TABLE workflow_stats_daily;
DROP TABLE workflow_stats;
DROP TABLE workflow_templates;
DROP INDEX executions_held_idx;
DROP INDEX workflows_deleted_idx;
ALTER TABLE workflows DROP COLUMN emptied_at;
ALTER TABLE workflows DROP COLUMN deleted_at;
ALTER TABLE workflows DROP COLUMN paused_at;
ALTER TABLE workflows DROP COLUMN search_text;
ALTER TABLE workflows DROP COLUMN template_id;
ALTER TABLE workflows DROP COLUMN edition;
