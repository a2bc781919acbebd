use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::{System, Watched};
use gristmill_testkit::TestDatabase;

use crate::world::{LEASE, MAX_MAIL, World, append, claim, completion, mail};

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
        .deliver(&world.tenant, &mail(&running, "k"), MAX_MAIL)
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
