//! `gristmill-tests engine`

use gristmill_tests::bench::Error;
use gristmill_tests::bench::engine::{Options, run};

use super::{Context, print};

/// A million nodes take some gigabytes.
const MAX_NODES: u64 = 1_000_000;

/// Measure the engine alone: nodes per second on one processor, without queue and database.
///
/// Graphs of `transform` nodes with one computed key each: a chain, a fan-out/fan-in, a grid, two layers of joins and a
/// forEach. The journal is kept in memory, and serialized as for a database. Also how long each takes to compile, and its
/// memory.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Needs nothing.

Examples:
  gristmill-tests engine
  gristmill-tests engine --nodes 1000 --runs 101
  gristmill-tests engine --nodes 10000                  one size alone: its memory is not that of another before it")]
pub struct Args {
    /// How many nodes the graphs have, separated by commas.
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "100,1000,5000,10000",
          value_parser = clap::value_parser!(u64).range(10..=MAX_NODES))]
    nodes: Vec<u64>,
    /// How often each graph is run; the median counts.
    #[arg(long, value_name = "N", default_value_t = 21, value_parser = clap::value_parser!(u64).range(1..))]
    runs: u64,
}

impl Args {
    pub async fn run(self, context: Context) -> Result<(), Error> {
        let options = Options {
            // At most `MAX_NODES`.
            sizes: self.nodes.iter().map(|nodes| *nodes as usize).collect(),
            runs: self.runs as usize,
        };
        print(&run(options, context.shutdown, context.show).await?)
    }
}
