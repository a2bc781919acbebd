DROP TABLE audit_log;
DROP INDEX memberships_user_idx;
DROP INDEX api_keys_organization_idx;
ALTER TABLE api_keys DROP COLUMN last_used_at;
ALTER TABLE api_keys DROP COLUMN expires_at;
ALTER TABLE api_keys DROP COLUMN scopes;
