//! What is left on pooled connections: no tenant and no open transaction, whatever happened to their last borrower.

use std::time::Duration;

use diesel::sql_types::{Nullable, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use gristmill_core::OrganizationId;
use gristmill_testkit::TestDatabase;

use super::{PostgresPool, Shared};
use crate::connection::erased::erase;
use crate::connection::scope::{Administration, Scope};
use crate::{Error, Options, System, Tenant};

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// A pool with one connection for tenants.
fn pool(db: &TestDatabase) -> PostgresPool {
    let options = Options {
        pool_size: 1,
        statement_timeout: Duration::from_millis(200),
        ..Options::new(db.url())
    };
    PostgresPool::new(&options).unwrap()
}

fn tenant() -> Tenant {
    Tenant(OrganizationId::new())
}

const NAMED: &str = "SELECT nullif(current_setting('gristmill.organization_id', true), '') AS value";

/// One statement of a tenant's.
async fn state<F>(pool: &PostgresPool, tenant: &Tenant, body: F) -> Result<Option<String>, Error>
where
    F: for<'c> FnOnce(Shared<'c>) -> Boxed<'c> + Send + 'static,
{
    pool.session(tenant, move |session| {
        Box::pin(async move { session.statement(body(&mut &*session.connection)).await })
    })
    .await
}

/// Which tenant the connection that the pool lends next is named, before anybody names one; and that no transaction is
/// open on it.
async fn left(pool: &PostgresPool) -> Option<String> {
    let (work, answer) = erase(|connection: &mut AsyncPgConnection| {
        Box::pin(async move {
            let within = connection.batch_execute("SAVEPOINT within").await.unwrap_err();
            assert!(within.to_string().contains("transaction block"), "{within}");
            value(&mut &*connection, NAMED).await
        })
    });
    pool.tenants.run(work).await.unwrap();
    answer.take().unwrap()
}

async fn value(connection: Shared<'_>, sql: &str) -> Result<Option<String>, Error> {
    Ok(sql_query(sql).get_result::<Value>(connection).await?.value)
}

async fn fail(connection: Shared<'_>) -> Result<Option<String>, Error> {
    value(connection, "SELECT (1 / 0)::text AS value").await
}

async fn hang(connection: Shared<'_>) -> Result<Option<String>, Error> {
    value(connection, "SELECT pg_sleep(30)::text AS value").await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_scope_works_as_its_role() {
    let db = TestDatabase::postgres().await;
    let pool = pool(&db);
    const WHO: &str = "SELECT current_user::text AS value";
    let who = async |scope: Scope| pool.read_in(scope, |c| Box::pin(value(c, WHO))).await.unwrap();
    assert_eq!(who((&tenant()).into()).await.as_deref(), Some("gristmill_api"));
    assert_eq!(who(System.into()).await.as_deref(), Some("gristmill_worker"));
    let administrator = who(Administration.into()).await.unwrap();
    assert!(!administrator.starts_with("gristmill_"), "{administrator}");
}

/// Should a statement ever forget to say whose rows it means, the database does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_forgets_its_organization_meets_its_tenants_rows_only() {
    let db = TestDatabase::postgres().await;
    let (pool, turns) = (pool(&db), [tenant(), tenant()]);
    let mut owner = AsyncPgConnection::establish(db.url()).await.unwrap();
    for Tenant(id) in &turns {
        let new = format!("INSERT INTO organizations (id, name) VALUES ('{id}', 'Mill')");
        owner.batch_execute(&new).await.unwrap();
    }
    const ALL: &str = "SELECT string_agg(id, ' ' ORDER BY id) AS value FROM organizations";
    let mut all = Vec::new();
    for tenant in &turns {
        let id = Some(tenant.0.to_string());
        let read = pool.read_in(tenant, |c| Box::pin(value(c, ALL))).await;
        assert_eq!(read.unwrap(), id);
        let stated = state(&pool, tenant, |c| Box::pin(value(c, ALL))).await;
        assert_eq!(stated.unwrap(), id);
        let transaction =
            pool.transaction_in(tenant, |c| Box::pin(async move { value(&mut &*c, ALL).await }));
        assert_eq!(transaction.await.unwrap(), id);
        all.extend(id);
    }
    all.sort();
    let system = pool.run_as_system(|c| Box::pin(async move { value(&mut &*c, ALL).await }));
    assert_eq!(system.await.unwrap(), Some(all.join(" ")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_named_for_as_long_as_its_transaction_takes() {
    let db = TestDatabase::postgres().await;
    let (pool, tenant) = (pool(&db), tenant());
    let named = Some(tenant.0.to_string());
    for _ in 0..2 {
        let read = pool.read_in(&tenant, |c| Box::pin(value(c, NAMED)));
        assert_eq!(read.await.unwrap(), named);
        assert_eq!(left(&pool).await, None);
        let stated = state(&pool, &tenant, |c| Box::pin(value(c, NAMED)));
        assert_eq!(stated.await.unwrap(), named);
        assert_eq!(left(&pool).await, None);
        let transaction =
            pool.transaction_in(&tenant, |c| Box::pin(async move { value(&mut &*c, NAMED).await }));
        assert_eq!(transaction.await.unwrap(), named);
        assert_eq!(left(&pool).await, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_request_leaves_no_tenant_and_no_transaction() {
    let db = TestDatabase::postgres().await;
    let (pool, tenant) = (pool(&db), tenant());
    for body in [fail_boxed, hang_boxed] {
        pool.read_in(&tenant, body).await.unwrap_err();
        assert_eq!(left(&pool).await, None);
        state(&pool, &tenant, body).await.unwrap_err();
        assert_eq!(left(&pool).await, None);
        let transaction =
            pool.transaction_in(&tenant, move |c| Box::pin(async move { body(&mut &*c).await }));
        transaction.await.unwrap_err();
        assert_eq!(left(&pool).await, None);
    }
}

type Boxed<'c> = futures_util::future::BoxFuture<'c, Result<Option<String>, Error>>;

fn fail_boxed<'c>(connection: Shared<'c>) -> Boxed<'c> {
    Box::pin(fail(connection))
}

fn hang_boxed<'c>(connection: Shared<'c>) -> Boxed<'c> {
    Box::pin(hang(connection))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_request_leaves_no_tenant_and_no_transaction() {
    let db = TestDatabase::postgres().await;
    let pool = pool(&db);
    for _ in 0..3 {
        let (pool, tenant) = (pool.clone(), tenant());
        let asked = tokio::spawn(async move { state(&pool, &tenant, hang_boxed).await });
        wait_until_asked(&db).await;
        asked.abort();
        assert!(asked.await.unwrap_err().is_cancelled());
    }
    assert_eq!(left(&pool).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_within_a_tenants_transaction_closes_its_connection() {
    let db = TestDatabase::postgres().await;
    let (pool, tenant) = (pool(&db), tenant());
    let panicked = pool.read_in(&tenant, |c| {
        Box::pin(async move {
            value(c, NAMED).await?;
            panic!("half way")
        })
    });
    assert!(matches!(panicked.await, Err::<(), _>(Error::Task(_))));
    assert_eq!(left(&pool).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_committed_before_it_is_answered_and_a_read_cannot_write() {
    let db = TestDatabase::postgres().await;
    let pool = pool(&db);
    let user =
        "INSERT INTO users (id, name, email) VALUES ('u', 'Ada', 'ada@example.com') RETURNING id AS value";
    let mut owner = AsyncPgConnection::establish(db.url()).await.unwrap();
    value(&mut &owner, user).await.unwrap();
    let organization = tenant();
    let new = format!(
        "INSERT INTO organizations (id, name) VALUES ('{}', 'Mill') RETURNING id AS value",
        organization.0
    );
    value(&mut &owner, &new).await.unwrap();
    // Prepared on this connection for the first time: the commit must not overtake it.
    let workflow = format!(
        "INSERT INTO workflows (id, organization_id, name, revision, created_by)
         VALUES ('wf', '{}', 'x', 1, 'u') RETURNING id AS value",
        organization.0
    );
    let again = workflow.clone();
    let refused = pool.read_in(&organization, move |c| {
        Box::pin(async move { value(c, &again).await })
    });
    let refused = refused.await.unwrap_err();
    assert!(
        matches!(&refused, Error::Busy(cause) if cause.to_string().contains("read-only")),
        "{refused:?}"
    );
    let written = state(&pool, &organization, move |c| {
        Box::pin(async move { value(c, &workflow).await })
    });
    assert_eq!(written.await.unwrap().as_deref(), Some("wf"));
    let seen = sql_query("SELECT count(*)::text AS value FROM workflows")
        .get_result::<Value>(&mut owner)
        .await
        .unwrap();
    assert_eq!(seen.value.as_deref(), Some("1"));
}

/// With one connection for both, each names itself every time.
#[tokio::test(flavor = "multi_thread")]
async fn two_organizations_share_a_connection_and_never_each_others_name() {
    let db = TestDatabase::postgres().await;
    let pool = pool(&db);
    let turns = [tenant(), tenant()].map(|tenant| {
        let pool = pool.clone();
        async move {
            for turn in 0..50 {
                let named = match turn % 3 {
                    0 => pool.read_in(&tenant, |c| Box::pin(value(c, NAMED))).await,
                    1 => state(&pool, &tenant, |c| Box::pin(value(c, NAMED))).await,
                    _ => {
                        pool.transaction_in(&tenant, |c| {
                            Box::pin(async move { value(&mut &*c, NAMED).await })
                        })
                        .await
                    }
                };
                assert_eq!(named.unwrap(), Some(tenant.0.to_string()));
            }
        }
    });
    futures_util::future::join_all(turns.map(tokio::spawn))
        .await
        .into_iter()
        .for_each(|turn| turn.unwrap());
    assert_eq!(left(&pool).await, None);
}

/// Until the server works on something that takes its time.
async fn wait_until_asked(db: &TestDatabase) {
    let mut session = AsyncPgConnection::establish(db.url()).await.unwrap();
    let asked = "SELECT count(*)::text AS value FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event = 'PgSleep'";
    while sql_query(asked)
        .get_result::<Value>(&mut session)
        .await
        .unwrap()
        .value
        .as_deref()
        != Some("1")
    {
        tokio::task::yield_now().await;
    }
}
