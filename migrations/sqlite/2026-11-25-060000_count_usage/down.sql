ALTER TABLE executions DROP COLUMN metadata;
ALTER TABLE executions DROP COLUMN tags;
DROP TABLE usage_counters;
