//! `gristmill demo`

mod directory;
mod drive;
mod examples;
mod journal;
mod table;

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

use chrono::Utc;
use gristmill_client::{Client, Execution, ExecutionStatus};
use gristmill_server::{Embedded, listen, metrics};

use super::{Context, Flag, given};
use crate::config::Config;
use crate::error::Error;
use crate::progress::Progress;
use directory::Directory;
use drive::{Run, drive};
use examples::{EXAMPLES, Example};

/// See the whole system at work: 3,782 executions in one process.
///
/// Starts SQLite, queue, API and a worker, stores two example workflows, submits one execution for every record of two
/// public-domain data files over the HTTP API, and shows how they went. Nothing has to be installed, and nothing is
/// left running. The exit code is 1 when an execution failed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gristmill demo
  gristmill dev --data-dir .gristmill/demo      look around in what the demo left, with its key")]
pub struct Args {
    /// Where the database is kept; the demo's is in `demo` below it [default: .gristmill].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// How many executions run at the same time [default: the key worker.concurrency].
    #[arg(long, value_name = "N")]
    concurrency: Option<u16>,
}

/// What to do when nothing can be listened on.
const ADVICE: &str = "The demo takes free ports on 127.0.0.1: there seem to be none.";

/// How many failed executions are shown.
const SHOWN: usize = 10;

impl Args {
    pub fn flags(&self) -> Vec<Flag> {
        given([
            (
                "--data-dir",
                "data_dir",
                self.data_dir.as_ref().map(|path| path.display().to_string()),
            ),
            (
                "--concurrency",
                "worker.concurrency",
                self.concurrency.map(|n| n.to_string()),
            ),
        ])
    }

    pub async fn run(self, context: Context) -> Result<(), Error> {
        let Context {
            loaded,
            progress,
            shutdown,
        } = context;
        let directory = Directory::start().await?;
        let config = for_demo(loaded.config, directory.address);
        let data_dir = config.data_dir.display().to_string();
        let listener = listen(config.api.listen, ADVICE).await?;
        let embedded = Embedded::start(
            config.options("gristmill"),
            &config.data_dir,
            listener,
            metrics::install()?,
            &shutdown,
        )
        .await?;
        let client = Client::new(
            &format!("http://{}", embedded.access.address),
            &embedded.access.key,
        )?;

        let total: usize = EXAMPLES.iter().map(|example| example.records().count()).sum();
        let address = embedded.access.address;
        eprintln!("Gristmill runs on http://{address}, in this process. Submitting {total} executions.");
        let bar = Progress::start(&progress, Some(total as u64));
        let began = Instant::now();
        let run_id = format!("demo-{}", Utc::now().timestamp_micros());
        let url = format!("http://{}", directory.address);
        let driven = shutdown
            .run_until_cancelled(drive(&client, &url, &run_id, &bar))
            .await;
        let took = began.elapsed();
        bar.finish();
        let shown = match driven {
            Some(Ok(runs)) => {
                print!("\n{}\n", table::table(&runs));
                show_executions(&client, &runs).await.map(|()| runs)
            }
            Some(Err(error)) => Err(error),
            None => Err(Error::Interrupted),
        };
        embedded.stop().await?;
        let runs = shown?;
        println!(
            "{total} executions in {:.1} s. Look around: gristmill dev --data-dir {data_dir}",
            took.as_secs_f64()
        );
        verdict(&runs)
    }
}

/// Embedded whatever the environment says: the demo never writes into a database that it does not own.
fn for_demo(mut config: Config, directory: SocketAddr) -> Config {
    config.data_dir.push("demo");
    config.database.url = String::new().into();
    config.broker.url = String::new().into();
    config.api.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.http.allow_private_addresses = false;
    config.http.allow_hosts = vec![directory.to_string()];
    config
}

/// The journal of one execution that did much, and whatever failed.
async fn show_executions(client: &Client, runs: &[Run]) -> Result<(), Error> {
    let all = || {
        runs.iter().flat_map(|run| {
            run.executions
                .iter()
                .map(move |execution| (run.example, execution))
        })
    };
    let completed = all().filter(|(_, execution)| execution.status == ExecutionStatus::Completed);
    if let Some((example, execution)) = completed.max_by_key(|(_, execution)| execution.nodes_executed) {
        let entries = client.journal(&execution.id).await?;
        println!("The journal of {} ({}):", execution.id, example.name);
        println!("{}", journal::readable(&entries));
    }
    let failed: Vec<_> = all()
        .filter(|(_, execution)| execution.status != ExecutionStatus::Completed)
        .collect();
    for (example, execution) in failed.iter().take(SHOWN) {
        println!("{}", failure(example, execution));
    }
    if failed.len() > SHOWN {
        println!("… and {} more", failed.len() - SHOWN);
    }
    Ok(())
}

fn failure(example: &Example, execution: &Execution) -> String {
    let mut text = format!("{} {} {}", execution.status, example.name, execution.id);
    if let Some(error) = &execution.error {
        // Writing into a String cannot fail.
        match &error.node_id {
            Some(node) => write!(text, " at node `{node}`: {} ({})", error.message, error.code).ok(),
            None => write!(text, ": {} ({})", error.message, error.code).ok(),
        };
    }
    text
}

fn verdict(runs: &[Run]) -> Result<(), Error> {
    let all = runs.iter().flat_map(|run| &run.executions);
    match all
        .filter(|execution| execution.status != ExecutionStatus::Completed)
        .count()
    {
        0 => Ok(()),
        failed => Err(Error::Failed(format!("{failed} executions did not complete"))),
    }
}
