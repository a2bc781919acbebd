use gristmill_engine::RetryPolicy;
use serde_json::{Value, json};

use crate::support::{compile, private};

fn problems(data: &Value) -> Vec<String> {
    let problems = compile(private(), data).err().unwrap_or_default();
    problems
        .iter()
        .map(|problem| format!("{} {}", problem.path, problem.code))
        .collect()
}

#[test]
fn every_problem_of_a_configuration_is_reported_at_once() {
    assert_eq!(
        problems(&json!({
            "method": "FETCH",
            "url": "ftp://example.com",
            "query": [],
            "headers": {"Content-Length": "3", "no header": "x", "x-ok": "{{ open"},
            "body": {"a": ["{{ 1 + }}"]},
            "colour": "red",
        })),
        [
            "$.method unknown_value",
            "$.url invalid_url",
            "$.query wrong_type",
            r#"$.headers["x-ok"] invalid_template"#,
            "$.body.a[0] invalid_template",
            "$.colour unknown_key",
        ]
    );
    assert_eq!(
        problems(&json!({"url": "http://a.example", "headers": {"Host": "b.example", "no header": "x"}})),
        ["$.headers reserved_header", "$.headers invalid_header"]
    );
}

#[test]
fn a_url_is_required_and_its_text_is_not_repeated_in_the_problem() {
    assert_eq!(problems(&json!({})), ["$.url missing"]);
    let problems = compile(private(), &json!({"url": "//user:secret@host"}))
        .err()
        .unwrap();
    assert!(!problems[0].message.contains("secret"), "{}", problems[0].message);
}

#[test]
fn what_holds_expressions_is_left_to_the_run() {
    assert!(problems(&json!({"method": "{{ vars.method }}", "url": "{{ vars.url }}/x"})).is_empty());
}

#[test]
fn a_call_is_tried_three_times_for_30_seconds_each_unless_the_node_says_otherwise() {
    let compiled = compile(private(), &json!({"url": "http://a.example"}))
        .ok()
        .unwrap();
    assert_eq!(compiled.retry, RetryPolicy::times(3));
    assert_eq!(compiled.timeout.map(|limit| limit.as_secs()), Some(30));
}

#[test]
fn a_request_has_one_body_and_expects_statuses() {
    let with = |key: &str, value: Value| {
        let mut data = json!({"url": "http://a.example", "body": {}});
        data[key] = value;
        problems(&data)
    };
    assert_eq!(with("form", json!({})), ["$.form contradiction"]);
    assert_eq!(with("text", json!("x")), ["$.text contradiction"]);
    for wrong in [
        json!(99),
        json!("7xx"),
        json!([]),
        json!([200, "ok"]),
        json!(true),
    ] {
        assert_eq!(with("expectStatus", wrong), ["$.expectStatus invalid_value"]);
    }
}
