//! Crashes: workers that are killed again and again, at moments that nobody chose.

use std::time::Duration;

use futures_util::future::join;
use gristmill_core::journal::Entry;
use gristmill_testkit::RecordingEndpoint;
use gristmill_tests::{Calls, SHORT_LEASE, System, chain};
use serde_json::json;

/// How many executions there are.
const EXECUTIONS: usize = 200;

/// How often a worker is killed.
const KILLS: usize = 12;

/// A round has sixteen executions, or seventeen, of three calls each; the kill comes before the last of them.
const CALLS: usize = 40;

/// Every execution completes, and no effect whose completion is in a journal is called after that.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_executions_survive_workers_that_are_killed_at_random_moments() {
    let mut system = System::start().await;
    system.set_all(&SHORT_LEASE);
    let endpoint = RecordingEndpoint::start().await;
    let api = system.api().await;
    let workflow = api
        .create_workflow(&chain(&endpoint, &["first", "second", "third"]))
        .await;
    let mut workers = vec![system.worker().await, system.worker().await];
    let mut accepted = Vec::new();
    let seed = fastrand::u64(..);
    eprintln!("the seed of the kills is {seed}");
    let mut dice = fastrand::Rng::with_seed(seed);
    for kill in 0..KILLS {
        // New work for each round, and a worker dies in the midst of it: after a random number of its calls, somewhere
        // within a claim, a call, a commit or a settlement.
        let calls = endpoint.calls().len() + dice.usize(1..CALLS);
        let submits = async {
            for number in accepted.len()..(kill + 1) * EXECUTIONS / KILLS {
                accepted.push(api.execute(&workflow, json!({"number": number})).await);
            }
        };
        let death = async {
            endpoint.wait_for_calls(calls).await;
            tokio::time::sleep(Duration::from_millis(dice.u64(0..5))).await;
            workers.remove(0).kill();
        };
        join(submits, death).await;
        workers.push(system.worker().await);
    }
    assert_eq!(accepted.len(), EXECUTIONS);
    let rows = system.check(&accepted, &endpoint, Calls::AtLeastOnce).await;
    let lost: i32 = rows.iter().map(|row| row.attempt - 1).sum();
    assert!(lost > 0, "no kill met an execution under way; seed {seed}");
    // A node that completed was begun again by nobody.
    for row in &rows {
        let mut completed = Vec::new();
        for entry in &row.journal {
            match entry {
                Entry::Completed { path, .. } => completed.push(path),
                Entry::Started { path, .. } => {
                    assert!(
                        !completed.contains(&path),
                        "{path} began after it had completed; seed {seed}: {row:#?}"
                    );
                }
                _ => {}
            }
        }
    }
}
