-- The audit log by who did it and with which key, however long it is. Running code of the version before does not exist:
-- one process owns the file.
--
-- The twin of the PostgreSQL migration of the same name.
CREATE INDEX audit_log_actor_idx ON audit_log (organization_id, actor_user_id, created_at, id)
    WHERE actor_user_id IS NOT NULL;
CREATE INDEX audit_log_key_idx ON audit_log (organization_id, api_key_id, created_at, id) WHERE api_key_id IS NOT NULL;
