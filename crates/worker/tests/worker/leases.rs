use std::time::Duration;

use gristmill_core::ExecutionStatus;
use gristmill_store::{Actor, Cancelled, Claim, ClaimAnswer, Due, Sweep, System, Wake};
use gristmill_testkit::TestDatabase;
use uuid::Uuid;

use crate::shop::Shop;

/// Takes the execution away from whoever holds it, as a relay and another worker would.
async fn take_over(shop: &Shop, id: &gristmill_core::ExecutionId) {
    let protocol = shop.db.store().protocol();
    let reap = |due: &Due| {
        if due.job.execution_id == *id {
            Wake::Reap {
                again_in: Duration::from_secs(60),
            }
        } else {
            Wake::Leave
        }
    };
    while protocol
        .relay(System, Sweep::all(10, true), &reap)
        .await
        .unwrap()
        .is_empty()
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let claim = Claim {
        token: Uuid::new_v4(),
        worker: "another".to_owned(),
        lease: Duration::from_secs(600),
    };
    let claimed = protocol.claim(System, &[(id.clone(), 1)], &claim).await.unwrap();
    assert!(matches!(claimed[..], [ClaimAnswer::Claimed(_)]), "{claimed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_lost_its_lease_changes_nothing() {
    let shop = Shop::new(TestDatabase::sqlite().await).await;
    // Never renewed within the test: the lease is over before the first renewal.
    shop.worker_with(shop.db.store().protocol(), |options| {
        options.lease = Duration::from_secs(4);
        options.renew_every = Duration::from_secs(3600);
    });
    let id = shop.submit().await;
    shop.hold.begun(1).await;
    take_over(&shop, &id).await;
    let before = (shop.watched(&id).await, shop.journal(&id).await);
    shop.hold.let_go(1);
    // The worker takes new work only through the same tasks that would have written: once this one is done, whatever the
    // first execution had to write has been written or refused.
    let next = shop.submit().await;
    shop.hold.let_go(1);
    shop.until(&next, ExecutionStatus::Completed).await;
    assert_eq!((shop.watched(&id).await, shop.journal(&id).await), before);
    assert_eq!((before.0.status, before.0.attempt), (ExecutionStatus::Running, 2));
}

/// Case 52: its effect is in flight, and nobody lets it go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_execution_is_stopped_and_frees_its_slot() {
    for db in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let shop = Shop::new(db).await;
        shop.worker_with(shop.db.store().protocol(), |options| options.concurrency = 1);
        let id = shop.submit().await;
        shop.hold.begun(1).await;
        let protocol = shop.db.store().protocol();
        let cancelled = protocol
            .cancel(&shop.tenant, &Actor::OPERATOR, &id)
            .await
            .unwrap();
        assert_eq!(cancelled, Cancelled::Yes(1));
        let before = (shop.watched(&id).await, shop.journal(&id).await);
        let next = shop.submit().await;
        shop.hold.begun(2).await;
        shop.hold.let_go(1);
        shop.until(&next, ExecutionStatus::Completed).await;
        assert_eq!((shop.watched(&id).await, shop.journal(&id).await), before);
        assert_eq!(before.0.status, ExecutionStatus::Cancelled);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_execution_keeps_its_lease_for_as_long_as_it_runs() {
    let shop = Shop::new(TestDatabase::sqlite().await).await;
    shop.worker_with(shop.db.store().protocol(), |options| {
        options.lease = Duration::from_secs(5);
        options.renew_every = Duration::from_secs(1);
    });
    let id = shop.submit().await;
    shop.hold.begun(1).await;
    let protocol = shop.db.store().protocol();
    let claimed = shop.execution(&id).await;
    // Longer than the first lease, by the database's clock.
    let over = claimed.started_at.unwrap() + chrono::TimeDelta::seconds(7);
    let reap = |_: &Due| Wake::Reap {
        again_in: Duration::from_secs(60),
    };
    while shop.db.store().now().await.unwrap() < over {
        assert_eq!(
            protocol.relay(System, Sweep::all(10, true), &reap).await.unwrap(),
            []
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    shop.hold.let_go(1);
    shop.until(&id, ExecutionStatus::Completed).await;
    assert_eq!(shop.execution(&id).await.attempt, 1);
}
