//! The commands: one file each.

mod admin;
mod api;
mod bench;
mod columns;
mod completions;
mod config;
mod connection;
mod demo;
mod dev;
mod execution;
mod migrate;
mod run;
mod template;
mod worker;
mod workflow;

use clap::Subcommand;
use indicatif::MultiProgress;
use tokio_util::sync::CancellationToken;

use crate::config::Loaded;
use crate::error::Error;

/// What `gristmill` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(demo::Args),
    Dev(dev::Args),
    Workflow(workflow::Args),
    Execution(execution::Args),
    Template(template::Args),
    Run(run::Args),
    Api(api::Args),
    Worker(worker::Args),
    Migrate(migrate::Args),
    Config(config::Args),
    Admin(admin::Args),
    Bench(bench::Args),
    Completions(completions::Args),
}

/// What every command is given.
pub struct Context {
    /// What is configured, the command's flags included.
    pub loaded: Loaded,
    /// Where progress is drawn.
    pub progress: MultiProgress,
    /// Cancelled by the first signal.
    pub shutdown: CancellationToken,
}

/// A flag's name, the key that it sets, and the value.
pub type Flag = (&'static str, &'static str, String);

impl Command {
    /// Values that the command prefers to the defaults.
    pub fn presets(&self) -> Vec<(&'static str, String)> {
        match self {
            // What these print is for people; logs are wanted when something is wrong.
            Self::Demo(_)
            | Self::Run(_)
            | Self::Migrate(_)
            | Self::Admin(_)
            | Self::Bench(_)
            | Self::Workflow(_)
            | Self::Execution(_)
            | Self::Template(_)
            | Self::Completions(_) => {
                vec![("log.filter", "warn,lapin=off".to_owned())]
            }
            Self::Dev(_) | Self::Api(_) | Self::Worker(_) | Self::Config(_) => Vec::new(),
        }
    }

    /// The flags that set configuration.
    pub fn flags(&self) -> Vec<Flag> {
        match self {
            Self::Demo(args) => args.flags(),
            Self::Dev(args) => args.flags(),
            Self::Workflow(args) => args.flags(),
            Self::Execution(args) => args.flags(),
            Self::Template(args) => args.flags(),
            Self::Run(args) => args.flags(),
            Self::Api(args) => args.flags(),
            Self::Worker(args) => args.flags(),
            Self::Migrate(_) | Self::Config(_) | Self::Admin(_) | Self::Bench(_) | Self::Completions(_) => {
                Vec::new()
            }
        }
    }

    /// Does it.
    pub async fn run(self, context: Context) -> Result<(), Error> {
        let shutdown = context.shutdown.clone();
        match self {
            Self::Demo(args) => args.run(context).await,
            Self::Dev(args) => args.run(context).await,
            Self::Workflow(args) => interruptible(&shutdown, args.run(context)).await,
            Self::Execution(args) => interruptible(&shutdown, args.run(context)).await,
            Self::Template(args) => interruptible(&shutdown, args.run(context)).await,
            Self::Run(args) => args.run(context).await,
            Self::Api(args) => args.run(context).await,
            Self::Worker(args) => args.run(context).await,
            Self::Migrate(args) => args.run(context).await,
            Self::Config(args) => args.run(context),
            Self::Admin(args) => interruptible(&shutdown, args.run(context)).await,
            Self::Bench(args) => args.run(context).await,
            Self::Completions(args) => args.run(),
        }
    }
}

/// What asks somebody else has nothing to finish: the first signal ends it.
async fn interruptible(
    shutdown: &CancellationToken,
    work: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    let done = shutdown.run_until_cancelled(work).await;
    done.unwrap_or(Err(Error::Interrupted))
}

/// The flags that were given, out of those that may be.
fn given<const N: usize>(flags: [(&'static str, &'static str, Option<String>); N]) -> Vec<Flag> {
    flags
        .into_iter()
        .filter_map(|(flag, key, value)| Some((flag, key, value?)))
        .collect()
}
