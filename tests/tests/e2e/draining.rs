//! SIGTERM.

use std::time::Duration;

use gristmill_core::journal::Entry;
use gristmill_testkit::Gate;
use gristmill_tests::{Calls, Row, Signal, System, chain};
use serde_json::json;
use tokio::time::Instant;

use crate::endpoint::holding_the_first;

/// Case 45: of two calls in flight one is answered within the grace period and one is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_told_to_stop_finishes_what_it_can_and_gives_the_rest_back() {
    let mut system = System::start().await;
    system.set("worker.drain_grace", "2s");
    let (quick, never) = (Gate::new(), Gate::new());
    let endpoint = holding_the_first(&[("/quick", &quick), ("/slow", &never)]).await;
    let api = system.api().await;
    let quick_one = api.create_workflow(&chain(&endpoint, &["quick"])).await;
    let slow_one = api.create_workflow(&chain(&endpoint, &["slow"])).await;
    let mut draining = system.worker().await;
    let accepted = [
        api.execute(&quick_one, json!({"number": 1})).await,
        api.execute(&slow_one, json!({"number": 2})).await,
    ];
    endpoint.wait_for_calls(2).await;
    let _other = system.worker().await;

    let told = Instant::now();
    draining.signal(Signal::Term);
    draining.logged("draining").await;
    quick.open();
    let status = draining.ended().await;
    assert!(status.success(), "{status}");
    assert!(
        told.elapsed() < Duration::from_secs(10),
        "it took {:?}",
        told.elapsed()
    );
    // Given back, not left to the end of its lease.
    let given_back = system.database.execution(&accepted[1]).await;
    assert!(
        given_back.status == "PENDING" || given_back.attempt == 2,
        "{given_back:#?}"
    );

    let rows = system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
    let aborted = |row: &Row| {
        row.journal
            .iter()
            .any(|entry| matches!(entry, Entry::Aborted { .. }))
    };
    assert_eq!((rows[0].attempt, aborted(&rows[0])), (1, false), "{rows:#?}");
    assert_eq!((rows[1].attempt, aborted(&rows[1])), (2, true), "{rows:#?}");
    assert_eq!(endpoint.calls().len(), 3, "{:#?}", endpoint.calls());
}
