//! Blocks: how much PostgreSQL reads for each statement of the protocol, however much is stored.

use std::time::Duration;

use gristmill_core::{ExecutionId, WorkflowId};
use gristmill_store::{
    Actor, Cancelled, Deleted, Delivered, Due, Held, Keep, Options, Repeat, Replay, Replayed, Retention,
    Retried, Settle, Start, StartChild, Store, Submit, Suspended, Sweep, System, Tenant, Wake,
};
use gristmill_testkit::TestDatabase;

use crate::raw::{self, wait_for};
use crate::world::{
    LATER, LEASE, MAX_MESSAGES, World, append, claim, completion, failing, message, said, suspension,
};

/// Ended executions. Who walks through them reads a block for nearly each.
const STORED: u32 = 20_000;
/// What one call may read on top of what it changes: a dozen ways down an index, a dozen times.
const BLOCKS: i64 = 300;
/// From the sixth execution on, a prepared statement has the plan that it keeps.
const CALLS: usize = 6;

/// How an execution stands before the call that is measured.
#[derive(Debug, Clone, Copy)]
enum Stands {
    Pending,
    Running,
    /// A RUNNING child of a RUNNING parent.
    Child,
    /// The same, due before everything else.
    OverdueChild,
    /// A PENDING child of a RUNNING parent.
    PendingChild,
    Waiting,
    Failed,
    Completed,
}

/// Everything that is called while there is much, and on what.
const VERBS: [(&str, Stands); 32] = [
    ("submit", Stands::Completed),
    ("confirm", Stands::Pending),
    ("claim", Stands::Pending),
    ("hand back", Stands::Pending),
    ("count a dead letter", Stands::Pending),
    ("fail by dead letters", Stands::Pending),
    ("fail a child by dead letters", Stands::PendingChild),
    ("journal", Stands::Running),
    ("append", Stands::Running),
    ("renew", Stands::Running),
    ("watch", Stands::Running),
    ("ended", Stands::Completed),
    ("suspend", Stands::Running),
    ("release", Stands::Running),
    ("settle", Stands::Running),
    ("fail", Stands::Running),
    ("settle a child", Stands::Child),
    ("fail a child", Stands::Child),
    ("start a child", Stands::Running),
    ("relay", Stands::Running),
    ("expire a child", Stands::OverdueChild),
    ("deliver", Stands::Waiting),
    ("inbox", Stands::Waiting),
    ("cancel", Stands::Child),
    ("retry", Stands::Failed),
    ("replay", Stands::Completed),
    ("delete", Stands::Completed),
    ("prune", Stands::Completed),
    ("resume paused", Stands::Completed),
    ("unpublish a lane", Stands::Pending),
    ("backlog", Stands::Pending),
    ("show with children", Stands::Child),
];

/// Whose executions these are.
struct Place {
    tenant: Tenant,
    workflow: WorkflowId,
}

#[tokio::test(flavor = "multi_thread")]
async fn no_call_reads_more_the_more_is_stored() {
    let db = TestDatabase::postgres().await;
    let setup = store(&db, "setup");
    let world = World::through(&db, &setup).await;
    let handler = world.add_workflow("default").await;
    let on_failure = format!(
        "UPDATE workflow_revisions SET on_failure = '{handler}' WHERE workflow_id = '{}'",
        world.workflow
    );
    raw::execute(&db, &on_failure).await;
    // Whatever the server does by itself would be counted, too.
    raw::execute(&db, "ALTER TABLE executions SET (autovacuum_enabled = false)").await;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (_, stands) in VERBS {
        before.push(arrange(&world, stands, CALLS + 1).await);
        after.push(arrange(&world, stands, CALLS).await);
    }
    let place = Place {
        tenant: world.tenant.clone(),
        workflow: world.workflow.clone(),
    };
    drop((world, setup));

    // What was prepared while there was little, and goes on with its plan.
    let mut early = Vec::new();
    for ((verb, _), ids) in VERBS.iter().zip(&before) {
        let store = store(&db, verb);
        for id in &ids[1..] {
            call(&store, &place, verb, id).await;
        }
        early.push(store);
    }
    raw::execute(&db, &stored(&place)).await;
    let mut walked = Vec::new();
    for (((verb, _), ids), store) in VERBS.iter().zip(&before).zip(early) {
        let already = entries(&db).await;
        call(&store, &place, verb, &ids[0]).await;
        closed(&db, verb, store).await;
        let read = entries(&db).await - already;
        if read >= i64::from(STORED / 2) {
            walked.push((*verb, read));
        }
    }

    raw::execute(&db, "ANALYZE").await;
    let mut reads = Vec::new();
    for ((verb, _), ids) in VERBS.iter().zip(&after) {
        let already = blocks(&db).await;
        let fresh = store(&db, verb);
        for id in ids {
            call(&fresh, &place, verb, id).await;
        }
        closed(&db, verb, fresh).await;
        reads.push((*verb, (blocks(&db).await - already) / CALLS as i64));
    }
    let too_many: Vec<_> = reads.iter().filter(|(_, blocks)| *blocks > BLOCKS).collect();
    assert!(too_many.is_empty(), "{too_many:?} of {reads:?}");
    assert_eq!(walked, [], "by plans that were made while there was little");
}

/// One connection for each role, so that every call meets what the one before it has prepared.
fn store(db: &TestDatabase, name: &str) -> Store {
    Store::open(Options {
        pool_size: 1,
        application_name: name.to_owned(),
        ..Options::new(db.url())
    })
    .unwrap()
}

/// Closes a store, and waits until its connections are gone: by then, they have told the statistics what they read.
async fn closed(db: &TestDatabase, name: &str, store: Store) {
    drop(store);
    let open = format!(
        "SELECT count(*)::text AS value FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = '{name}'"
    );
    wait_for(db, &open, "0").await;
}

/// How many entries of the indexes of executions were read, by everybody.
async fn entries(db: &TestDatabase) -> i64 {
    let sql =
        "SELECT sum(idx_tup_read)::text AS value FROM pg_stat_user_indexes WHERE relname = 'executions'";
    raw::texts(db, sql).await.remove(0).unwrap().parse().unwrap()
}

/// How many blocks of tables and indexes were looked at, by everybody.
async fn blocks(db: &TestDatabase) -> i64 {
    let sql = "SELECT sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0))::text AS value
        FROM pg_statio_user_tables";
    raw::texts(db, sql).await.remove(0).unwrap().parse().unwrap()
}

/// So many executions, each of a family of its own.
async fn arrange(world: &World<'_>, stands: Stands, count: usize) -> Vec<ExecutionId> {
    let ids = world.pending_group(count).await;
    if let Stands::Pending = stands {
        return ids;
    }
    run(world, &ids).await;
    match stands {
        Stands::Pending | Stands::Running => {}
        Stands::PendingChild => return start_children(world, &ids).await,
        Stands::Child | Stands::OverdueChild => {
            let children = start_children(world, &ids).await;
            run(world, &children).await;
            if let Stands::OverdueChild = stands {
                for child in &children {
                    raw::make_due(world.db, child, 1_000).await;
                }
            }
            return children;
        }
        Stands::Waiting => {
            let members: Vec<_> = ids.iter().map(|id| suspension(id, 1)).collect();
            world.protocol().suspend(System, &members).await.unwrap();
        }
        Stands::Failed => {
            let members: Vec<_> = ids.iter().map(|id| failing(id, 1)).collect();
            world.settle(&members).await;
        }
        Stands::Completed => {
            let members: Vec<_> = ids.iter().map(|id| completion(id, 1)).collect();
            world.settle(&members).await;
        }
    }
    ids
}

/// With leases that outlive this test.
async fn run(world: &World<'_>, ids: &[ExecutionId]) {
    let jobs: Vec<_> = ids.iter().map(|id| (id.clone(), 0)).collect();
    let claimed = world.claim_for(&jobs, Duration::from_secs(600)).await;
    assert_eq!(claimed.len(), ids.len());
}

async fn start_children(world: &World<'_>, parents: &[ExecutionId]) -> Vec<ExecutionId> {
    let mut children = Vec::new();
    for parent in parents {
        children.push(world.child_of(parent, "sub").await);
    }
    children
}

fn stored(place: &Place) -> String {
    format!(
        "INSERT INTO executions (id, organization_id, workflow_id, revision, status, lane, started_at, completed_at,
            request_hash, input, output)
         SELECT 'wf_exec_' || md5(n::text), '{}', '{}', 1, 'COMPLETED', 'default', at, at, '',
            '{{}}', '{{}}'
         FROM generate_series(1, {STORED}) n, (SELECT clock_timestamp() - interval '1 day' AS at) ended",
        place.tenant.0, place.workflow
    )
}

/// Does to the execution what `verb` says, and makes sure that it was done.
async fn call(store: &Store, place: &Place, verb: &str, id: &ExecutionId) {
    let protocol = store.protocol();
    let (tenant, operator) = (&place.tenant, &Actor::OPERATOR);
    let ids = std::slice::from_ref(id);
    let job = [(id.clone(), 0)];
    let held = [(id.clone(), 1)];
    let child = |settle: Settle| Settle {
        is_child: true,
        ..settle
    };
    match verb {
        "submit" => {
            let request = Submit {
                id: ExecutionId::new(),
                workflow_id: place.workflow.clone(),
                input: "{}".into(),
                idempotency_key: Some(id.to_string()),
                repeat: Repeat::SameContent,
                request_hash: String::new(),
                start: Start::Now,
                checked: None,
                tags: Some(r#"["paid"]"#.into()),
                metadata: None,
                monthly_limit: None,
            };
            protocol.submit(tenant, &[request], LATER).await.unwrap();
        }
        "confirm" => protocol.confirm(System, &job).await.unwrap(),
        "claim" => assert_eq!(
            said(&protocol.claim(System, &job, &claim(LEASE)).await.unwrap()),
            ["claimed"]
        ),
        "hand back" => protocol.return_jobs(System, &job).await.unwrap(),
        "count a dead letter" => drop(protocol.count_dead_letters(System, &job, 5, "{}").await.unwrap()),
        "fail by dead letters" | "fail a child by dead letters" => {
            drop(protocol.count_dead_letters(System, &job, 1, "{}").await.unwrap());
        }
        "journal" => drop(protocol.journal(System, ids).await.unwrap()),
        "append" => {
            let appended = protocol.append(System, &[append(id, 1, "[1]")]).await.unwrap();
            assert_eq!(appended, [Held::Yes]);
        }
        "renew" => assert_eq!(protocol.renew(System, &held, LEASE).await.unwrap(), ids),
        "watch" => assert_eq!(protocol.watch(System, ids).await.unwrap().len(), 1),
        "ended" => assert_eq!(protocol.ended(System, ids).await.unwrap().len(), 1),
        "suspend" => {
            let suspended = protocol.suspend(System, &[suspension(id, 1)]).await.unwrap();
            assert_eq!(suspended, [Suspended::Yes]);
        }
        "release" => {
            let released = protocol.release(System, &[append(id, 1, "[1]")]).await.unwrap();
            assert_eq!(released, [Held::Yes]);
        }
        "settle" | "fail" | "settle a child" | "fail a child" => {
            let settle = match verb {
                "settle" => completion(id, 1),
                "fail" => failing(id, 1),
                "settle a child" => child(completion(id, 1)),
                _ => child(failing(id, 1)),
            };
            assert_eq!(protocol.settle(System, &[settle]).await.unwrap(), [Held::Yes]);
        }
        "start a child" => {
            let request = StartChild {
                parent: id.clone(),
                attempt: 1,
                path: "sub".to_owned(),
                id: ExecutionId::new(),
                workflow_id: place.workflow.clone(),
                input: "{}".into(),
                checked: None,
                max_depth: 3,
            };
            protocol.start_child(System, &request).await.unwrap();
        }
        "relay" => drop(
            protocol
                .relay(System, Sweep::all(10, true), &|_| Wake::Leave)
                .await
                .unwrap(),
        ),
        "expire a child" => {
            let error = "{}".to_owned();
            let decide = |due: &Due| match due.job.execution_id == *id {
                true => Wake::Expire { error: error.clone() },
                false => Wake::Leave,
            };
            let acted = protocol
                .relay(System, Sweep::all(2 * CALLS as i64, true), &decide)
                .await
                .unwrap();
            assert!(
                acted
                    .iter()
                    .any(|(due, wake)| due.job.execution_id == *id && *wake != Wake::Leave)
            );
        }
        "deliver" => {
            let delivered = protocol
                .deliver(tenant, operator, &message(id, "k"), MAX_MESSAGES)
                .await;
            assert_eq!(delivered.unwrap(), Delivered::Yes);
        }
        "inbox" => drop(protocol.inbox(System, id, 0).await.unwrap()),
        "cancel" => assert_eq!(
            protocol.cancel(tenant, operator, id).await.unwrap(),
            Cancelled::Yes(1)
        ),
        "retry" => assert_eq!(protocol.retry(tenant, operator, id).await.unwrap(), Retried::Yes),
        "replay" => {
            let request = Replay {
                id: ExecutionId::new(),
                original: id.clone(),
                newest: None,
                idempotency_key: None,
                request_hash: String::new(),
                monthly_limit: None,
            };
            let replayed = protocol.replay(tenant, operator, &request).await.unwrap();
            assert!(matches!(replayed, Replayed::Accepted(_)));
        }
        "delete" => assert_eq!(protocol.delete(tenant, operator, id).await.unwrap(), Deleted::Yes),
        "prune" => {
            // Only what is stored is as old as that.
            let keep = Keep::For(Duration::from_secs(3600));
            let retention = Retention {
                completed: keep,
                failed: keep,
                cancelled: keep,
            };
            assert!(protocol.prune(System, &retention, 1).await.unwrap() <= 1);
        }
        "resume paused" => assert_eq!(protocol.resume_paused(System, 10).await.unwrap(), 0),
        "unpublish a lane" => assert_eq!(protocol.unpublish_lane(System, "none").await.unwrap(), 0),
        "show with children" => {
            let shown = store.execution(tenant, id).await.unwrap().unwrap();
            let children = store.children(tenant, &shown.parent.unwrap(), 100).await.unwrap();
            assert_eq!(children.len(), 1);
        }
        "backlog" => drop(protocol.backlog(System).await.unwrap()),
        other => panic!("{other}"),
    }
}
