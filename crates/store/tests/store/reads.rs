//! Reads: how much PostgreSQL reads for those who look for little among much.

use gristmill_core::{ApiKeyId, UserId};
use gristmill_store::{Action, AuditFilter, ObjectKind, Options, Store, System, TemplateFilter};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::workflows::{delete, make_quiet};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_one_workflows_executions_reads_few_of_others() {
    let db = TestDatabase::postgres().await;
    let (ours, theirs) = (World::new(&db).await, World::new(&db).await);
    raw::execute(&db, "ALTER TABLE executions SET (autovacuum_enabled = false)").await;
    let other = ours.add_workflow("default").await;
    for (world, workflow) in [(&ours, &other), (&theirs, &theirs.workflow)] {
        // Their ids are in no order, so that neighbours in an index are none in the table.
        let many = format!(
            "INSERT INTO executions (id, organization_id, workflow_id, revision, lane, request_hash, input, status, wake_at,
                output, completed_at)
             SELECT 'wf_exec_' || md5('{workflow}' || n), '{}', '{workflow}', 1, 'default', '', '{{}}', status,
                CASE status WHEN 'PENDING' THEN clock_timestamp() END, CASE status WHEN 'COMPLETED' THEN '{{}}' END,
                CASE status WHEN 'COMPLETED' THEN clock_timestamp() END
             FROM (
                SELECT n, CASE n % 2 WHEN 0 THEN 'PENDING' ELSE 'COMPLETED' END AS status FROM generate_series(1, 10000) n
             ) numbered",
            world.tenant.0
        );
        raw::execute(&db, &many).await;
    }
    let empty = ours.add_workflow("default").await;
    for _ in 0..3 {
        ours.completed().await;
        ours.waiting().await;
    }
    for analysed in [false, true] {
        if analysed {
            raw::execute(&db, "ANALYZE executions").await;
        }
        for (workflow, ended, unfinished) in [(&ours.workflow, 3, 3), (&empty, 0, 0)] {
            let found = db
                .store()
                .workflow(&ours.tenant, workflow)
                .await
                .unwrap()
                .unwrap();
            let about = few(&db, "executions", "the last executions", async |store| {
                store.about_workflow(&ours.tenant, &found, 10).await.unwrap()
            });
            assert_eq!(about.await.recent.len(), ended + unfinished);
            let left = few(&db, "executions", "the unfinished executions", async |store| {
                let page = store.unfinished_executions(&ours.tenant, workflow, None, 500);
                page.await.unwrap()
            });
            assert_eq!(left.await.0.len(), unfinished);
        }
    }
    for workflow in [&ours.workflow, &empty, &other] {
        delete(&db, &ours.tenant, workflow).await;
        make_quiet(&db, workflow).await;
        db.store().note_emptied(&ours.tenant, workflow).await.unwrap();
    }
    let bare = few(
        &db,
        "executions",
        "the deleted workflows without executions",
        async |store| store.bare_workflows(System, 100).await.unwrap(),
    );
    assert_eq!(bare.await, [empty]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_a_long_audit_log_reads_few_blocks_whatever_is_wanted_of_it() {
    let db = TestDatabase::postgres().await;
    let (ours, theirs) = (World::new(&db).await, World::new(&db).await);
    raw::execute(&db, "ALTER TABLE audit_log SET (autovacuum_enabled = false)").await;
    let (user, key) = (UserId::new(), ApiKeyId::new());
    for world in [&ours, &theirs] {
        // In no order. The oldest of all are somebody else's, and done with another key.
        let many = format!(
            "INSERT INTO audit_log (id, organization_id, created_at, actor_user_id, api_key_id, action, object_kind, object_id)
             SELECT 'audit_' || md5('{0}' || n), '{0}', to_timestamp(1700000000 + n), CASE WHEN n <= 3 THEN '{user}' ELSE '{1}' END,
                CASE WHEN n <= 3 THEN '{key}' ELSE '{2}' END, CASE WHEN n <= 3 THEN 'api_key.create' ELSE 'workflow.update' END,
                CASE WHEN n <= 3 THEN 'api_key' ELSE 'workflow' END, 'wf_1'
             FROM generate_series(1, 10000) n ORDER BY random()",
            world.tenant.0,
            UserId::new(),
            ApiKeyId::new(),
        );
        raw::execute(&db, &many).await;
    }
    let none = AuditFilter::default;
    let by_user = AuditFilter {
        user: Some(user.clone()),
        ..none()
    };
    let with_key = AuditFilter {
        key: Some(key.clone()),
        ..none()
    };
    let made = AuditFilter {
        action: Some(Action::ApiKeyCreate),
        ..none()
    };
    let of_keys = AuditFilter {
        object_kind: Some(ObjectKind::ApiKey),
        ..none()
    };
    let of_object = AuditFilter {
        object: Some("wf_1".to_owned()),
        user: Some(user),
        key: Some(key),
        ..none()
    };
    for analysed in [false, true] {
        if analysed {
            raw::execute(&db, "ANALYZE audit_log").await;
        }
        for (filter, found) in [
            (&none(), 20),
            (&by_user, 3),
            (&with_key, 3),
            // They are looked for on as many pages as it takes.
            (&made, 0),
            (&of_keys, 0),
            (&of_object, 0),
        ] {
            let what = format!("{filter:?}");
            let page = few(&db, "audit_log", &what, async |store| {
                let page = store.audit_log(&ours.tenant, filter.clone(), 20);
                page.await.unwrap()
            });
            let page = page.await;
            assert_eq!(page.entries.len(), found, "{filter:?}");
            assert_eq!(page.next.is_some(), found != 3, "{filter:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_templates_reads_no_definition() {
    let db = TestDatabase::postgres().await;
    let world = World::new(&db).await;
    let long = format!(
        "ALTER TABLE workflow_templates ALTER COLUMN definition SET STORAGE EXTERNAL;
         INSERT INTO workflow_templates (id, organization_id, name, search_text, category, definition)
         VALUES ('tpl_1', '{}', 'Grind', 'grind', 'milling', '{{\"nodes\":[\"' || repeat('x', 1000000) || '\"]}}')",
        world.tenant.0
    );
    raw::execute(&db, &long).await;
    let table = "(SELECT reltoastrelid::regclass::text FROM pg_class WHERE relname = 'workflow_templates')";
    let table = raw::texts(&db, &format!("SELECT {table} AS value"))
        .await
        .remove(0)
        .unwrap();
    let filter = TemplateFilter {
        category: Some("milling".to_owned()),
        ..TemplateFilter::default()
    };
    let toast = table.trim_start_matches("pg_toast.");
    let listed = few(&db, toast, "a list", async |store| {
        store.list_templates(&world.tenant, &filter, 50, 0).await.unwrap()
    });
    assert_eq!(listed.await.0.len(), 1);
}

/// Does something with a store of its own, and asserts that it read few blocks of a table and its indexes.
async fn few<T>(db: &TestDatabase, table: &str, what: &str, ask: impl AsyncFnOnce(Store) -> T) -> T {
    let ended = |sessions: &str| {
        format!(
            "SELECT count(*)::text AS value FROM pg_stat_activity WHERE datname = current_database()
             AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name = '{sessions}'"
        )
    };
    // A session tells the statistics what it did at its end at the latest.
    raw::wait_for(db, &ended(""), "0").await;
    let before = blocks(db, table).await;
    raw::wait_for(db, &ended(""), "0").await;
    let options = Options {
        application_name: "few".to_owned(),
        ..Options::new(db.url())
    };
    let answer = ask(Store::open(options).unwrap()).await;
    raw::wait_for(db, &ended("few"), "0").await;
    let read = blocks(db, table).await - before;
    assert!(read <= 300, "{what}: {read} blocks");
    answer
}

async fn blocks(db: &TestDatabase, table: &str) -> i64 {
    let sql = format!(
        "SELECT (heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)::text AS value
         FROM pg_statio_all_tables WHERE relname = '{table}'"
    );
    raw::texts(db, &sql).await.remove(0).unwrap().parse().unwrap()
}
