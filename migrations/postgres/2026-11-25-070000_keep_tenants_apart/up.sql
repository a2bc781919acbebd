-- The database keeps organizations apart itself: row-level security on every table, and a role for each kind of work.
-- gristmill_api sees the rows of the organization that its transaction names, and without one none; gristmill_worker sees
-- all, in the tables and by the commands that are listed here. Nobody logs in as either: a service logs in as a user who is
-- a member of both, and each of its connections takes one.
--
-- Running code of the version before takes no role. It goes on as it did where it connects as the user who migrates, who
-- becomes a member here. Row-level security is forced, so any other user sees nothing from now on until it is made a
-- member: GRANT gristmill_api, gristmill_worker TO <user>.

-- Roles belong to the cluster, and other databases of it may be migrated at the same moment.
DO $$
DECLARE
    service text;
BEGIN
    FOREACH service IN ARRAY ARRAY['gristmill_api', 'gristmill_worker'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = service) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', service);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        BEGIN
            -- A superuser is a member of every role.
            IF NOT pg_has_role(current_user, service, 'USAGE') THEN
                EXECUTE format('GRANT %I TO %I', service, current_user);
            END IF;
        EXCEPTION WHEN unique_violation THEN
            NULL;
        END;
    END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'the user % may not set up the roles of the services (%). As a user who may, run this and then migrate again: CREATE ROLE gristmill_api NOLOGIN; CREATE ROLE gristmill_worker NOLOGIN; GRANT gristmill_api, gristmill_worker TO %;',
        current_user, SQLERRM, quote_ident(current_user);
END $$;

-- Puts a table under the rule of this migration: its rows belong to the organization in `tenant_column`, and these are the
-- commands that each role may use on it, each for some columns only where they are listed behind it (null = none). Every
-- table with an organization_id goes through here, in the migration that creates it.
CREATE FUNCTION gristmill_protect(target regclass, api text, worker text, tenant_column name DEFAULT 'organization_id')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);
    -- As a subquery, so that it is read once for each statement and not once for each row.
    EXECUTE format('CREATE POLICY tenant_rows ON %s TO gristmill_api
        USING (%I = (SELECT current_setting(''gristmill.organization_id'', true)))', target, tenant_column);
    EXECUTE format('CREATE POLICY system_rows ON %s TO gristmill_worker USING (true)', target);
    IF api IS NOT NULL THEN
        EXECUTE format('GRANT %s ON %s TO gristmill_api', api, target);
    END IF;
    IF worker IS NOT NULL THEN
        EXECUTE format('GRANT %s ON %s TO gristmill_worker', worker, target);
    END IF;
END $$;

DO $$ BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO gristmill_api, gristmill_worker', current_schema());
END $$;

-- Which migrations the database has, for the check at a service's start.
GRANT SELECT ON __diesel_schema_migrations TO gristmill_api, gristmill_worker;

-- Whose a key is, and what its owner may do, is asked before a tenant is known, across tenants: of these four tables
-- gristmill_worker sees what answers that, and neither names nor addresses. Who sets up organizations, users and members
-- owns the tables.
SELECT gristmill_protect('organizations', 'SELECT', 'SELECT (id, tier)', 'id');
SELECT gristmill_protect('memberships', 'SELECT', 'SELECT (organization_id, user_id, role)');
SELECT gristmill_protect('api_keys', 'SELECT, INSERT, UPDATE (last_used_at, revoked_at)',
    'SELECT (id, organization_id, user_id, hash, scopes, expires_at, last_used_at, revoked_at)');
-- What was told stays told.
SELECT gristmill_protect('audit_log', 'SELECT, INSERT', NULL);
-- Deleting a workflow is a mark; the row goes with the last of its executions.
SELECT gristmill_protect('workflows', 'SELECT, INSERT, UPDATE', 'SELECT, DELETE');
SELECT gristmill_protect('workflow_revisions', 'SELECT, INSERT', 'SELECT');
SELECT gristmill_protect('executions', 'SELECT, INSERT, UPDATE, DELETE', 'SELECT, INSERT, UPDATE, DELETE');
SELECT gristmill_protect('execution_journal', 'SELECT, INSERT', 'SELECT, INSERT');
SELECT gristmill_protect('execution_inbox', 'SELECT, INSERT', 'SELECT, INSERT');
SELECT gristmill_protect('execution_tags', 'SELECT, INSERT', NULL);
-- Counted by a task of the system's; whoever ends an execution says so.
SELECT gristmill_protect('execution_ends', 'INSERT', 'SELECT, INSERT, DELETE');
SELECT gristmill_protect('workflow_stats', 'SELECT', 'SELECT, INSERT, UPDATE');
SELECT gristmill_protect('workflow_stats_daily', 'SELECT', 'SELECT, INSERT, UPDATE');

-- Everybody sees what is shared, and nobody changes what is another organization's, or nobody's.
SELECT gristmill_protect('workflow_templates', 'SELECT, INSERT, DELETE', NULL);
CREATE POLICY shared_rows ON workflow_templates FOR SELECT TO gristmill_api
    USING (is_shared AND (SELECT current_setting('gristmill.organization_id', true)) <> '');

-- A user belongs to every organization that they are a member of. One who has left is still the author of what they made.
ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON users TO gristmill_api USING (
    EXISTS (
        SELECT FROM memberships m
        WHERE m.organization_id = (SELECT current_setting('gristmill.organization_id', true)) AND m.user_id = users.id
    ) OR EXISTS (
        SELECT FROM workflows w
        WHERE w.organization_id = (SELECT current_setting('gristmill.organization_id', true)) AND w.created_by = users.id
    )
);
CREATE POLICY system_rows ON users TO gristmill_worker USING (true);
GRANT SELECT ON users TO gristmill_api;
GRANT SELECT (id, global_role) ON users TO gristmill_worker;
