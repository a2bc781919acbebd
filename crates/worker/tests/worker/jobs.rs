//! Jobs that cannot be claimed at the moment: they are kept until they can.

use std::time::Duration;

use gristmill_core::ExecutionStatus;
use gristmill_testkit::TestDatabase;
use tokio_postgres::NoTls;

use crate::faulty::Faulty;
use crate::shop::Shop;

/// More often than a test can last.
const ALWAYS: usize = 1_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_somebody_has_locked_holds_up_nobody_else_and_is_claimed_after_the_lock() {
    let shop = Shop::new(TestDatabase::postgres().await).await;
    let (locked, free) = (shop.submit().await, shop.submit().await);
    let (somebody, connection) = tokio_postgres::connect(shop.db.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let lock = format!("BEGIN; SELECT id FROM executions WHERE id = '{locked}' FOR UPDATE");
    somebody.batch_execute(&lock).await.unwrap();

    shop.worker();
    shop.hold.let_go(2);
    shop.until(&free, ExecutionStatus::Completed).await;
    assert_eq!(shop.watched(&locked).await.status, ExecutionStatus::Pending);
    somebody.batch_execute("COMMIT").await.unwrap();
    // Long before the relay would publish it again.
    shop.until(&locked, ExecutionStatus::Completed).await;
    assert_eq!(shop.execution(&locked).await.attempt, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_told_to_stop_while_it_cannot_claim_leaves_the_jobs_to_others() {
    let shop = Shop::new(TestDatabase::sqlite().await).await;
    let faulty = Faulty::refusing(shop.db.store().protocol(), "claim", ALWAYS);
    let (stop, worker) = shop.worker_with(faulty.clone(), |_| {});
    let id = shop.submit().await;
    while faulty.lost() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.cancel();
    worker.await.unwrap();

    shop.worker();
    shop.hold.let_go(1);
    shop.until(&id, ExecutionStatus::Completed).await;
    assert_eq!(shop.execution(&id).await.attempt, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_worker_that_cannot_hand_a_job_back_runs_it_as_soon_as_it_has_a_slot() {
    let shop = Shop::new(TestDatabase::sqlite().await).await;
    let faulty = Faulty::refusing(shop.db.store().protocol(), "return_jobs", ALWAYS);
    shop.worker_with(faulty.clone(), |options| options.concurrency = 1);
    let first = shop.submit().await;
    shop.hold.begun(1).await;
    let second = shop.submit().await;
    while faulty.lost() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    shop.hold.let_go(2);
    shop.until_all(&[first, second], ExecutionStatus::Completed).await;
}

/// It is offered again by way of the database, to whoever has a slot then, and keeps no slot meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_over_its_organizations_limit_is_handed_back_and_runs_when_there_is_room() {
    let shop = Shop::new(TestDatabase::sqlite().await).await;
    let id = shop.submit().await;
    let faulty = Faulty::over_limit(shop.db.store().protocol(), &id, 3, 1);
    shop.worker_with(faulty.clone(), |options| options.concurrency = 1);
    let other = shop.submit().await;
    shop.hold.let_go(2);
    shop.until_all(&[id.clone(), other], ExecutionStatus::Completed)
        .await;
    assert_eq!((faulty.over_limit_yet(&id), faulty.lost()), (0, 1));
    assert_eq!(shop.execution(&id).await.attempt, 1);
}
