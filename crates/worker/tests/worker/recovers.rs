use gristmill_core::ExecutionStatus;
use gristmill_dispatch::{MAX_LOSSES, recover};
use gristmill_store::{Append, Claim, NewChunk, System};
use gristmill_testkit::TestDatabase;
use std::time::Duration;
use uuid::Uuid;

use crate::shop::Shop;

/// Plays a process that claims the execution, begins its effect and dies.
async fn begin_and_die(shop: &Shop, id: &gristmill_core::ExecutionId) {
    write_and_die(
        shop,
        id,
        r#"[{"type":"started","path":"held","at":0,"attempt":1}]"#,
    )
    .await;
}

/// Plays a process that claims the execution, journals one chunk and dies.
pub async fn write_and_die(shop: &Shop, id: &gristmill_core::ExecutionId, chunk: &str) {
    let protocol = shop.db.store().protocol();
    let watched = shop.watched(id).await;
    let claim = Claim {
        token: Uuid::new_v4(),
        worker: "doomed".to_owned(),
        lease: Duration::from_secs(600),
    };
    let mut answers = protocol
        .claim(System, &[(id.clone(), watched.attempt)], &claim)
        .await
        .unwrap();
    let claimed = answers.remove(0).claimed().unwrap();
    let chunk = NewChunk {
        body: chunk.to_owned(),
        entries: 1,
        progress: false,
    };
    let append = Append {
        id: id.clone(),
        attempt: claimed.attempt,
        journal_len: claimed.journal_len,
        chunk: Some(chunk),
    };
    protocol.append(System, &[append]).await.unwrap();
}

/// An effect that takes the whole process down is begun again with every start, until it has done so too often.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_execution_that_kills_its_process_every_time_is_failed_at_last() {
    for db in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let shop = Shop::without_relay(db).await;
        let id = shop.submit().await;
        let healthy = shop.submit().await;
        for losses in 1..MAX_LOSSES {
            // What was paused after a loss is claimable when its time has come; here it has.
            shop.make_claimable(&id).await;
            begin_and_die(&shop, &id).await;
            recover(&*shop.db.store().protocol()).await.unwrap();
            assert_eq!(shop.execution(&id).await.losses, losses);
        }
        shop.make_claimable(&id).await;
        begin_and_die(&shop, &id).await;
        recover(&*shop.db.store().protocol()).await.unwrap();
        let execution = shop.execution(&id).await;
        assert_eq!(execution.status, ExecutionStatus::Failed);
        assert!(execution.error.unwrap().contains("worker_lost"));
        assert_eq!(shop.watched(&healthy).await.status, ExecutionStatus::Pending);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_nobody_can_read_fails_its_execution() {
    for db in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let shop = Shop::new(db).await;
        let id = shop.submit().await;
        write_and_die(&shop, &id, r#"[{"type":"completed","path":"held"}]"#).await;
        recover(&*shop.db.store().protocol()).await.unwrap();
        shop.worker();
        shop.until(&id, ExecutionStatus::Failed).await;
        let error = shop.execution(&id).await.error.unwrap();
        assert!(error.contains("unreadable_journal"), "{error}");
        assert_eq!(shop.hold.calls(), [""; 0]);
    }
}
