use std::time::Duration;

use gristmill_core::ExecutionStatus;
use gristmill_testkit::TestDatabase;

use crate::faulty::Faulty;
use crate::shop::Shop;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_worker_gives_its_executions_back_without_a_loss() {
    let shop = Shop::new(TestDatabase::sqlite().await).await;
    let (stop, worker) = shop.worker();
    let id = shop.submit().await;
    shop.hold.begun(1).await;
    stop.cancel();
    worker.await.unwrap();
    let execution = shop.execution(&id).await;
    assert_eq!(
        (execution.status, execution.attempt, execution.losses),
        (ExecutionStatus::Pending, 1, 0)
    );
    assert_eq!(
        shop.journal(&id).await,
        ["completed start", "started held", "aborted held"]
    );

    // Another worker calls the effect again, under the same key, and no retry was used up.
    shop.worker();
    shop.hold.let_go(1);
    shop.until(&id, ExecutionStatus::Completed).await;
    assert_eq!(shop.execution(&id).await.attempt, 2);
    assert_eq!(shop.hold.calls(), vec![format!("{id}:held"); 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_worker_lets_effects_end_within_the_grace_period() {
    let shop = Shop::new(TestDatabase::sqlite().await).await;
    let (stop, worker) = shop.worker_with(shop.db.store().protocol(), |options| {
        options.drain_grace = Duration::from_secs(60);
        options.engine.drain_grace = Duration::from_secs(60);
    });
    let id = shop.submit().await;
    shop.hold.begun(1).await;
    stop.cancel();
    shop.hold.let_go(1);
    worker.await.unwrap();
    // The effect ended while the worker drained; what follows is pure and needs no other worker.
    let execution = shop.execution(&id).await;
    assert_eq!(
        (execution.status, execution.attempt),
        (ExecutionStatus::Completed, 1)
    );
}

/// Fills a worker that has one slot, and expects what it prefetched to be run by another.
async fn a_full_worker_hands_back_through(
    shop: Shop,
    protocol: std::sync::Arc<dyn gristmill_store::Protocol>,
) {
    shop.worker_with(protocol, |options| options.concurrency = 1);
    let first = shop.submit().await;
    shop.hold.begun(1).await;
    // The full worker prefetches this one; it is the only consumer, so the job has nowhere else to go.
    let second = shop.submit().await;
    shop.until(&second, ExecutionStatus::Pending).await;
    shop.worker();
    shop.hold.begun(2).await;
    shop.hold.let_go(2);
    shop.until_all(&[first, second.clone()], ExecutionStatus::Completed)
        .await;
    assert_eq!(shop.execution(&second).await.attempt, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_worker_hands_what_it_prefetched_to_others() {
    let shop = Shop::new(TestDatabase::sqlite().await).await;
    let protocol = shop.db.store().protocol();
    a_full_worker_hands_back_through(shop, protocol).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_worker_hands_back_although_the_database_fails_at_first() {
    let shop = Shop::new(TestDatabase::sqlite().await).await;
    let protocol = Faulty::refusing(shop.db.store().protocol(), "return_jobs", 2);
    a_full_worker_hands_back_through(shop, protocol).await;
}
