//! The engine alone: graphs of pure nodes on one processor, with a journal in memory. No database, no broker, no HTTP.

mod journal;
mod shapes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_bench::{Growth, Machine, Show, VERSION, round};
use gristmill_core::{ExecutionId, Limits, WorkflowId};
use gristmill_engine::{Command, Control, ManualClock, Outcome, Plan, Registry, Run, builtin, compile_json};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::bench::Error;
use journal::SerializedJournal;
pub use shapes::Shape;

/// Which graphs are run.
pub struct Options {
    /// How many nodes they have.
    pub sizes: Vec<usize>,
    /// How often each is run; the median counts.
    pub runs: usize,
}

/// How fast the engine is.
#[derive(Debug, Serialize)]
pub struct Report {
    bench: &'static str,
    version: &'static str,
    machine: Machine,
    runs: usize,
    graphs: Vec<Graph>,
}

/// One graph.
#[derive(Debug, Serialize)]
struct Graph {
    shape: Shape,
    /// The `transform` nodes that ran each time; the trigger is one more.
    nodes: usize,
    /// The median of the runs, on one processor.
    nodes_per_second: f64,
    /// How long one run took, compiling not included.
    ms: f64,
    /// How long it took to compile the definition.
    compile_ms: f64,
    /// The most that definition, plan and one run took on top of what the process had, where the kernel tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_mib: Option<f64>,
}

/// The sizes are the caller's to bound.
fn unlimited() -> Limits {
    Limits {
        max_nodes: usize::MAX,
        max_expressions: usize::MAX,
        max_items: usize::MAX,
        max_execution_output: usize::MAX,
        max_node_output: usize::MAX,
        max_journal_entries: usize::MAX,
        max_journal_bytes: usize::MAX,
        ..Limits::default()
    }
}

/// Any moment will do.
const NOW: i64 = 1_790_000_000_000;

/// Runs every shape in every size.
///
/// # Errors
/// When told to stop.
pub async fn run(
    options: Options,
    shutdown: CancellationToken,
    show: Arc<dyn Show>,
) -> Result<Report, Error> {
    // A thread of its own, with a runtime of its own: what is measured is one processor.
    let measured = tokio::task::spawn_blocking(move || measure_all(&options, &shutdown, &*show));
    measured.await.map_err(Error::Part)?
}

fn measure_all(options: &Options, shutdown: &CancellationToken, show: &dyn Show) -> Result<Report, Error> {
    let registry = Registry::new(builtin())
        .map_err(Error::Registry)?
        .with_limits(unlimited());
    let mut graphs = Vec::new();
    for shape in Shape::ALL {
        for size in &options.sizes {
            let nodes = shape.transforms(*size);
            show.begin(&format!("{shape} of {nodes} nodes"), options.runs as u64);
            let growth = Growth::start();
            let definition = shape.definition(*size);
            let plan = Arc::new(compile(&definition, &registry)?);
            time_run(shape, nodes, &plan)?;
            let memory_mib = growth.mebibytes();
            let (mut compiling, mut running) = (Vec::new(), Vec::new());
            for _ in 0..options.runs {
                if shutdown.is_cancelled() {
                    return Err(Error::Interrupted);
                }
                let began = Instant::now();
                let again = compile(&definition, &registry)?;
                compiling.push(began.elapsed());
                drop(again);
                running.push(time_run(shape, nodes, &plan)?);
                show.ended(true);
            }
            let seconds = median(running).as_secs_f64();
            graphs.push(Graph {
                shape,
                nodes,
                nodes_per_second: (nodes as f64 / seconds).round(),
                ms: round(seconds * 1_000.0),
                compile_ms: round(median(compiling).as_secs_f64() * 1_000.0),
                memory_mib,
            });
        }
    }
    Ok(Report {
        bench: "engine",
        version: VERSION,
        machine: Machine::this(),
        runs: options.runs,
        graphs,
    })
}

fn compile(definition: &Map<String, Value>, registry: &Registry) -> Result<Plan, Error> {
    let (_, plan) = compile_json(definition, registry).map_err(Error::Definition)?;
    Ok(plan)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// One run, from its input to the serialized output and journal, as a worker would hand them to the database.
fn time_run(shape: Shape, nodes: usize, plan: &Arc<Plan>) -> Result<Duration, Error> {
    let run = Run {
        execution_id: ExecutionId::new(),
        workflow_id: WorkflowId::new(),
        revision: 1,
        started_at: NOW,
        input: shape.input(nodes),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(Error::Runtime)?;
    let began = Instant::now();
    let output = runtime.block_on(run_serialized(plan.clone(), run))?;
    let took = began.elapsed();
    if shape.is_right(nodes, &output) {
        Ok(took)
    } else {
        Err(Error::WrongOutput(shape.to_string()))
    }
}

async fn run_serialized(plan: Arc<Plan>, run: Run) -> Result<Map<String, Value>, Error> {
    let mut journal = SerializedJournal::default();
    let clock = ManualClock::new(NOW);
    let (_commands, receiver) = watch::channel(Control::from(Command::Run));
    let options = gristmill_engine::Options {
        limits: unlimited(),
        ..gristmill_engine::Options::default()
    };
    let outcome =
        gristmill_engine::run(plan, run, Vec::new(), &mut journal, &clock, receiver, &options).await;
    match outcome {
        Outcome::Completed { output, entries, .. } => {
            journal.write(&entries).map_err(Error::Json)?;
            let output = Value::Object(output);
            std::hint::black_box((journal, output.to_string()));
            Ok(match output {
                Value::Object(output) => output,
                _ => Map::new(),
            })
        }
        outcome => Err(Error::WrongOutput(format!("{outcome:?}"))),
    }
}
