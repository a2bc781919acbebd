//! Rule 2: what a trigger asks of the input. And what a transform makes of it.

use serde_json::{Value, json};

use crate::support::{World, after_trigger, run, workflow};

fn problems(schema: Value, input: Value) -> Vec<String> {
    let document = workflow(&[("t", "trigger", json!({"inputSchema": schema}))], &[]);
    let plan = World::new().plan(&document);
    let problems = plan.check_input(input.as_object().unwrap());
    problems
        .iter()
        .map(|problem| format!("{} {}", problem.path, problem.code))
        .collect()
}

#[test]
fn rule_02_the_input_has_to_fit_the_triggers_schema_and_every_problem_is_told() {
    let schema = json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "lines": {"type": "array", "items": {"type": "object", "properties": {"n": {"minimum": 1}}}},
        },
    });
    assert_eq!(
        problems(schema.clone(), json!({"name": "Ada", "lines": [{"n": 1}]})),
        [""; 0]
    );
    assert_eq!(
        problems(schema, json!({"lines": [{"n": 1}, {"n": 0}, 3]})),
        [
            "$.input invalid_input",
            "$.input.lines[1].n invalid_input",
            "$.input.lines[2] invalid_input"
        ]
    );
}

#[test]
fn what_is_told_of_an_input_is_bounded() {
    let triggers = ["t", "u"].map(|id| {
        (
            id,
            "trigger",
            json!({"inputSchema": {"properties": {
                "list": {"items": {"type": "object", "properties": {"n": {"type": "string"}}}},
            }}}),
        )
    });
    let plan = World::new().plan(&workflow(&triggers, &[]));
    let long = json!(vec![7; 200_000]);
    let list: Vec<_> = (0..60).map(|_| json!({"n": long})).collect();
    let check = |list: &[Value]| plan.check_input(json!({"list": list}).as_object().unwrap());
    let problems = check(&list);
    assert_eq!(problems.len(), 101);
    assert_eq!(problems[100].code, "more_problems");
    assert_eq!(problems[0].message, "value is not of type \"string\"");
    assert_eq!(check(&list[..50]).len(), 100);
    assert_eq!(check(&[json!(7)])[0].message, "7 is not of type \"object\"");
}

#[test]
fn a_schema_that_is_none_or_refers_elsewhere_is_a_problem() {
    for schema in [
        json!({"type": "thing"}),
        json!(3),
        json!({"$ref": "http://127.0.0.1:1/schema.json"}),
        json!({"$ref": "file:///etc/passwd"}),
    ] {
        let document = workflow(&[("t", "trigger", json!({"inputSchema": schema}))], &[]);
        let problems = World::new().compile(&document).unwrap_err();
        assert_eq!(problems[0].code, "invalid_schema", "{problems:?}");
    }
}

#[tokio::test]
async fn rule_07_a_transform_gives_what_it_sets_or_the_object_that_its_expression_comes_to() {
    let document = after_trigger(
        &[
            (
                "a",
                "transform",
                json!({"set": {"deep": {"list": ["{{ n }}", {"x": "<{{ n }}>"}], "n": 1}}}),
            ),
            (
                "b",
                "transform",
                json!({"expression": "{'sum': n + deep.n, 'deep': deep.list[1]}"}),
            ),
        ],
        &["t>a", "a>b"],
    );
    let output = run(&document, json!({"n": 2})).await.output();
    assert_eq!(output, json!({"n": 2, "deep": {"x": "<2>"}, "sum": 3}));
    let document = after_trigger(&[("a", "transform", json!({"expression": "[1]"}))], &["t>a"]);
    assert_eq!(run(&document, json!({})).await.failure(), "template at a");
    for data in [json!({}), json!({"set": {}, "expression": "x"})] {
        let document = after_trigger(&[("a", "transform", data)], &["t>a"]);
        assert_eq!(World::new().compile(&document).unwrap_err().len(), 1);
    }
}
