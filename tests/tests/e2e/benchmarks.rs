//! Benchmarks: they measure what they say, and leave nothing behind. How fast anything is, no test asks.

use std::path::Path;
use std::process::Command;

use gristmill_tests::{Figures, figures, gristmill};
use serde_json::{Value, json};
use tokio_postgres::NoTls;

/// The developers' benchmarks.
const OWN: &str = env!("CARGO_BIN_EXE_gristmill-tests");

/// Every execution was accepted and completed, and it took some time.
fn check(figures: &Value, executions: u64) {
    for (key, expected) in [("accepted", executions), ("completed", executions), ("failed", 0)] {
        assert_eq!(figures[key], expected, "{key}: {figures}");
    }
    for key in ["p50", "p95", "p99"] {
        assert!(
            figures["latency_ms"][key].as_f64() > Some(0.0),
            "{key}: {figures}"
        );
    }
    assert!(figures["executions_per_second"].as_f64() > Some(0.0), "{figures}");
}

/// How many databases there are of a benchmark that was this process, by what their names begin with.
async fn databases_of(figures: &Figures, kind: &str) -> i64 {
    let url = std::env::var("DATABASE_URL").unwrap();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    let driving = tokio::spawn(connection);
    let mine = format!("gristmill_{kind}_{}_%", figures.pid);
    let row = client
        .query_one("SELECT count(*) FROM pg_database WHERE datname LIKE $1", &[&mine])
        .await
        .unwrap();
    drop(client);
    driving.await.unwrap().unwrap();
    row.get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spawned_system_completes_what_it_accepts_and_is_taken_away() {
    let figures = figures(
        &gristmill(),
        &["bench", "--spawn", "--executions", "200", "--in-flight", "16"],
    )
    .await;
    check(&figures.report, 200);
    assert_eq!(figures.report["in_flight"], 16);
    for process in ["api", "worker"] {
        assert!(
            figures.report["memory_mib"][process]["anonymous"].as_f64() > Some(0.0),
            "{}",
            figures.report
        );
        assert!(figures.report["processor_seconds_per_1000"][process].is_number());
    }
    assert_eq!(databases_of(&figures, "bench").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_floor_is_measured_one_by_one_and_in_groups() {
    for (mode, grouped) in [(&[][..], false), (&["--grouped"][..], true)] {
        let arguments = [&["floor", "--executions", "200", "--in-flight", "32"], mode].concat();
        let figures = figures(Path::new(OWN), &arguments).await.report;
        check(&figures, 200);
        assert_eq!(figures["grouped"], grouped);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_is_measured_beside_what_it_has_stored_and_an_open_transaction() {
    let figures = figures(
        Path::new(OWN),
        &[
            "stored",
            "--up-to",
            "2000",
            "--executions",
            "200",
            "--in-flight",
            "16",
            "--hold-transaction",
            "1",
        ],
    )
    .await;
    let stages = figures.report["stages"].as_array().unwrap();
    for stage in stages {
        check(stage, 200);
    }
    let stored: Vec<_> = stages
        .iter()
        .map(|stage| stage["stored"].as_u64().unwrap())
        .collect();
    // At the end, what was submitted meanwhile as well.
    assert_eq!(stored[..2], [1_000, 2_000]);
    assert!(stored.len() == 3 && stored[2] >= 2_400, "{stored:?}");
    assert!(stages[2]["held_seconds"].as_f64() >= Some(1.0), "{stages:?}");
    assert_eq!(stages[0]["processor_ratio"], 1.0);
    assert_eq!(databases_of(&figures, "test").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_measured_filter_by_filter() {
    let figures = figures(Path::new(OWN), &["listing", "--executions", "3000"]).await;
    assert_eq!(figures.report["executions"], 3_000);
    assert!(
        figures.report["lists"].as_u64() > Some(1_000),
        "{}",
        figures.report
    );
    assert!(
        figures.report["most_blocks"].as_u64() > Some(50),
        "{}",
        figures.report
    );
    assert_eq!(databases_of(&figures, "test").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_is_measured_graph_by_graph() {
    let figures = figures(Path::new(OWN), &["engine", "--nodes", "10,101", "--runs", "3"])
        .await
        .report;
    assert_eq!(figures["bench"], "engine");
    assert_eq!(figures["version"], env!("CARGO_PKG_VERSION"));
    let graphs: Vec<_> = figures["graphs"].as_array().unwrap().iter().collect();
    let shapes: Vec<_> = graphs
        .iter()
        .map(|graph| json!([graph["shape"], graph["nodes"]]))
        .collect();
    let expected = [
        json!(["chain", 9]),
        json!(["chain", 100]),
        json!(["fan_out_fan_in", 9]),
        json!(["fan_out_fan_in", 100]),
        json!(["grid", 9]),
        json!(["grid", 100]),
        json!(["layers", 8]),
        json!(["layers", 100]),
        json!(["for_each", 8]),
        json!(["for_each", 100]),
    ];
    assert_eq!(shapes, expected);
    assert!(
        graphs
            .iter()
            .all(|graph| graph["nodes_per_second"].as_f64() > Some(0.0)
                && graph["compile_ms"].as_f64() > Some(0.0))
    );
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in ["soak", "floor", "engine", "listing", "stored", "waiting"] {
        let help = Command::new(OWN).args([command, "--help"]).output().unwrap();
        assert!(help.status.success(), "{command}");
        let help = String::from_utf8(help.stdout).unwrap();
        assert!(help.contains("Example"), "{command}: {help}");
    }
}

#[test]
fn a_benchmark_without_a_server_says_what_to_set() {
    for (command, variable) in [
        ("listing", "DATABASE_URL"),
        ("floor", "DATABASE_URL"),
        ("waiting", "DATABASE_URL"),
    ] {
        let refused = Command::new(OWN).arg(command).env_clear().output().unwrap();
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        let told = String::from_utf8(refused.stderr).unwrap();
        assert!(told.contains(variable), "{command}: {told}");
    }
}
