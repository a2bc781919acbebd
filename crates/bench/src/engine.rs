//! The engine alone: graphs of pure nodes on one processor, with a journal in memory. No database, no broker, no HTTP.

mod journal;
mod shapes;

use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_core::{ExecutionId, Limits, WorkflowId};
use gristmill_engine::{Command, ManualClock, Orders, Outcome, Plan, Registry, Run, builtin, compile_json};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::machine::{Machine, VERSION};
use crate::round::round;
use crate::{Error, Show};
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
    // The sizes are the caller's to bound.
    let limits = Limits {
        max_nodes: usize::MAX,
        ..Limits::default()
    };
    let registry = Registry::new(builtin())
        .map_err(Error::Registry)?
        .with_limits(limits);
    let mut graphs = Vec::new();
    for shape in Shape::ALL {
        for size in &options.sizes {
            let nodes = shape.transforms(*size);
            show.begin(&format!("{shape} of {nodes} nodes"), options.runs as u64);
            let plan = compile(shape, *size, &registry)?;
            let mut times = Vec::new();
            for _ in 0..options.runs {
                if shutdown.is_cancelled() {
                    return Err(Error::Interrupted);
                }
                times.push(time_run(shape, nodes, &plan)?);
                show.ended(true);
            }
            times.sort_unstable();
            let median = times
                .get(times.len() / 2)
                .copied()
                .unwrap_or_default()
                .as_secs_f64();
            graphs.push(Graph {
                shape,
                nodes,
                nodes_per_second: (nodes as f64 / median).round(),
                ms: round(median * 1_000.0),
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

fn compile(shape: Shape, size: usize, registry: &Registry) -> Result<Arc<Plan>, Error> {
    let definition = shape.definition(size);
    let (_, plan) = compile_json(&definition, registry).map_err(Error::Definition)?;
    Ok(Arc::new(plan))
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
    let (_commands, receiver) = watch::channel(Orders::from(Command::Run));
    let options = gristmill_engine::Options::default();
    let outcome =
        gristmill_engine::run(plan, run, Vec::new(), &mut journal, &clock, receiver, &options).await;
    match outcome {
        Outcome::Completed { output, entries, .. } => {
            journal.write(&entries).map_err(Error::Answer)?;
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
