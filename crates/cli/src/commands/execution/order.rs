//! Order: what one call does with one execution.

use clap::{Subcommand, ValueEnum};
use gristmill_client::{Call, ExecutionId, Method};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::connection::object;
use super::show::{summary, table};
use crate::error::Error;

#[derive(Debug, Subcommand)]
pub(super) enum Order {
    /// Show how an execution stands, and what happened in it.
    Show { id: ExecutionId },
    /// End an execution, and everything below it, as CANCELLED.
    Cancel { id: ExecutionId },
    /// Take a failed execution up again, from the node that failed.
    Retry { id: ExecutionId },
    /// Run the same input again as a new execution.
    Replay {
        id: ExecutionId,
        /// Which revision of the workflow to run.
        #[arg(long, value_enum, default_value_t = Revision::Same)]
        revision: Revision,
    },
    /// Send a signal to an execution.
    Signal {
        id: ExecutionId,
        /// What the signal is called.
        name: String,
        /// What it carries: a JSON object.
        #[arg(long, value_name = "JSON", value_parser = object)]
        payload: Option<Map<String, Value>>,
    },
    /// Delete an ended execution, with its journal.
    Delete { id: ExecutionId },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Revision {
    /// The one that the execution ran.
    Same,
    /// The newest.
    Newest,
}

impl From<Revision> for gristmill_client::Revision {
    fn from(revision: Revision) -> Self {
        match revision {
            Revision::Same => Self::Same,
            Revision::Newest => Self::Newest,
        }
    }
}

impl Order {
    /// What is asked of the API. The client's typed methods would do, but `--json` prints all that the API says.
    pub(super) fn call(&self) -> Result<Call, Error> {
        let order =
            |id: &ExecutionId, order: &str| Call::new(Method::POST, ["executions", id.as_str(), order]);
        // A key of its own makes the call one that may be repeated.
        let key = Uuid::new_v4().to_string();
        Ok(match self {
            Self::Show { id } => Call::new(Method::GET, ["executions", id.as_str()]),
            Self::Cancel { id } => order(id, "cancel").repeatable(),
            Self::Retry { id } => order(id, "retry"),
            Self::Replay { id, revision } => order(id, "replay")
                .idempotency_key(key)
                .body(&json!({"revision": gristmill_client::Revision::from(*revision)}))?,
            Self::Signal { id, name, payload } => {
                let path = ["executions", id.as_str(), "signals", name];
                let call = Call::new(Method::POST, path).idempotency_key(key);
                call.body(&payload.clone().unwrap_or_default())?
            }
            Self::Delete { id } => Call::new(Method::DELETE, ["executions", id.as_str()]),
        })
    }

    /// The answer for people.
    pub(super) fn tell(&self, answer: &Value) -> String {
        match self {
            Self::Show { .. } => table(&answer["execution"]),
            Self::Cancel { .. } | Self::Retry { .. } | Self::Replay { .. } => summary(&answer["execution"]),
            Self::Signal { id, name, .. } => format!("`{name}` is in the inbox of {id}\n"),
            Self::Delete { id } => format!("{id} is deleted\n"),
        }
    }
}
