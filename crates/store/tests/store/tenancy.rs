//! What PostgreSQL itself sees to: which role may do what, and that none sees or writes another organization's rows.

use std::collections::BTreeSet;

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use gristmill_store::{Error, Options, Store, System, Tenant};
use gristmill_testkit::TestDatabase;
use uuid::Uuid;

use crate::raw;
use crate::world::World;

/// Every table, with what `gristmill_api` and `gristmill_worker` may do with it, some of it with these columns only. Whose
/// each row is stands in [`POLICIES`]; that of a table which is missing there is its `organization_id`'s.
const TABLES: &[(&str, &str, &str)] = &[
    (
        "api_keys",
        "INSERT SELECT UPDATE(revoked_at,last_used_at)",
        "SELECT(id,organization_id,user_id,hash,revoked_at,scopes,expires_at,last_used_at)",
    ),
    ("audit_log", "INSERT SELECT", ""),
    ("execution_ends", "INSERT", "DELETE INSERT SELECT"),
    ("execution_inbox", "INSERT SELECT", "INSERT SELECT"),
    ("execution_journal", "INSERT SELECT", "INSERT SELECT"),
    ("execution_tags", "INSERT SELECT", ""),
    (
        "executions",
        "DELETE INSERT SELECT UPDATE",
        "DELETE INSERT SELECT UPDATE",
    ),
    ("memberships", "SELECT", "SELECT(organization_id,user_id,role)"),
    ("organizations", "SELECT", "SELECT(id,tier)"),
    ("users", "SELECT", "SELECT(id,global_role)"),
    ("usage_counters", "INSERT SELECT UPDATE", "INSERT SELECT UPDATE"),
    ("workflow_revisions", "INSERT SELECT", "DELETE SELECT"),
    ("workflow_stats", "SELECT", "INSERT SELECT UPDATE"),
    ("workflow_stats_daily", "SELECT", "INSERT SELECT UPDATE"),
    ("workflow_templates", "DELETE INSERT SELECT", ""),
    ("workflows", "INSERT SELECT UPDATE", "DELETE SELECT"),
];

/// Of which rows a tenant's are told otherwise than by `organization_id`.
const POLICIES: &[(&str, &str)] = &[
    (
        "organizations",
        "(id = ( SELECT current_setting('gristmill.organization_id'::text, true) AS current_setting))",
    ),
    (
        "users",
        "((EXISTS ( SELECT FROM memberships m \
           WHERE ((m.organization_id = ( SELECT current_setting('gristmill.organization_id'::text, true) AS current_setting)) \
           AND (m.user_id = users.id)))) \
           OR (EXISTS ( SELECT FROM workflows w \
           WHERE ((w.organization_id = ( SELECT current_setting('gristmill.organization_id'::text, true) AS current_setting)) \
           AND (w.created_by = users.id)))))",
    ),
];

const BY_ORGANIZATION: &str = "(organization_id = ( SELECT current_setting('gristmill.organization_id'::text, true) AS current_setting))";

/// The one policy that gives a tenant more than its own: what is shared, to see.
const SHARED: &str = "workflow_templates shared_rows PERMISSIVE SELECT gristmill_api \
    (is_shared AND (( SELECT current_setting('gristmill.organization_id'::text, true) AS current_setting) <> ''::text))";

const ROLES: [&str; 2] = ["gristmill_api", "gristmill_worker"];

#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_protected_as_listed() {
    let db = TestDatabase::postgres().await;
    let secured = "SELECT relname || ' ' || relrowsecurity || ' ' || relforcerowsecurity AS value FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname NOT LIKE '%diesel%'";
    let expected = TABLES.iter().map(|(table, ..)| format!("{table} true true"));
    assert_eq!(set(&db, secured).await, expected.collect());

    let policies = r"SELECT tablename || ' ' || policyname || ' ' || permissive || ' ' || cmd || ' ' || array_to_string(roles, ',')
        || ' ' || regexp_replace(qual, '\s+', ' ', 'g') || coalesce(' checks ' || with_check, '') AS value
        FROM pg_policies WHERE schemaname = 'public'";
    let expected = TABLES.iter().flat_map(|(table, ..)| {
        let other = POLICIES.iter().find(|(other, _)| other == table);
        let mine = other.map_or(BY_ORGANIZATION, |(_, mine)| mine);
        [
            format!("{table} tenant_rows PERMISSIVE ALL gristmill_api {mine}"),
            format!("{table} system_rows PERMISSIVE ALL gristmill_worker true"),
        ]
    });
    let expected = expected.chain([SHARED.to_owned()]);
    assert_eq!(set(&db, policies).await, expected.collect());

    assert_eq!(set(&db, GRANTS).await, grants());
}

/// What anybody but a table's owner may do with it.
const GRANTS: &str = "
    WITH tables AS (
        SELECT oid, relname, relowner, relacl FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE '%diesel%'
    ), given AS (
        SELECT relname, relowner, grantee, privilege_type AS command FROM tables, aclexplode(relacl)
        UNION ALL
        SELECT relname, relowner, grantee, privilege_type || '(' || string_agg(attname, ',' ORDER BY attnum) || ')'
        FROM tables JOIN pg_attribute ON attrelid = tables.oid, aclexplode(attacl)
        GROUP BY relname, relowner, grantee, privilege_type
    )
    SELECT relname || ' ' || CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END || ' '
        || string_agg(command, ' ' ORDER BY command) AS value
    FROM given WHERE grantee <> relowner GROUP BY relname, grantee";

fn grants() -> BTreeSet<String> {
    let grants = TABLES.iter().flat_map(|(table, api, worker)| {
        let grants = [("gristmill_api", api), ("gristmill_worker", worker)].into_iter();
        let some = grants.filter(|(_, commands)| !commands.is_empty());
        some.map(move |(role, commands)| format!("{table} {role} {commands}"))
    });
    grants.collect()
}

/// Whether a role may use a command on all columns of a table.
fn has(may: &str, command: &str) -> bool {
    may.split(' ').any(|other| other == command)
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_logs_in_as_a_services_role_and_none_gets_past_the_policies() {
    let db = TestDatabase::postgres().await;
    let plain = "SELECT rolname AS value FROM pg_roles WHERE rolname IN ('gristmill_api', 'gristmill_worker')
        AND NOT (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb OR rolreplication)
        AND NOT EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid)";
    assert_eq!(set(&db, plain).await, ROLES.map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_tenant_the_api_sees_nothing_and_inserts_nothing() {
    let db = TestDatabase::postgres().await;
    let theirs = fill(&db).await;
    let mut api = connect_as(&db, "gristmill_api").await;
    for (table, may, _) in TABLES {
        if has(may, "SELECT") {
            assert_eq!(count(&mut api, table, "true").await, 0, "{table}");
        }
        let refused = insert_again(&mut api, &db, table, &theirs).await.unwrap_err();
        assert_refused(table, may, &refused.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_neither_sees_nor_changes_another_ones_rows() {
    let db = TestDatabase::postgres().await;
    let (theirs, mine) = (fill(&db).await, World::new(&db).await.tenant);
    let mut api = connect_as(&db, "gristmill_api").await;
    let begin = format!(
        "BEGIN; SELECT set_config('gristmill.organization_id', '{}', true)",
        mine.0
    );
    for (table, may, _) in TABLES {
        api.batch_execute(&begin).await.unwrap();
        let others = whose(table, &theirs);
        if has(may, "SELECT") {
            assert_eq!(count(&mut api, table, &others).await, 0, "{table}");
        }
        if ["workflows", "users", "organizations", "memberships"].contains(table) {
            assert_eq!(count(&mut api, table, "true").await, 1, "{table}");
        }
        if has(may, "DELETE") {
            let delete = format!("DELETE FROM {table} WHERE {others}");
            let gone = diesel::sql_query(delete).execute(&mut api).await.unwrap();
            assert_eq!(gone, 0, "{table}");
        }
        if has(may, "UPDATE") {
            let steal = format!("UPDATE {table} SET organization_id = '{}' WHERE {others}", mine.0);
            let stolen = diesel::sql_query(steal).execute(&mut api).await.unwrap();
            assert_eq!(stolen, 0, "{table}");
        }
        let refused = insert_again(&mut api, &db, table, &theirs).await.unwrap_err();
        assert_refused(table, may, &refused.to_string());
        api.batch_execute("ROLLBACK").await.unwrap();
    }
}

/// What is shared everybody may see, who is somebody.
#[tokio::test(flavor = "multi_thread")]
async fn a_shared_template_is_seen_by_all_and_taken_back_by_its_owner_alone() {
    let db = TestDatabase::postgres().await;
    let (theirs, mine) = (fill(&db).await, World::new(&db).await.tenant);
    let others = whose("workflow_templates", &theirs);
    let mut api = connect_as(&db, "gristmill_api").await;
    let share = format!("UPDATE workflow_templates SET is_shared = true WHERE {others}");
    raw::execute(&db, &share).await;
    assert_eq!(count(&mut api, "workflow_templates", "true").await, 0);
    for (tenant, gone) in [(&mine, 0), (&theirs, 1)] {
        let begin = format!(
            "BEGIN; SELECT set_config('gristmill.organization_id', '{}', true)",
            tenant.0
        );
        api.batch_execute(&begin).await.unwrap();
        assert_eq!(count(&mut api, "workflow_templates", &others).await, 1);
        assert!(count(&mut api, "workflow_templates", "organization_id IS NULL").await > 5);
        let delete = diesel::sql_query("DELETE FROM workflow_templates");
        assert_eq!(delete.execute(&mut api).await.unwrap(), gone);
        api.batch_execute("ROLLBACK").await.unwrap();
    }
}

/// The owner is no superuser in many places, and forced row-level security is for owners, too.
#[tokio::test(flavor = "multi_thread")]
async fn an_ordinary_owner_migrates_and_runs_the_services() {
    let user = User::new("CREATEROLE").await;
    let db = user.own_database().await;
    let store = Store::open(Options::new(&db.url)).unwrap();
    store.migrate().await.unwrap();
    store.check_schema().await.unwrap();
    store.ping().await.unwrap();
    let owner = crate::plain::bootstrap_as_ada(&store).await.unwrap();
    assert_eq!(store.first_organization(System).await.unwrap(), Some(owner));
    drop(store);
    db.drop().await;
    user.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_not_make_roles_is_told_what_to_run() {
    // Makes sure that the cluster has the roles: this user lacks the right to be a member.
    let _db = TestDatabase::postgres().await;
    let user = User::new("").await;
    let db = user.own_database().await;
    let store = Store::open(Options::new(&db.url)).unwrap();
    let Error::Migrate(reason) = store.migrate().await.unwrap_err() else {
        panic!("not a failed migration")
    };
    let grant = format!("GRANT gristmill_api, gristmill_worker TO {};", user.name);
    assert!(reason.to_string().contains(&grant), "{reason}");
    drop(store);
    // What it says is enough.
    as_superuser(&grant).await;
    let store = Store::open(Options::new(&db.url)).unwrap();
    store.migrate().await.unwrap();
    store.check_schema().await.unwrap();
    drop(store);
    db.drop().await;
    user.drop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_user_is_no_member_is_told_so() {
    let db = TestDatabase::postgres().await;
    let user = User::new("").await;
    let store = Store::open(Options::new(as_user(db.url(), &user.name))).unwrap();
    for (lacking, grant) in [
        ("gristmill_api and gristmill_worker", "gristmill_worker"),
        ("gristmill_api:", "gristmill_api"),
    ] {
        let refused = store.check_schema().await.unwrap_err();
        assert!(matches!(refused, Error::NoMember { .. }), "{refused:?}");
        assert!(refused.to_string().contains(lacking), "{refused}");
        let Error::Connect(reason) = store.ping().await.unwrap_err() else {
            panic!("not a connect error")
        };
        assert!(reason.to_string().contains("GRANT gristmill_api"), "{reason}");
        as_superuser(&format!("GRANT {grant} TO {}", user.name)).await;
    }
    store.check_schema().await.unwrap();
    store.ping().await.unwrap();
    // A service's user owns nothing: it does not make organizations.
    let refused = crate::plain::bootstrap_as_ada(&store).await.unwrap_err();
    assert!(matches!(refused, Error::Statement(_)), "{refused:?}");
    drop(store);
    user.drop().await;
}

/// An organization with at least one row in each table.
async fn fill(db: &TestDatabase) -> Tenant {
    let world = World::new(db).await;
    let id = world.failed().await;
    let (organization, workflow) = (&world.tenant.0, &world.workflow);
    let rows = format!(
        "INSERT INTO execution_journal (organization_id, execution_id, seq, format, body)
             VALUES ('{organization}', '{id}', 90, 1, '[]');
         INSERT INTO execution_inbox (organization_id, execution_id, seq, key, name, body)
             VALUES ('{organization}', '{id}', 90, 'k', 'n', '');
         INSERT INTO execution_tags (organization_id, tag, created_at, execution_id)
             VALUES ('{organization}', 'a', now(), '{id}');
         INSERT INTO audit_log (id, organization_id, action, object_kind, object_id)
             VALUES ('aud_{organization}', '{organization}', 'x', 'y', 'z');
         INSERT INTO usage_counters (organization_id, month, slot, executions) VALUES ('{organization}', '2026-11', 1, 1);
         INSERT INTO workflow_stats (organization_id, workflow_id) VALUES ('{organization}', '{workflow}');
         INSERT INTO workflow_stats_daily (organization_id, day, workflow_id, status, bucket)
             VALUES ('{organization}', 1, '{workflow}', 'FAILED', 1);
         INSERT INTO workflow_templates (id, organization_id, name, search_text, category, definition)
             VALUES ('tpl_{organization}', '{organization}', '', '', '', '{{}}');
         INSERT INTO api_keys (id, organization_id, user_id, name, prefix, hash)
             SELECT 'key_' || user_id, organization_id, user_id, '', '', user_id FROM memberships
             WHERE organization_id = '{organization}'"
    );
    raw::execute(db, &rows).await;
    world.tenant
}

/// The rows of an organization's in a table.
fn whose(table: &str, Tenant(organization): &Tenant) -> String {
    match table {
        "organizations" => format!("id = '{organization}'"),
        // Of the memberships a tenant sees its own.
        "users" => "id NOT IN (SELECT user_id FROM memberships)".to_owned(),
        _ => format!("organization_id = '{organization}'"),
    }
}

/// Inserts some row of an organization's into its table a second time, as `connection`.
async fn insert_again(
    connection: &mut AsyncPgConnection,
    db: &TestDatabase,
    table: &str,
    tenant: &Tenant,
) -> Result<usize, diesel::result::Error> {
    let whose = match table {
        "users" => "true".to_owned(),
        _ => whose(table, tenant),
    };
    let row = format!("SELECT to_jsonb(t)::text AS value FROM {table} t WHERE {whose} LIMIT 1");
    let row = raw::texts(db, &row).await.pop().flatten();
    let row = row.unwrap_or_else(|| panic!("{table} is empty: `fill` puts a row into each table"));
    diesel::sql_query(format!(
        "INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, $1::jsonb)"
    ))
    .bind::<Text, _>(row)
    .execute(connection)
    .await
}

/// It is refused before its key is looked at.
#[track_caller]
fn assert_refused(table: &str, may: &str, refused: &str) {
    let reason = if has(may, "INSERT") {
        "violates row-level security policy"
    } else {
        "permission denied"
    };
    assert!(refused.contains(reason), "{table}: {refused}");
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

async fn count(connection: &mut AsyncPgConnection, table: &str, whose: &str) -> i64 {
    let rows = diesel::sql_query(format!("SELECT count(*) AS count FROM {table} WHERE {whose}"));
    rows.get_result::<Count>(connection).await.unwrap().count
}

async fn connect_as(db: &TestDatabase, role: &str) -> AsyncPgConnection {
    let url = format!("{}?options=-c%20role%3D{role}", db.url());
    AsyncPgConnection::establish(&url).await.unwrap()
}

async fn set(db: &TestDatabase, sql: &str) -> BTreeSet<String> {
    raw::texts(db, sql).await.into_iter().flatten().collect()
}

/// A user of the cluster, who is there for one test.
pub(crate) struct User {
    name: String,
}

/// A user's database, which is there for one test.
pub(crate) struct OwnDatabase {
    name: String,
    pub(crate) url: String,
}

impl User {
    pub(crate) async fn new(rights: &str) -> Self {
        let user = Self {
            name: format!("gristmill_user_{}", Uuid::new_v4().simple()),
        };
        as_superuser(&format!("CREATE USER {} {rights}", user.name)).await;
        user
    }

    pub(crate) async fn own_database(&self) -> OwnDatabase {
        let name = format!("gristmill_test_{}", Uuid::new_v4().simple());
        as_superuser(&format!("CREATE DATABASE {name} OWNER {}", self.name)).await;
        let mut url = url::Url::parse(&server()).unwrap();
        url.set_path(&name);
        OwnDatabase {
            url: as_user(url.as_str(), &self.name),
            name,
        }
    }

    pub(crate) async fn drop(self) {
        as_superuser(&format!("DROP USER {}", self.name)).await;
    }
}

impl OwnDatabase {
    pub(crate) async fn drop(self) {
        as_superuser(&format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

fn server() -> String {
    std::env::var("DATABASE_URL").unwrap()
}

async fn as_superuser(sql: &str) {
    let mut connection = AsyncPgConnection::establish(&server()).await.unwrap();
    connection.batch_execute(sql).await.unwrap();
}

fn as_user(url: &str, user: &str) -> String {
    let mut url = url::Url::parse(url).unwrap();
    url.set_username(user).unwrap();
    url.into()
}
