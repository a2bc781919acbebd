//! `gristmill run`

use serde_json::{Value, json};

use crate::gristmill::{example, gristmill, output, output_of, text};

fn file(definition: &Value) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), definition.to_string()).unwrap();
    file
}

/// One transform that divides 100 by the input's `by`.
fn dividing() -> tempfile::NamedTempFile {
    file(&json!({
        "nodes": [
            {"id": "start", "type": "trigger"},
            {"id": "divide", "type": "transform", "data": {"set": {"share": "{{ 100 / by }}"}}},
        ],
        "edges": [{"id": "e", "source": "start", "target": "divide"}],
    }))
}

#[tokio::test]
async fn the_output_is_all_that_stdout_gets() {
    let run = output(
        gristmill()
            .arg("run")
            .arg(example("hello.json"))
            .args(["--input", r#"{"name": "Ada"}"#]),
    )
    .await;
    assert!(run.status.success(), "{}", text(&run.stderr));
    let output: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(output, json!({"name": "Ada", "greeting": "Hello, Ada!"}));
}

#[tokio::test]
async fn outputs_come_in_the_order_of_the_input() {
    let records: String = (1..=300).map(|by| format!("{{\"by\": {by}}}\n")).collect();
    let run = output_of(
        gristmill()
            .arg("run")
            .arg(dividing().path())
            .args(["--input-file", "-"]),
        &records,
    )
    .await;
    assert!(run.status.success(), "{}", text(&run.stderr));
    let order: Vec<_> = text(&run.stdout)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["by"].clone())
        .collect();
    assert_eq!(order, (1..=300).map(Value::from).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_failed_record_is_told_with_its_number_and_node_and_the_others_go_on() {
    let records = "{\"by\": 4}\n{\"by\": \"x\"}\nnonsense\n{\"by\": 5}\n";
    let run = output_of(
        gristmill()
            .arg("run")
            .arg(dividing().path())
            .args(["--input-file", "-"]),
        records,
    )
    .await;
    assert_eq!(run.status.code(), Some(1));
    assert_eq!(text(&run.stdout).lines().count(), 2);
    let told = text(&run.stderr);
    assert!(told.contains("record 2: FAILED at node `divide`"), "{told}");
    assert!(told.contains("record 3: not a JSON object"), "{told}");
    assert!(told.contains("2 of 4 executions failed"), "{told}");
}

#[tokio::test]
async fn every_problem_of_a_definition_is_told_with_its_path() {
    let definition = file(&json!({
        "nodes": [{"id": "start", "type": "trigger"}, {"id": "a", "type": "teleport"}],
        "edges": [{"id": "e", "source": "start", "target": "nowhere"}],
    }));
    let run = output(gristmill().arg("run").arg(definition.path())).await;
    assert_eq!(run.status.code(), Some(2));
    assert!(run.stdout.is_empty());
    let told = text(&run.stderr);
    assert!(told.contains("$.nodes[1]") && told.contains("teleport"), "{told}");
    assert!(told.contains("$.edges[0]") && told.contains("nowhere"), "{told}");
}

#[tokio::test]
async fn what_is_no_json_object_is_refused_before_anything_runs() {
    let run = output(
        gristmill()
            .arg("run")
            .arg(example("hello.json"))
            .args(["--input", "[1]"]),
    )
    .await;
    assert_eq!(run.status.code(), Some(2));
    assert!(
        text(&run.stderr).contains("--input: not a JSON object"),
        "{}",
        text(&run.stderr)
    );
}
