//! How much PostgreSQL reads for those who want to know something of one workflow's executions, among many of others.

use gristmill_store::{Options, Store, System};
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
            let about = few(&db, "the last executions", async |store| {
                store.about_workflow(&ours.tenant, &found, 10).await.unwrap()
            });
            assert_eq!(about.await.recent.len(), ended + unfinished);
            let left = few(&db, "the unfinished executions", async |store| {
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
    let bare = few(&db, "the deleted workflows without executions", async |store| {
        store.bare_workflows(System, 100).await.unwrap()
    });
    assert_eq!(bare.await, [empty]);
}

/// Does something with a store of its own, and asserts that it read few blocks of the executions and their indexes.
async fn few<T>(db: &TestDatabase, what: &str, ask: impl AsyncFnOnce(Store) -> T) -> T {
    let ended = |sessions: &str| {
        format!(
            "SELECT count(*)::text AS value FROM pg_stat_activity WHERE datname = current_database()
             AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND application_name = '{sessions}'"
        )
    };
    // A session tells the statistics what it did at its end at the latest.
    raw::wait_for(db, &ended(""), "0").await;
    let before = blocks(db).await;
    raw::wait_for(db, &ended(""), "0").await;
    let options = Options {
        application_name: "few".to_owned(),
        ..Options::new(db.url())
    };
    let answer = ask(Store::open(options).unwrap()).await;
    raw::wait_for(db, &ended("few"), "0").await;
    let read = blocks(db).await - before;
    assert!(read <= 200, "{what}: {read} blocks");
    answer
}

async fn blocks(db: &TestDatabase) -> i64 {
    let sql = "SELECT (heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)::text AS value
        FROM pg_statio_user_tables WHERE relname = 'executions'";
    raw::texts(db, sql).await.remove(0).unwrap().parse().unwrap()
}
