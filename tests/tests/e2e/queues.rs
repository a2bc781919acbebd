//! Queues: what happens when somebody has deleted, changed or cut off one; on the shared broker.

use gristmill_testkit::RecordingEndpoint;
use gristmill_tests::{Calls, Load, System, chain, eventually};
use serde_json::json;

/// Case 21, with jobs in the queue that were confirmed and are gone with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_deleted_under_its_consumers_is_made_again_and_its_jobs_too() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut worker = system.worker().await;
    let lane = system.queues.lane("default");
    let consumed = async || {
        // The API declares a missing queue again within milliseconds, and then the broker may keep its end from the worker.
        eventually("the worker consumes", async || {
            system
                .queues
                .consumers(&lane)
                .await
                .filter(|consumers| *consumers > 0)
        })
        .await;
    };
    let load = Load::start(&api.client, &workflow, 4);
    for _ in 0..3 {
        load.accepts(30).await;
        consumed().await;
        system.queues.delete(&lane).await.unwrap();
        consumed().await;
    }
    assert_eq!(load.refused(), 0, "a submit was refused because of the queue");
    // What a queue held when it was deleted may wait for its own `wake_at`, five minutes at first. What comes after runs.
    load.finish().await;
    let load = Load::start_numbered(&api.client, &workflow, 2, "later");
    load.accepts(30).await;
    let accepted = load.finish().await;
    for id in &accepted {
        eventually("an execution submitted afterwards ends", async || {
            let row = system.database.execution(id).await;
            (row.status == "COMPLETED").then_some(row)
        })
        .await;
    }
    worker.kill();
}

/// Case 21, with nobody there to see it: the broker had confirmed these jobs, and that was written down.
#[tokio::test(flavor = "multi_thread")]
async fn the_confirmed_jobs_of_a_deleted_queue_are_published_again() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let mut accepted = Vec::new();
    for number in 0..20 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    eventually("every confirm is written down", async || {
        system
            .database
            .published()
            .await
            .filter(|published| *published == 20)
    })
    .await;
    system
        .queues
        .delete(&system.queues.lane("default"))
        .await
        .unwrap();

    let _worker = system.worker().await;
    system.check(&accepted, &endpoint, Calls::Once).await;
}

/// Case 22.
#[tokio::test(flavor = "multi_thread")]
async fn a_queue_with_other_arguments_ends_the_start_and_says_what_to_do() {
    let system = System::start().await;
    let _first = system.api().await;
    let other = [("broker.delivery_limit", "7")];
    for mut process in [system.starting_worker(&other), system.starting_api(&other)] {
        let status = process.ended().await;
        assert_eq!(status.code(), Some(1), "{status}");
        let log = process.log_text();
        assert!(
            log.contains("exists on the broker with other properties")
                && log.contains("rabbitmqctl delete_queue"),
            "{log}"
        );
    }
}
