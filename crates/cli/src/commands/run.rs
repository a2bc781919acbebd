//! `gristmill run`

mod definition;
mod records;

use std::io::Write;
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use gristmill_core::{ExecutionError, Problem, WorkflowId};
use gristmill_dispatch::{Admitted, Content, Object, Refusal, Request};
use gristmill_server::{System, create_account};
use gristmill_store::{Actor, Execution, NewWorkflow, Repeat, Tenant};
use indicatif::MultiProgress;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{Context, Flag, given};
use crate::config::{Config, Time};
use crate::error::Error;
use crate::progress::Progress;
use records::{Record, Source};

/// Run a definition here and now, one execution for each record.
///
/// The whole system runs in this process, over a database that is thrown away. Outputs go to stdout as JSON lines, in
/// the order of the input; everything else goes to stderr. The exit code is 1 when an execution failed, and 2 when the
/// definition has problems; they are all listed, with their paths.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  gristmill run hello.json --input '{\"name\": \"Ada\"}'
  gristmill run cars.json --input-file cars.jsonl > sheets.jsonl
  zcat big.jsonl.gz | gristmill run flow.json --input-file - --concurrency 200 | jq .card")]
pub struct Args {
    /// The definition: a JSON object with `nodes` and `edges`, as the API takes it.
    #[arg(value_name = "FILE.json")]
    file: PathBuf,
    /// One input, a JSON object [default: {}].
    #[arg(long, value_name = "JSON", conflicts_with = "input_file")]
    input: Option<String>,
    /// Inputs, one JSON object a line; `-` reads standard input.
    #[arg(long, value_name = "FILE.jsonl")]
    input_file: Option<PathBuf>,
    /// How many executions run at the same time [default: the key worker.concurrency].
    #[arg(long, value_name = "N")]
    concurrency: Option<u16>,
    /// Let the definition call loopback, private and link-local addresses.
    #[arg(long)]
    allow_private_addresses: bool,
}

/// How many executions are under way for each that runs: enough that the worker never waits for a submit.
const AHEAD: usize = 4;

impl Args {
    pub fn flags(&self) -> Vec<Flag> {
        given([
            (
                "--concurrency",
                "worker.concurrency",
                self.concurrency.map(|n| n.to_string()),
            ),
            (
                "--allow-private-addresses",
                "http.allow_private_addresses",
                self.allow_private_addresses.then(|| "true".to_owned()),
            ),
        ])
    }

    pub async fn run(self, context: Context) -> Result<(), Error> {
        let Context {
            loaded,
            progress,
            shutdown,
        } = context;
        let directory = TempDir::with_prefix("gristmill-run-").map_err(|source| Error::File {
            what: "cannot make a directory in",
            path: std::env::temp_dir(),
            source,
        })?;
        let config = throw_away(loaded.config, &directory);
        let ahead = usize::from(config.worker.concurrency.get()) * AHEAD;
        let system = System::start(config.options("gristmill-run")).await?;
        let done = self.run_in(&system, ahead, &progress, &shutdown).await;
        system.close().await;
        done
    }

    async fn run_in(
        self,
        system: &System,
        ahead: usize,
        progress: &MultiProgress,
        shutdown: &CancellationToken,
    ) -> Result<(), Error> {
        let new = definition::read(&self.file, &system.registry, system.lanes())?;
        let source = Source::new(self.input, self.input_file)?;
        let tenant = create_account(&system.store, "run", "run@localhost").await?;
        let workflow_id = new.id.clone();
        system
            .store
            .create_workflow(
                &tenant.tenant,
                &Actor::OPERATOR,
                NewWorkflow {
                    created_by: tenant.user,
                    ..new
                },
            )
            .await
            .map_err(|source| Error::Store {
                doing: "storing the definition",
                source,
            })?;
        let runner = Runner {
            system,
            tenant: tenant.tenant,
            workflow_id,
        };
        let stop = shutdown.child_token();
        let mut work = pin!(system.work(stop.clone()));
        tokio::select! {
            done = runner.run_all(source, ahead, progress, shutdown) => {
                stop.cancel();
                work.await?;
                done
            }
            // It ends by itself only when it could not start, or with the shutdown.
            worked = &mut work => worked.map_err(Error::from).and(Err(Error::Interrupted)),
        }
    }
}

/// Embedded whatever the environment says.
fn throw_away(mut config: Config, directory: &TempDir) -> Config {
    config.data_dir = directory.path().to_owned();
    config.database.url = String::new().into();
    config.broker.url = String::new().into();
    // Nobody goes on with what a stopped run leaves: there is nothing to wait for.
    config.worker.drain_grace = Time(Duration::ZERO);
    config
}

struct Runner<'a> {
    system: &'a System,
    tenant: Tenant,
    workflow_id: WorkflowId,
}

impl Runner<'_> {
    async fn run_all(
        &self,
        source: Source,
        ahead: usize,
        progress: &MultiProgress,
        shutdown: &CancellationToken,
    ) -> Result<(), Error> {
        let progress = Progress::start(progress, source.len());
        let mut records = source.read();
        let mut ended = stream::poll_fn(move |context| records.poll_recv(context))
            .map(|record| self.run_one(record))
            .buffered(ahead);
        let mut count = 0_u64;
        while let Some(next) = shutdown
            .run_until_cancelled(ended.next())
            .await
            .ok_or(Error::Interrupted)?
        {
            count += 1;
            let (number, result) = next?;
            match &result {
                Ok(output) => write_output(output)?,
                Err(why) => progress.line(&format!("record {number}: {why}")),
            }
            progress.ended(result.is_ok());
        }
        progress.finish();
        match progress.failed() {
            0 => Ok(()),
            failed => Err(Error::Failed(format!("{failed} of {count} executions failed"))),
        }
    }

    /// The record's number with the execution's output, or with why there is none.
    async fn run_one(&self, record: Record) -> Result<(usize, Result<String, String>), Error> {
        let input = match record.input {
            Ok(input) => input,
            Err(why) => return Ok((record.number, Err(why))),
        };
        let input = match Object::parse(input) {
            Ok(input) => input,
            Err(error) => return Ok((record.number, Err(error.to_string()))),
        };
        let content = Content {
            input,
            ..Content::default()
        };
        let request = Request {
            workflow_id: &self.workflow_id,
            content: &content,
            idempotency_key: None,
            repeat: Repeat::SameContent,
            monthly_limit: None,
        };
        let admission = &self.system.admission;
        let request = admission.prepare(&self.tenant, request);
        let admitted = admission
            .admit(&self.tenant, request)
            .await
            .map_err(Error::Submit)?;
        let id = match admitted {
            Admitted::New(accepted) => accepted.id,
            Admitted::Refused(Refusal::Invalid(problems)) => {
                return Ok((record.number, Err(listed(&problems))));
            }
            Admitted::Known(_) | Admitted::Refused(_) => {
                return Ok((record.number, Err("not accepted".to_owned())));
            }
        };
        if self.system.end_watch.ended(id.clone()).await.is_none() {
            return Err(Error::Interrupted);
        }
        let found = self.system.store.execution(&self.tenant, &id).await;
        let found = found.map_err(|source| Error::Store {
            doing: "reading an execution",
            source,
        })?;
        Ok((
            record.number,
            found.map_or_else(|| Err("gone".to_owned()), outcome),
        ))
    }
}

fn listed(problems: &[Problem]) -> String {
    let problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
    problems.join("; ")
}

fn outcome(execution: Execution) -> Result<String, String> {
    if let Some(output) = execution.output {
        return Ok(output);
    }
    let error = execution
        .error
        .and_then(|text| serde_json::from_str::<ExecutionError>(&text).ok());
    Err(match error {
        Some(ExecutionError {
            code,
            message,
            node_id: Some(node),
            ..
        }) => {
            format!("{} at node `{node}`: {message} ({code})", execution.status)
        }
        Some(ExecutionError { code, message, .. }) => format!("{}: {message} ({code})", execution.status),
        None => execution.status.to_string(),
    })
}

fn write_output(output: &str) -> Result<(), Error> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{output}")
        .and_then(|()| stdout.flush())
        .map_err(|source| Error::Pipe("cannot write the outputs", source))
}
