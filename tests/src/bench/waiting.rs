//! Many executions that wait for the same moment: what they cost while they wait, and how soon they go on when it comes.

mod moments;
mod report;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use gristmill_bench::{ByProcess, Connection, Meter, Show, Site, Target};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::bench::ground::Ground;
use crate::bench::{Error, database};
use moments::Moments;
pub use report::Report;

/// How many wait, and until when.
pub struct Options {
    /// How many executions wait.
    pub executions: u64,
    /// How many are submitted at a time.
    pub in_flight: u64,
    /// From the first submit to the moment that all wait for. They have to be waiting well before it.
    pub lead: Duration,
    /// How many executions the worker runs at a time, by its configuration.
    pub slots: u64,
    /// Within how long each has to leave WAITING, and then to start when it is its turn.
    pub within: Duration,
}

/// How long the cost of waiting is measured.
const QUIET: Duration = Duration::from_secs(3);

/// Before the moment comes, nothing else is under way for so long: the relay's own look at the database included.
const MARGIN: Duration = Duration::from_secs(2);

/// How long all may take to end after their moment.
const PATIENCE: Duration = Duration::from_secs(600);

/// The pause between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Measures on a system of its own.
///
/// # Errors
/// When something could not be started, database or API refused something, or not all were waiting in time.
pub async fn run(
    options: Options,
    shutdown: CancellationToken,
    show: Arc<dyn Show>,
) -> Result<Report, Error> {
    let ground = Ground::new().await;
    let mut site = Site::new(ground.options()?)?;
    let measured = shutdown
        .run_until_cancelled(measure(&options, &mut site, &show))
        .await;
    site.close().await;
    measured.unwrap_or(Err(Error::Interrupted))
}

async fn measure(options: &Options, site: &mut Site, show: &Arc<dyn Show>) -> Result<Report, Error> {
    let target = site.start().await?;
    let moments = Moments::watch(database::connect(site.database_url()).await?).await?;
    let due = moments.now().await? + options.lead;
    show.begin("submitting", options.executions);
    submit(options, &target, due, show).await?;
    wait_for_all(options, &moments, due).await?;
    let spent = cost_of_waiting(site).await;
    show.begin("going on", options.executions);
    follow(options, &moments, show).await?;
    let lives = moments.lives().await?;
    Ok(Report::new(options, due, &lives, spent))
}

/// `trigger → wait until the moment → one transform`.
fn workflow() -> Value {
    json!({
        "name": "Benchmark",
        "nodes": [
            {"id": "start", "type": "trigger"},
            {"id": "pause", "type": "wait", "data": {"until": "{{ due }}"}},
            {"id": "end", "type": "transform", "data": {"set": {"done": "{{ number + 1 }}"}}},
        ],
        "edges": [{"source": "start", "target": "pause"}, {"source": "pause", "target": "end"}],
    })
}

#[derive(Deserialize)]
struct Stored {
    workflow: Id,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// Submits all of them, so many at a time; each is accepted and not waited for.
async fn submit(
    options: &Options,
    target: &Target,
    due: DateTime<Utc>,
    show: &Arc<dyn Show>,
) -> Result<(), Error> {
    let mut connection = Connection::open(target).await?;
    let stored = connection
        .post("storing the workflow", "/workflows", None, workflow().to_string())
        .await?;
    let stored: Stored = serde_json::from_slice(&stored).map_err(Error::Json)?;
    let path: Arc<str> = format!("/workflows/{}/execute", stored.workflow.id).into();
    let due: Arc<str> = due.to_rfc3339_opts(SecondsFormat::Millis, true).into();
    let (next, executions) = (Arc::new(AtomicU64::new(0)), options.executions);
    let mut turns = JoinSet::new();
    for _ in 0..options.in_flight.min(executions) {
        let mut connection = Connection::open(target).await?;
        let (next, path, due, show) = (next.clone(), path.clone(), due.clone(), show.clone());
        turns.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= executions {
                    return Ok::<_, Error>(());
                }
                let body = json!({"input": {"number": number, "due": &*due}}).to_string();
                connection
                    .post("submitting an execution", &path, None, body)
                    .await?;
                show.ended(true);
            }
        });
    }
    while let Some(turn) = turns.join_next().await {
        turn.map_err(Error::Part)??;
    }
    Ok(())
}

/// Returns when all are waiting; fails when that came too late for anything to be measured.
async fn wait_for_all(options: &Options, moments: &Moments, due: DateTime<Utc>) -> Result<(), Error> {
    loop {
        let waiting = moments.count("WAITING").await?;
        let left = due - moments.now().await?;
        if left.to_std().is_ok_and(|left| left >= QUIET + MARGIN) {
            if waiting >= options.executions {
                return Ok(());
            }
        } else {
            return Err(Error::TooLate {
                waiting,
                executions: options.executions,
            });
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Processor seconds of everything in a minute in which all wait and nothing else happens.
async fn cost_of_waiting(site: &Site) -> ByProcess {
    let meter = Meter::start(&site.processes(), &site.servers());
    sleep(QUIET).await;
    meter.per_minute(QUIET)
}

/// Returns when all have ended, or no more end.
async fn follow(options: &Options, moments: &Moments, show: &Arc<dyn Show>) -> Result<(), Error> {
    let deadline = Instant::now() + options.lead + PATIENCE;
    let mut shown = 0;
    while shown < options.executions && Instant::now() < deadline {
        sleep(LOOK_EVERY).await;
        let ended = moments.count("COMPLETED").await? + moments.count("FAILED").await?;
        for _ in shown..ended {
            show.ended(true);
        }
        shown = ended;
    }
    Ok(())
}
