//! Nodes per second without queue and database: `cargo run --release -p gristmill-engine --example speed`.
//!
//! One thread, an in-memory journal whose entries are serialized as a worker would; the mean of many runs, in processor time,
//! so that it can be measured beside other work.

use std::sync::Arc;
use std::time::Duration;

use gristmill_core::journal::{Entry, write_chunk};
use gristmill_core::{ExecutionId, Limits, WorkflowId};
use gristmill_engine::{
    ChildRequest, Command, Journal, LeaseLost, Mail, ManualClock, NodeFailure, Options, Outcome, Plan,
    Registry, Run, Suspension, builtin, compile_json,
};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

/// Writes every commit as a worker does, and forgets it.
#[derive(Default)]
struct Written {
    bytes: usize,
}

impl Written {
    fn write(&mut self, entries: &[Entry]) {
        self.bytes += write_chunk(entries).map_or(0, |chunk| chunk.len());
    }
}

impl Journal for Written {
    async fn append(&mut self, entries: Vec<Entry>) -> Result<(), LeaseLost> {
        self.write(&entries);
        Ok(())
    }

    async fn mail(&mut self, _after: i64) -> Result<Vec<Mail>, LeaseLost> {
        Ok(Vec::new())
    }

    async fn start_children(
        &mut self,
        _children: Vec<ChildRequest>,
    ) -> Result<Vec<Result<ExecutionId, NodeFailure>>, LeaseLost> {
        Ok(Vec::new())
    }

    async fn suspend(
        &mut self,
        entries: &[Entry],
        _wake_at: Option<i64>,
        _inbox: i32,
    ) -> Result<Suspension, LeaseLost> {
        self.write(entries);
        Ok(Suspension::Done)
    }
}

fn transform(id: &str, set: Value) -> Value {
    json!({"id": id, "type": "transform", "data": {"set": set}})
}

/// Each node adds one to the key of the node before it.
fn chain(nodes: usize) -> Value {
    let mut list = vec![json!({"id": "n0", "type": "trigger"})];
    list.extend((1..nodes).map(|n| {
        transform(
            &format!("n{n}"),
            json!({format!("k{n}"): format!("{{{{ k{} + 1 }}}}", n - 1)}),
        )
    }));
    let edges: Vec<_> = (1..nodes)
        .map(|n| json!({"source": format!("n{}", n - 1), "target": format!("n{n}")}))
        .collect();
    json!({"nodes": list, "edges": edges})
}

/// One node, many that read and write one key, and one that joins them.
fn fan(nodes: usize) -> Value {
    let mut list = vec![
        json!({"id": "t", "type": "trigger"}),
        transform("end", json!({"x": "{{ x + 1 }}"})),
    ];
    let mut edges = Vec::new();
    for n in 2..nodes {
        let id = format!("n{n}");
        list.push(transform(&id, json!({"x": "{{ x + 1 }}"})));
        edges.push(json!({"source": "t", "target": id}));
        edges.push(json!({"source": id, "target": "end"}));
    }
    json!({"nodes": list, "edges": edges})
}

/// Every node but those of the first row and column joins two.
fn grid(nodes: usize) -> Value {
    let side = nodes.isqrt();
    let id = |row: usize, column: usize| format!("n{row}_{column}");
    let (mut list, mut edges) = (Vec::new(), Vec::new());
    for (row, column) in (0..side * side).map(|at| (at / side, at % side)) {
        list.push(match (row, column) {
            (0, 0) => json!({"id": id(0, 0), "type": "trigger"}),
            _ => transform(&id(row, column), json!({"x": "{{ x + 1 }}"})),
        });
        for (row_before, column_before) in [(row.wrapping_sub(1), column), (row, column.wrapping_sub(1))] {
            if row_before < side && column_before < side {
                edges.push(json!({"source": id(row_before, column_before), "target": id(row, column)}));
            }
        }
    }
    json!({"nodes": list, "edges": edges})
}

/// Two layers: every node of the second joins two of the first.
fn layers(nodes: usize) -> Value {
    let half = nodes / 2;
    let mut list = vec![json!({"id": "t", "type": "trigger"})];
    let mut edges = Vec::new();
    for n in 0..half {
        list.push(transform(&format!("a{n}"), json!({"x": "{{ x + 1 }}"})));
        list.push(transform(&format!("b{n}"), json!({"x": "{{ x + 1 }}"})));
        edges.push(json!({"source": "t", "target": format!("a{n}")}));
        edges.push(json!({"source": format!("a{}", n / 2), "target": format!("b{n}")}));
        edges.push(json!({"source": format!("a{}", n / 3), "target": format!("b{n}")}));
    }
    json!({"nodes": list, "edges": edges})
}

/// One body of two nodes for many items.
fn items(nodes: usize) -> Value {
    let mut a = transform("a", json!({"a": "{{ item + 1 }}"}));
    let mut b = transform("b", json!({"b": "{{ a + 1 }}"}));
    a["parentId"] = json!("each");
    b["parentId"] = json!("each");
    json!({
        "nodes": [
            {"id": "t", "type": "trigger"},
            {"id": "each", "type": "forEach",
                "data": {"items": format!("range({})|list", nodes / 2), "concurrency": 10}},
            a, b,
        ],
        "edges": [{"source": "t", "target": "each"}, {"source": "a", "target": "b"}],
    })
}

/// What this thread has used of a processor so far.
fn used() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

async fn execute(plan: &Arc<Plan>, input: &Map<String, Value>, options: &Options) -> Duration {
    let run = Run {
        execution_id: ExecutionId::new(),
        workflow_id: WorkflowId::new(),
        revision: 1,
        started_at: 0,
        input: input.clone(),
    };
    let (_keep, orders) = watch::channel(Command::Run.into());
    let mut journal = Written::default();
    let clock = ManualClock::new(0);
    let began = used();
    let plan = Arc::clone(plan);
    let outcome = gristmill_engine::run(plan, run, Vec::new(), &mut journal, &clock, orders, options).await;
    match outcome {
        Outcome::Completed { entries, .. } => journal.write(&entries),
        other => eprintln!("not completed: {other:?}"),
    }
    used() - began
}

/// A name, and the definition with so many nodes.
type Shape = (&'static str, fn(usize) -> Value);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limits = Limits {
        max_nodes: 20_000,
        max_journal_entries: usize::MAX,
        ..Limits::default()
    };
    let registry = Registry::new(builtin())?.with_limits(limits);
    let options = Options {
        limits,
        ..Options::default()
    };
    let mut input = Map::new();
    input.insert("k0".to_owned(), json!(0));
    input.insert("x".to_owned(), json!(0));
    let shapes: [Shape; 5] = [
        ("chain", chain),
        ("fan", fan),
        ("grid", grid),
        ("layers", layers),
        ("items", items),
    ];
    for (name, shape) in shapes {
        for nodes in [100, 1_000, 5_000, 10_000] {
            let document = shape(nodes);
            let document = document.as_object().ok_or("an object")?;
            let mut plan = None;
            let mut compiled = Duration::ZERO;
            let times = (50_000 / nodes).max(5) as u32;
            for _ in 0..times {
                drop(plan.take());
                let began = used();
                plan = Some(
                    compile_json(document, &registry)
                        .map_err(|problems| format!("{problems:?}"))?
                        .1,
                );
                compiled += used() - began;
            }
            let compiled = compiled / times;
            let plan = Arc::new(plan.ok_or("a plan")?);
            let times = (1_000_000 / nodes) as u32;
            let mut ran = Duration::ZERO;
            for _ in 0..times {
                ran += execute(&plan, &input, &options).await;
            }
            let ran = ran / times;
            let rate = nodes as f64 / ran.as_secs_f64();
            println!(
                "{}",
                json!({"shape": name, "nodes": nodes, "nodesPerSecond": rate.round(),
                    "runMs": ran.as_secs_f64() * 1e3, "compileMs": compiled.as_secs_f64() * 1e3})
            );
        }
    }
    Ok(())
}
