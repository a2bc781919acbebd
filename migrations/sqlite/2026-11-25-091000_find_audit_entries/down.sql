DROP INDEX audit_log_key_idx;
DROP INDEX audit_log_actor_idx;
