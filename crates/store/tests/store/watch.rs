use gristmill_core::{ExecutionId, ExecutionStatus, Totals};
use gristmill_store::{Actor, Ended, Ending, Settle, System, Watched};
use gristmill_testkit::TestDatabase;

use crate::world::{LEASE, MAX_MESSAGES, World, append, claim, completion, message};

pub(crate) async fn a_watch_shows_how_executions_stand(db: &TestDatabase) {
    let world = World::new(db).await;
    let (pending, running) = (world.pending().await, world.running().await);
    world
        .protocol()
        .append(System, &[append(&running, 1, "[1]")])
        .await
        .unwrap();
    world
        .protocol()
        .deliver(
            &world.tenant,
            &Actor::OPERATOR,
            &message(&running, "k"),
            MAX_MESSAGES,
        )
        .await
        .unwrap();
    let ids = [running.clone(), ExecutionId::new(), pending.clone()];
    let mut watched = db.store().renewals().watch(System, &ids).await.unwrap();
    watched.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(watched.len(), 2);
    let untouched = Watched {
        id: pending,
        status: ExecutionStatus::Pending,
        attempt: 0,
        claim_token: None,
        inbox: 0,
        journal_len: 0,
    };
    assert_eq!(watched[0], untouched);
    assert_eq!(
        (&watched[1].id, watched[1].status),
        (&running, ExecutionStatus::Running)
    );
    assert_eq!(
        (watched[1].attempt, watched[1].inbox, watched[1].journal_len),
        (1, 1, 1)
    );
}

pub(crate) async fn a_claim_whose_answer_was_lost_is_recognized_by_its_token(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.pending().await;
    let mine = claim(LEASE);
    world
        .protocol()
        .claim(System, &[(id.clone(), 0)], &mine)
        .await
        .unwrap();
    assert_eq!(world.watch(&id).await.claim_token, Some(mine.token));
    // A settle whose answer was lost is recognized as well.
    world
        .protocol()
        .settle(System, &[completion(&id, 1)])
        .await
        .unwrap();
    let watched = world.watch(&id).await;
    assert_eq!(
        (watched.status, watched.claim_token),
        (ExecutionStatus::Completed, Some(mine.token))
    );
}

pub(crate) async fn only_what_has_ended_is_answered_with_its_end(db: &TestDatabase) {
    let world = World::new(db).await;
    let (pending, running) = (world.pending().await, world.running().await);
    let (completed, failed) = (world.running().await, world.running().await);
    let totals = Totals {
        nodes_executed: 3,
        tokens_used: 1 << 40,
        cost_micros: 1 << 41,
    };
    let error = r#"{"code":"node_failed","message":"no"}"#.to_owned();
    let members = [
        Settle {
            totals,
            ..completion(&completed, 1)
        },
        Settle {
            ending: Ending::Failed { error: error.clone() },
            ..completion(&failed, 1)
        },
    ];
    world.protocol().settle(System, &members).await.unwrap();

    let ids = [
        pending,
        failed.clone(),
        running,
        ExecutionId::new(),
        completed.clone(),
    ];
    let mut ended = world.protocol().ended(System, &ids).await.unwrap();
    ended.sort_by(|one, other| one.id.cmp(&other.id));
    assert_eq!(ended.len(), 2);
    let store = db.store();
    for (ended, id) in ended.iter().zip([&completed, &failed]) {
        let shown = store.execution(&world.tenant, id).await.unwrap().unwrap();
        let expected = Ended {
            id: shown.id,
            workflow_id: shown.workflow_id,
            revision: shown.revision,
            status: shown.status,
            attempt: shown.attempt,
            error: shown.error,
            nodes_executed: shown.nodes_executed,
            tokens_used: shown.tokens_used,
            cost_micros: shown.cost_micros,
            created_at: shown.created_at,
            started_at: shown.started_at,
            completed_at: shown.completed_at,
        };
        assert_eq!(ended, &expected);
    }
    assert_eq!(
        (ended[0].status, ended[0].nodes_executed, ended[0].cost_micros),
        (ExecutionStatus::Completed, 3, 1 << 41)
    );
    assert_eq!(
        (ended[1].status, &ended[1].error),
        (ExecutionStatus::Failed, &Some(error))
    );
    assert!(ended.iter().all(|ended| ended.completed_at.is_some()));
}
