//! `gristmill bench`

mod engine;
mod floor;
mod listing;
mod show;
mod stored;
mod system;
mod waiting;

use std::io::Write;

use clap::Subcommand;
use serde::Serialize;

use super::Context;
use crate::error::Error;

/// Measure how fast it is: one line of JSON on stdout.
///
/// Without a subcommand: a whole system over HTTP. Executions of a small workflow (trigger → A → {B, C} → D, every
/// node's result persisted) are submitted with `Prefer: wait`, so many at a time, and each is followed to its end.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  gristmill bench --spawn                               an API and a worker of its own, on DATABASE_URL and AMQP_URL
  gristmill bench --spawn --in-flight 1 --executions 1000     one at a time: the latency without a queue
  gristmill bench --url http://127.0.0.1:8080 --api-key $KEY  a system that runs already
  gristmill bench floor --in-flight 256                 what the same servers can do at best, to compare with
  gristmill bench engine                                nodes per second, without queue and database
  gristmill bench listing                               what each list of executions reads among a million
  gristmill bench stored                                whether a million stored executions make it slower
  gristmill bench waiting                               ten thousand executions that wait for the same moment

Compare figures of one sitting on an otherwise idle machine only. Progress is on stderr.
What each figure means: docs/benchmarks.md"
)]
pub struct Args {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    system: system::Args,
}

#[derive(Debug, Subcommand)]
enum Part {
    Floor(floor::Args),
    Engine(engine::Args),
    Listing(listing::Args),
    Stored(stored::Args),
    Waiting(waiting::Args),
}

/// How much is run, and how much of it at a time.
#[derive(Debug, clap::Args)]
struct Load {
    /// How many executions to run.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..))]
    executions: u64,
    /// How many are submitted and not yet known as ended, at any moment.
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    in_flight: u64,
}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        match self.part {
            None => self.system.run(context).await,
            Some(Part::Floor(args)) => args.run(context).await,
            Some(Part::Engine(args)) => args.run(context).await,
            Some(Part::Listing(args)) => args.run(context).await,
            Some(Part::Stored(args)) => args.run(context).await,
            Some(Part::Waiting(args)) => args.run(context).await,
        }
    }
}

fn failed(error: gristmill_bench::Error) -> Error {
    match error {
        gristmill_bench::Error::Interrupted => Error::Interrupted,
        error => Error::Bench(error),
    }
}

fn print(report: &impl Serialize) -> Result<(), Error> {
    let line = serde_json::to_string(report).map_err(Error::Figures)?;
    writeln!(std::io::stdout(), "{line}").map_err(|source| Error::Pipe("cannot write the figures", source))
}
