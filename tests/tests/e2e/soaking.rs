//! Every fault at random: servers of the test's own.

use std::time::Duration;

use gristmill_tests::{SoakOptions, fresh_seed, soak};

/// The variable that says which seed to soak with, instead of a fresh one.
const SEED: &str = "GRISTMILL_SOAK_SEED";

/// Case 56, as long as a test may take.
#[tokio::test(flavor = "multi_thread")]
async fn two_minutes_of_faults_break_nothing() {
    let seed = match std::env::var(SEED) {
        Ok(seed) => seed.parse().expect("the seed is a number"),
        Err(_) => fresh_seed(),
    };
    let summary = soak(&SoakOptions {
        seed,
        length: Duration::from_secs(120),
        faults_per_minute: 45,
        keep: false,
    })
    .await;
    println!("{}", summary.json());
    assert!(summary.completed > 0, "{}", summary.text());
    assert!(
        summary.violations.is_empty(),
        "repeat it with {SEED}={seed}\n{}",
        summary.text()
    );
}
