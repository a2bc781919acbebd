-- The audit log by who did it and with which key, however long it is. Running code of the version before sees nothing new;
-- building the indexes holds its writes up once, for as long as it takes to read the table.
CREATE INDEX audit_log_actor_idx ON audit_log (organization_id, actor_user_id, created_at, id)
    WHERE actor_user_id IS NOT NULL;
CREATE INDEX audit_log_key_idx ON audit_log (organization_id, api_key_id, created_at, id) WHERE api_key_id IS NOT NULL;
