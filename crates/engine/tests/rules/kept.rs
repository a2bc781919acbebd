//! What the journal can keep: values so deep that they could not be read back fail their nodes, as does a key that the
//! reader takes for its own.

use gristmill_core::journal::{Entry, FORMAT, RESERVED_KEY, read_chunk, write_chunk};
use gristmill_engine::NodeFailure;
use serde_json::{Value, json};

use crate::support::{Act, Harness, World, after_trigger, run};

fn nested(depth: usize, innermost: Value) -> Value {
    (0..depth).fold(innermost, |inner, _| json!([inner]))
}

/// As the journal gives them back.
fn stored(entries: &[Entry]) -> Vec<Entry> {
    read_chunk(FORMAT, &write_chunk(entries).unwrap()).unwrap()
}

#[tokio::test]
async fn a_reply_that_could_not_be_read_back_fails_its_node_and_the_journal_stays_readable() {
    for (depth, is_kept) in [(99, true), (100, false), (126, false)] {
        let data = json!({"reply": {"deep": nested(depth, json!(1))}, "onError": "continue"});
        let document = after_trigger(&[("a", "call", data)], &["t>a"]);
        let first = Harness::new(&World::new(), &document, json!({})).go().await;
        assert_eq!(first.output().get("deep").is_some(), is_kept, "{depth}");
        if !is_kept {
            assert_eq!(first.output()["error"]["code"], "output_depth");
        }
        for length in 0..=first.journal.len() {
            let mut again = Harness::new(&World::new(), &document, json!({}));
            again.history = stored(&first.journal[..length]);
            assert_eq!(again.go().await.output(), first.output(), "{depth} from {length}");
        }
    }
}

#[tokio::test]
async fn whatever_is_made_of_parts_that_can_be_kept_is_looked_at_as_a_whole() {
    let around = || nested(50, json!("{{ deep }}"));
    let child = json!({"workflowId": "wf_child", "input": {"x": around()}});
    for (kind, data) in [
        ("transform", json!({"set": {"x": around()}})),
        ("subWorkflow", child),
    ] {
        let document = after_trigger(&[("a", kind, data)], &["t>a"]);
        let world = World::new();
        let input = json!({"deep": nested(60, json!(1))});
        let ended = Harness::new(&world, &document, input).go().await;
        assert_eq!(ended.failure(), "output_depth at a", "{kind}");
        assert!(format!("{:?}", ended.outcome).contains("nested more than 100 deep"));
        assert!(world.children.lock().unwrap().is_empty());
    }
    for (items, depth) in [(json!([around()]), 1), (json!([1]), 99)] {
        let mut document = after_trigger(
            &[
                ("each", "forEach", json!({"items": items})),
                ("b", "call", json!({"reply": {"b": nested(depth, json!(1))}})),
            ],
            &["t>each"],
        );
        document["nodes"][2]["parentId"] = json!("each");
        let ended = run(&document, json!({"deep": nested(60, json!(1))})).await;
        assert_eq!(ended.failure(), "output_depth at each");
        stored(&ended.journal);
    }
}

#[tokio::test]
async fn details_of_an_error_that_could_not_be_read_back_are_left_out() {
    let document = after_trigger(&[("a", "call", json!({"onError": "continue"}))], &["t>a"]);
    for (details, is_kept) in [
        (json!({"x": nested(99, json!(1))}), true),
        (json!({"x": nested(100, json!(1))}), false),
        (json!({"x": {RESERVED_KEY: "oops"}}), false),
    ] {
        let failure =
            NodeFailure::last("http_status", "gone").with_details(details.as_object().unwrap().clone());
        let world = World::new().script("a", [Act::Fail(failure)]);
        let ended = Harness::new(&world, &document, json!({})).go().await;
        let error = &ended.output()["error"];
        assert_eq!(error["code"], "http_status");
        assert_eq!(error.get("x").is_some(), is_kept);
        assert_eq!(stored(&ended.journal), ended.journal);
    }
}

#[tokio::test]
async fn the_key_that_the_reader_takes_for_its_own_fails_the_node_that_would_write_it() {
    for text in ["oops", "[1]"] {
        let value = json!({"k": {RESERVED_KEY: text}});
        let expression = format!("{{'k': {{'{RESERVED_KEY}': '{text}'}}}}");
        for (kind, data) in [
            ("call", json!({"reply": value})),
            ("transform", json!({"set": value})),
            ("transform", json!({"set": {RESERVED_KEY: text}})),
            ("transform", json!({"expression": expression})),
            ("subWorkflow", json!({"workflowId": "wf_child", "input": value})),
            ("signal", json!({"name": "go"})),
        ] {
            let document = after_trigger(&[("a", kind, data)], &["t>a"]);
            let world = World::new();
            world.send("signal:go", value.clone());
            let ended = Harness::new(&world, &document, json!({})).go().await;
            assert_eq!(ended.failure(), "reserved_key at a", "{kind}");
        }
    }
    let data = json!({"set": {"x": 1}, "output": RESERVED_KEY});
    let problems = World::new()
        .compile(&after_trigger(&[("a", "transform", data)], &["t>a"]))
        .unwrap_err();
    assert_eq!(
        (problems[0].path.as_str(), problems[0].code),
        ("$.nodes[1].data.output", "reserved_key")
    );
}
