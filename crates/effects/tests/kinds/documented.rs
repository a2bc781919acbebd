//! Documentation: every example in `docs/nodes.md`.

use std::path::Path;
use std::sync::Arc;

use gristmill_core::journal::Entry;
use gristmill_core::{ExecutionId, WorkflowId};
use gristmill_effects::kinds;
use gristmill_engine::{
    ChildRequest, Command, Control, InboxMessage, Journal, LeaseLost, ManualClock, NodeFailure, Options,
    Outcome, Registry, Run, Suspension, builtin, compile_json,
};
use gristmill_testkit::{RecordingEndpoint, Reply};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::private;

/// The child that every request is answered with.
const CHILD: &str = "wf_exec_child";

/// An inbox with all that the example tells of.
struct Inbox(Vec<InboxMessage>);

impl Journal for Inbox {
    async fn append(&mut self, _entries: Vec<Entry>) -> Result<(), LeaseLost> {
        Ok(())
    }

    async fn inbox(&mut self, after: i64) -> Result<Vec<InboxMessage>, LeaseLost> {
        Ok(self
            .0
            .iter()
            .filter(|message| message.seq > after)
            .cloned()
            .collect())
    }

    async fn start_children(
        &mut self,
        children: Vec<ChildRequest>,
    ) -> Result<Vec<Result<ExecutionId, NodeFailure>>, LeaseLost> {
        Ok(children.iter().map(|_| Ok(CHILD.parse().unwrap())).collect())
    }

    async fn suspend(
        &mut self,
        _entries: &[Entry],
        _wake_at: Option<i64>,
        _inbox: i32,
    ) -> Result<Suspension, LeaseLost> {
        Ok(Suspension::Done)
    }
}

#[tokio::test]
async fn every_example_of_the_page_about_node_kinds_gives_what_it_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/nodes.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks = page.split("```json\n").skip(1);
    let examples: Vec<Value> = blocks
        .map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap())
        .collect();
    let mut shown: Vec<_> = examples
        .iter()
        .map(|example| example["node"]["type"].as_str().unwrap())
        .collect();
    for example in &examples {
        check(example).await;
    }
    shown.sort_unstable();
    shown.dedup();
    let registry = registry();
    assert_eq!(shown, registry.names(), "every kind has its example");
    for kind in registry.names() {
        assert!(page.contains(&format!("\n## {kind}\n")), "{kind} has no section");
    }
}

fn registry() -> Registry {
    Registry::new(
        builtin()
            .into_iter()
            .chain(kinds(gristmill_effects::Options { http: private() }).unwrap())
            .collect(),
    )
    .unwrap()
}

async fn check(example: &Value) {
    let reply = example["answers"].clone();
    let endpoint = RecordingEndpoint::answering(move |_| {
        Reply::json(
            reply["status"].as_u64().unwrap_or(200) as u16,
            reply["body"].clone(),
        )
    })
    .await;
    let (_, plan) = compile_json(document(example).as_object().unwrap(), &registry())
        .unwrap_or_else(|problems| panic!("{example}: {problems:#?}"));
    let mut input = example["input"].as_object().unwrap().clone();
    assert_eq!(plan.check_input(&input), [], "{example}");
    input.insert("directory".to_owned(), json!(endpoint.url()));
    let mut inbox = Inbox(messages(example));
    let control = Control {
        command: Command::Run,
        inbox: inbox.0.len() as i32,
    };
    let (_keep, control) = watch::channel(control);
    let run = Run {
        execution_id: ExecutionId::new(),
        workflow_id: WorkflowId::new(),
        revision: 1,
        started_at: 1_800_000_000_000,
        input,
    };
    let clock = ManualClock::new(run.started_at);
    let options = Options::default();
    let plan = Arc::new(plan);
    match gristmill_engine::run(plan, run, Vec::new(), &mut inbox, &clock, control, &options).await {
        Outcome::Completed { mut output, .. } => {
            output.remove("directory");
            if let Some(reply) = output.get_mut("reply").and_then(Value::as_object_mut) {
                reply.remove("headers");
            }
            assert_eq!(&Value::Object(output), &example["gives"]);
        }
        other => panic!("{example}: {other:#?}"),
    }
}

/// The example's node behind a trigger, with its body, and with a transform behind each handle that it tells of.
fn document(example: &Value) -> Value {
    let mut node = example["node"].clone();
    let id = node["id"].as_str().unwrap_or("node").to_owned();
    node["id"] = json!(id);
    let mut nodes = vec![json!({"id": "start", "type": "trigger"}), node];
    let mut edges = vec![json!({"source": "start", "target": id})];
    for inner in example["body"].as_array().into_iter().flatten() {
        let mut inner = inner.clone();
        inner["parentId"] = json!(id);
        nodes.push(inner);
    }
    for (handle, set) in example["behind"].as_object().into_iter().flatten() {
        nodes.push(json!({"id": handle, "type": "transform", "data": {"set": set}}));
        edges.push(json!({"source": id, "sourceHandle": handle, "target": handle}));
    }
    json!({"nodes": nodes, "edges": edges})
}

fn messages(example: &Value) -> Vec<InboxMessage> {
    let signals = example["signals"].as_object().into_iter().flatten();
    let signals = signals.map(|(name, body)| (format!("signal:{name}"), body.clone()));
    let child = example
        .get("child")
        .map(|body| (format!("child:{CHILD}"), body.clone()));
    let messages = signals.chain(child).zip(1..);
    messages
        .map(|((name, body), seq)| InboxMessage { seq, name, body })
        .collect()
}
