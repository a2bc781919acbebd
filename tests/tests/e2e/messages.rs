//! Messages: jobs that are old, copied, damaged or from another version.

use gristmill_core::{ExecutionId, Job, OrganizationId};
use gristmill_queue::{Broker, Outgoing};
use gristmill_testkit::{Gate, RecordingEndpoint};
use gristmill_tests::{Calls, System, chain, eventually};
use serde_json::json;

use crate::endpoint::holding_the_first;

async fn publish(system: &System, id: &str, attempt: i32) {
    let job = Job {
        execution_id: id.parse().unwrap(),
        organization_id: system.organization().clone(),
        attempt,
    };
    let outgoing = Outgoing {
        lane: "default".into(),
        job,
    };
    let broker = system.connected_broker().await;
    broker.publish(vec![outgoing]).await.unwrap();
}

/// Puts a message into the default lane.
async fn put(system: &System, message: &str) {
    let queue = system.queues.lane("default");
    system
        .queues
        .put(&queue, &[message.as_bytes().to_vec()])
        .await
        .unwrap();
}

/// Case 13: jobs of attempts that are long over, and of attempts that never were.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_or_invented_job_changes_nothing() {
    let system = System::start().await;
    let gate = Gate::new();
    let endpoint = holding_the_first(&[("/held", &gate)]).await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let held = api.create_workflow(&chain(&endpoint, &["held"])).await;
    let worker = system.worker().await;
    let ended = api.execute(&workflow, json!({"number": 1})).await;
    system.all_have_ended().await;
    let running = api.execute(&held, json!({"number": 2})).await;
    endpoint.wait_for_calls(2).await;
    let before = system.database.executions().await;
    for attempt in [0, 1, 2, 7, -1] {
        publish(&system, &ended, attempt).await;
        publish(&system, &running, attempt).await;
    }
    system.queues_are_empty().await;
    // Whatever comes after them runs, so they have been dealt with.
    let next = api.execute(&workflow, json!({"number": 3})).await;
    eventually("the next one ends", async || {
        (system.database.execution(&next).await.status == "COMPLETED").then_some(())
    })
    .await;
    let mut after = system.database.executions().await;
    after.retain(|row| row.id != next);
    let steady = |rows: &[gristmill_tests::Row]| {
        rows.iter()
            .map(|row| (row.id.clone(), row.status.clone(), row.attempt, row.losses))
            .collect::<Vec<_>>()
    };
    assert_eq!(steady(&after), steady(&before), "an old job changed something");
    assert_eq!(endpoint.calls().len(), 3, "{:#?}", endpoint.calls());
    gate.open();
    system
        .check(&[ended, running, next], &endpoint, Calls::Once)
        .await;
    drop(worker);
}

/// Cases 14 and 47: what makes no sense to this version is set aside, once, and holds nobody up; and of what it does
/// understand it reads what it knows.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_read_is_parked_and_the_others_flow() {
    let system = System::start().await;
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api.create_workflow(&chain(&endpoint, &["call"])).await;
    let execution = ExecutionId::new();
    let organization = OrganizationId::new();
    let unreadable = [
        "no JSON at all".to_owned(),
        String::new(),
        r#"{"v":1,"executionId":"wf_exec_1"}"#.to_owned(),
        // A later version's, which knows what it means.
        format!(r#"{{"v":2,"executionId":"{execution}","organizationId":"{organization}","attempt":0}}"#),
    ];
    for message in &unreadable {
        put(&system, message).await;
    }
    // Readable: of an execution that there is not, and with a field that this version does not know.
    let unknown = json!({"v": 1, "executionId": execution, "organizationId": organization, "attempt": 0});
    put(&system, &unknown.to_string()).await;
    let mut accepted = Vec::new();
    for number in 0..10 {
        accepted.push(api.execute(&workflow, json!({"number": number})).await);
    }
    let more = json!({"v": 1, "executionId": accepted[0], "organizationId": system.organization(), "attempt": 0, "priority": 9});
    put(&system, &more.to_string()).await;

    let _worker = system.worker().await;
    let mut parked = Vec::new();
    eventually("all that cannot be read is parked", async || {
        parked.extend(system.queues.take_all(&system.queues.parked()).await?);
        (parked.len() == unreadable.len()).then_some(())
    })
    .await;
    let rows = system.check(&accepted, &endpoint, Calls::Once).await;
    assert!(rows.iter().all(|row| row.attempt == 1), "{rows:#?}");
    parked.sort();
    let mut expected: Vec<_> = unreadable.iter().map(|text| text.clone().into_bytes()).collect();
    expected.sort();
    assert_eq!(parked, expected);
}

/// Case 47: a job with a field that only a later version knows claims its execution all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_an_unknown_field_is_run() {
    let mut system = System::start().await;
    // Nobody else publishes it.
    system.set("relay.publish_within", "10m");
    let endpoint = RecordingEndpoint::start().await;
    let nowhere = [("broker.url", "amqp://guest:guest@127.0.0.1:1/%2f")];
    let brokerless = system.listening_api(&nowhere).await;
    let workflow = brokerless.create_workflow(&chain(&endpoint, &["call"])).await;
    let id = brokerless.execute(&workflow, json!({"number": 1})).await;
    let job = json!({"v": 1, "executionId": id, "organizationId": system.organization(), "attempt": 0, "priority": 9});
    let _worker = system.worker().await;
    put(&system, &job.to_string()).await;
    system.check(&[id], &endpoint, Calls::Once).await;
}
