//! The connection is lost after the database did what was asked: nothing may be done twice, and nothing forgotten.

use gristmill_core::ExecutionStatus;
use gristmill_testkit::TestDatabase;

use crate::faulty::Faulty;
use crate::shop::Shop;

/// Runs one execution while `verb` loses its first two answers, and expects it to end as if nothing had happened.
async fn runs_once_although_answers_are_lost(verb: &'static str) {
    let shop = Shop::new(TestDatabase::sqlite().await).await;
    shop.hold.let_go(1);
    let faulty = Faulty::new(shop.db.store().protocol(), verb, 2);
    shop.worker_with(faulty.clone(), |_| {});
    let id = shop.submit().await;
    shop.until(&id, ExecutionStatus::Completed).await;
    // The row may have been seen before the answer to its writer was lost.
    while faulty.lost() == 0 {
        tokio::task::yield_now().await;
    }
    let execution = shop.execution(&id).await;
    assert_eq!(
        (execution.attempt, execution.losses, execution.nodes_executed),
        (1, 0, 3)
    );
    let journal = shop.journal(&id).await;
    assert_eq!(
        journal,
        [
            "completed start",
            "started held",
            "completed held",
            "completed last"
        ]
    );
    assert_eq!(shop.hold.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_whose_answer_was_lost_is_claimed_again_under_its_token() {
    runs_once_although_answers_are_lost("claim").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_whose_answer_was_lost_is_not_made_twice() {
    runs_once_although_answers_are_lost("append").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_settle_whose_answer_was_lost_is_found_done() {
    runs_once_although_answers_are_lost("settle").await;
}
