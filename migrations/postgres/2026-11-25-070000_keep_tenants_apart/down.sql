-- The roles stay: other databases of the cluster use them, too.
DO $$
DECLARE
    target regclass;
    policy name;
BEGIN
    FOR target, policy IN SELECT polrelid::regclass, polname FROM pg_policy WHERE polname IN ('tenant_rows', 'system_rows', 'shared_rows') LOOP
        EXECUTE format('DROP POLICY %I ON %s', policy, target);
        EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY', target);
    END LOOP;
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM gristmill_api, gristmill_worker', current_schema());
    EXECUTE format('REVOKE ALL ON SCHEMA %I FROM gristmill_api, gristmill_worker', current_schema());
END $$;
DROP FUNCTION gristmill_protect(regclass, text, text, name);
