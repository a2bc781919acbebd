//! Benchmarks: that they measure what they say. How fast anything is, no test asks.

use serde_json::{Value, json};

use crate::gristmill::{gristmill, output, text};

#[tokio::test]
async fn the_engines_benchmark_prints_one_line_of_json_with_every_graph() {
    let done = output(gristmill().args(["bench", "engine", "--nodes", "10,101", "--runs", "3"])).await;
    assert!(done.status.success(), "{done:?}");
    let printed = text(&done.stdout);
    assert_eq!(printed.lines().count(), 1, "{printed}");
    let figures: Value = serde_json::from_str(printed).unwrap();
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

#[tokio::test]
async fn a_benchmark_without_a_system_says_how_to_name_one() {
    let refused = output(gristmill().arg("bench")).await;
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(text(&refused.stderr).contains("--url"), "{refused:?}");
    let refused = output(gristmill().args(["bench", "--spawn"])).await;
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(text(&refused.stderr).contains("DATABASE_URL"), "{refused:?}");
}
