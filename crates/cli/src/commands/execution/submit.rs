//! `gristmill execution submit`

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use gristmill_client::{Call, Client, Execution, ExecutionStatus, Method, Submit, WorkflowId};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::super::connection::Connection;
use super::show::{summary, table};
use crate::error::Error;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    workflow: WorkflowId,
    /// The input: a JSON object [default: {}].
    #[arg(long, value_name = "JSON", conflicts_with = "input_file")]
    input: Option<String>,
    /// A file with the input; - is standard input.
    #[arg(long, value_name = "FILE")]
    input_file: Option<PathBuf>,
    /// Not before this time, such as 2030-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME", conflicts_with = "delay_ms", value_parser = time)]
    run_at: Option<DateTime<Utc>>,
    /// Not before so many milliseconds from now.
    #[arg(long, value_name = "MS")]
    delay_ms: Option<u64>,
    /// What names the event that this run is for: the same key again runs nothing twice.
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// A tag, by which lists of executions find it; may be given several times.
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Your own JSON object, which is kept and shown with the execution.
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// Wait for the end, and show it; fails when that is not COMPLETED.
    #[arg(long)]
    wait: bool,
}

#[derive(Deserialize)]
struct Answer {
    execution: Execution,
}

impl Args {
    pub(super) async fn run(&self, client: &Client, connection: &Connection) -> Result<(), Error> {
        let accepted: Value = client.call(&self.submit()?.call()?).await?;
        if !self.wait {
            return connection.print(&accepted, |answer| summary(&answer["execution"]));
        }
        let Answer { execution } = Answer::deserialize(&accepted).map_err(Error::Answer)?;
        // Whoever stops waiting wants to know what goes on without them.
        writeln!(std::io::stderr(), "{} is recorded", execution.id).ok();
        client.wait(&execution.id).await?;
        let look = Call::new(Method::GET, ["executions", execution.id.as_str()]);
        let ended: Value = client.call(&look).await?;
        connection.print(&ended, |answer| table(&answer["execution"]))?;
        let Answer { execution } = Answer::deserialize(&ended).map_err(Error::Answer)?;
        match execution.status {
            ExecutionStatus::Completed => Ok(()),
            status => Err(Error::Failed(format!("{} has ended as {status}", execution.id))),
        }
    }

    fn submit(&self) -> Result<Submit, Error> {
        let input = match (&self.input, &self.input_file) {
            (Some(text), _) => text.clone(),
            (None, Some(file)) => read(file)?,
            (None, None) => "{}".to_owned(),
        };
        let mut submit = Submit::new(self.workflow.clone(), &object("input", input)?)?;
        for tag in &self.tags {
            submit = submit.tag(tag);
        }
        if let Some(metadata) = &self.metadata {
            submit = submit.metadata(&object("metadata", metadata.clone())?)?;
        }
        if let Some(key) = &self.idempotency_key {
            submit = submit.key(key);
        }
        if let Some(time) = self.run_at {
            submit = submit.run_at(time);
        }
        if let Some(millis) = self.delay_ms {
            submit = submit.delay(Duration::from_millis(millis));
        }
        Ok(submit)
    }
}

/// It is sent as the text that it is: numbers keep all of their digits.
fn object(what: &str, text: String) -> Result<Box<RawValue>, Error> {
    serde_json::from_str::<Map<String, Value>>(&text)
        .and_then(|_| RawValue::from_string(text))
        .map_err(|error| Error::Usage(format!("the {what} is no JSON object: {error}")))
}

fn read(file: &Path) -> Result<String, Error> {
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    read.map_err(|source| Error::Named {
        what: "input in",
        path: file.to_owned(),
        source,
    })
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.with_timezone(&Utc))
        .map_err(|_| "expected a time such as 2030-01-31T12:00:00Z".to_owned())
}
