//! The floor: the least that any system must do that records, queues and runs executions durably, on the same servers and
//! with the same number in flight, and without Gristmill.
//!
//! For each execution: one committed insert, one confirmed publish to a quorum queue, one delivery and its ack, one update
//! to RUNNING, and one update to COMPLETED together with one insert into a journal. Statements are prepared once,
//! connections are as many as Gristmill's, and everything is pipelined: it is meant to be hard to beat.

mod groups;
mod lines;
mod queue;
mod report;
mod run;
mod statements;
mod tables;

use std::sync::Arc;
use std::time::Instant;

use gristmill_bench::{Meter, Show};
use tokio_util::sync::CancellationToken;

use crate::bench::{Error, database};
use queue::Queue;
pub use report::Report;
use run::Floor;
use statements::Statements;
use tables::Tables;

/// How much, and where.
pub struct Options {
    /// How many executions.
    pub executions: u64,
    /// How many at a time.
    pub in_flight: u64,
    /// Whether statements take many executions each: whatever piled up while the last one was under way.
    pub grouped: bool,
    /// A PostgreSQL database; its role may make a schema.
    pub database_url: String,
    /// A RabbitMQ server.
    pub broker_url: String,
    /// Connections of each side, as of each process of Gristmill.
    pub pool_size: usize,
}

/// Measures. Schema and queue are the benchmark's own, and gone at the end.
///
/// # Errors
/// When database or broker refuse something.
pub async fn run(
    options: Options,
    shutdown: CancellationToken,
    show: Arc<dyn Show>,
) -> Result<Report, Error> {
    let admin = database::connect(&options.database_url).await?;
    let tables = Tables::create(&admin).await?;
    let report = on_tables(&options, &tables, shutdown, &show).await;
    let dropped = tables.drop(&admin).await;
    let report = report?;
    dropped.map(|()| report)
}

async fn on_tables(
    options: &Options,
    tables: &Tables,
    shutdown: CancellationToken,
    show: &Arc<dyn Show>,
) -> Result<Report, Error> {
    let queue = Queue::declare(&options.broker_url, options.in_flight).await?;
    let measured = shutdown
        .run_until_cancelled(measure(options, tables, &queue, show))
        .await;
    let deleted = queue.delete().await;
    let report = measured.unwrap_or(Err(Error::Interrupted))?;
    deleted.map(|()| report)
}

async fn measure(
    options: &Options,
    tables: &Tables,
    queue: &Queue,
    show: &Arc<dyn Show>,
) -> Result<Report, Error> {
    let statements = Statements::prepare(options, tables).await?;
    let floor = Floor::start(statements, queue).await?;
    show.begin("at the floor", options.executions);
    let servers = [
        ("postgresql", options.database_url.as_str()),
        ("rabbitmq", &options.broker_url),
    ];
    let meter = Meter::start(&[], &servers);
    let began = Instant::now();
    let times = floor.drive(options, show).await?;
    let took = began.elapsed();
    Ok(Report::new(
        options,
        times,
        took,
        meter.per_thousand(options.executions),
    ))
}
