//! Stored: what an execution costs beside many others that have ended, and beside a transaction that is held open: a
//! system that keeps its past must not get slower by it.

mod fill;
mod report;

use std::sync::Arc;
use std::time::Duration;

use gristmill_bench::system::{Load, Producer};
use gristmill_bench::{Meter, Show, Site};
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use crate::bench::ground::Ground;
use crate::bench::{Error, database};
use fill::{count, fill};
pub use report::Report;
use report::Stage;

/// How much is stored, and how much is measured beside it.
pub struct Options {
    /// The largest number of stored executions; those before it are 1,000 and then a hundred times as many each.
    pub up_to: u64,
    /// How many executions are submitted at each.
    pub executions: u64,
    /// How many at a time.
    pub in_flight: u64,
    /// How long a transaction is held open at the end, while executions are submitted; zero leaves that out.
    pub hold: Duration,
}

/// The first number of stored executions.
const FIRST: u64 = 1_000;

/// A snapshot is what keeps old row versions alive, and the first read takes it.
const OPEN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM executions LIMIT 1";

/// Executions before anything is measured: connections are opened and plans compiled. Fewer than [`FIRST`].
const WARM_UP: u64 = 500;

/// Measures on a system of its own.
///
/// # Errors
/// When something could not be started, or database or API refused something.
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
    let stages = measured.unwrap_or(Err(Error::Interrupted))?;
    Ok(Report::new(options.in_flight, stages))
}

async fn measure(options: &Options, site: &mut Site, show: &Arc<dyn Show>) -> Result<Vec<Stage>, Error> {
    let target = site.start().await?;
    let bench = Bench {
        producer: Producer::new(&target).await?,
        database: database::connect(site.database_url()).await?,
        site,
        load: Load {
            executions: options.executions,
            in_flight: options.in_flight,
        },
        show,
    };
    bench.warm_up().await?;
    let mut stages = Vec::new();
    for stored in sizes(options.up_to) {
        let stored = fill(&bench.database, stored).await?;
        stages.push(bench.stage(stored).await?);
    }
    if !options.hold.is_zero() {
        stages.push(bench.held(options.hold).await?);
    }
    Ok(stages)
}

/// 1,000, 100,000 and so on, and the last one itself.
fn sizes(up_to: u64) -> impl Iterator<Item = u64> {
    let below = std::iter::successors(Some(FIRST), |size| size.checked_mul(100));
    below.take_while(move |size| *size < up_to).chain([up_to])
}

struct Bench<'a> {
    producer: Producer,
    database: Client,
    site: &'a Site,
    load: Load,
    show: &'a Arc<dyn Show>,
}

impl Bench<'_> {
    async fn warm_up(&self) -> Result<(), Error> {
        let warm_up = Load {
            executions: WARM_UP,
            ..self.load
        };
        self.show.begin("warming up", WARM_UP);
        self.producer.drive(warm_up, self.show).await?;
        Ok(())
    }

    /// Measures beside so many that are stored.
    async fn stage(&self, stored: u64) -> Result<Stage, Error> {
        let what = format!("beside {stored} stored");
        self.measure(&what, stored, Duration::ZERO).await
    }

    /// Submits for so long beside an open transaction, because of which nothing that was updated since can be cleaned up,
    /// and measures once that time is over.
    async fn held(&self, hold: Duration) -> Result<Stage, Error> {
        let opened = Instant::now();
        let transaction = database::connect(self.site.database_url()).await?;
        execute(&transaction, OPEN).await?;
        while opened.elapsed() < hold {
            self.show
                .begin("beside an open transaction", self.load.executions);
            self.producer.drive(self.load, self.show).await?;
        }
        let stored = count(&self.database).await?;
        let stage = self
            .measure("beside an open transaction", stored, opened.elapsed())
            .await?;
        execute(&transaction, "COMMIT").await?;
        Ok(stage)
    }

    async fn measure(&self, what: &str, stored: u64, held: Duration) -> Result<Stage, Error> {
        self.show.begin(what, self.load.executions);
        let meter = Meter::start(&self.site.processes(), &self.site.servers());
        let began = Instant::now();
        let ended = self.producer.drive(self.load, self.show).await?;
        let took = began.elapsed();
        let spent = meter.per_thousand(self.load.executions);
        Ok(Stage::new(stored, held, &ended, took, spent))
    }
}

async fn execute(transaction: &Client, sql: &str) -> Result<(), Error> {
    let executed = transaction.batch_execute(sql).await;
    executed.map_err(|source| Error::Statement {
        doing: "the transaction that is held open",
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_grow_a_hundredfold_up_to_the_last() {
        assert_eq!(sizes(1_000_000).collect::<Vec<_>>(), [1_000, 100_000, 1_000_000]);
        assert_eq!(sizes(1_000).collect::<Vec<_>>(), [1_000]);
        assert_eq!(sizes(5_000).collect::<Vec<_>>(), [1_000, 5_000]);
    }
}
