//! `gristmill execution`

mod client;
mod follow;
mod list;
mod show;

use std::io::Write;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use gristmill_core::ExecutionId;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{Context, Flag, given};
use crate::error::Error;
use client::Client;
use show::{summary, table};

/// Look at executions, and do something with them, through the API.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Where the API is and which key opens it come from --url and --api-key, from GRISTMILL_URL and GRISTMILL_API_KEY, or
else from the key api.listen and the file that `gristmill dev` keeps in its data directory.

Examples:
  gristmill execution list --status FAILED --from 2030-01-31T00:00:00Z
  gristmill execution show wf_exec_…
  gristmill execution follow wf_exec_…
  gristmill execution signal wf_exec_… approved --payload '{\"by\": \"Ada\"}'
  gristmill execution retry wf_exec_… --json | jq .execution.status")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    /// The API's URL, such as https://mill.example.
    #[arg(long, global = true, value_name = "URL", env = "GRISTMILL_URL")]
    url: Option<String>,
    /// The API key.
    #[arg(
        long,
        global = true,
        value_name = "KEY",
        env = "GRISTMILL_API_KEY",
        hide_env_values = true
    )]
    api_key: Option<String>,
    /// Where `gristmill dev` keeps its API key [default: .gristmill].
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Print the API's answer as JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List executions, newest first.
    List(list::Args),
    /// Print what happens in an execution, as it happens; fails when it does not end COMPLETED.
    Follow { id: ExecutionId },
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
enum Revision {
    /// The one that the execution ran.
    Same,
    /// The newest.
    Newest,
}

impl Args {
    pub fn flags(&self) -> Vec<Flag> {
        given([(
            "--data-dir",
            "data_dir",
            self.data_dir.as_ref().map(|path| path.display().to_string()),
        )])
    }

    pub async fn run(self, context: Context) -> Result<(), Error> {
        let client = Client::new(self.url, self.api_key, &context.loaded.config)?;
        if let Action::Follow { id } = &self.action {
            let following = follow::follow(&client, id, self.json);
            let followed = context.shutdown.run_until_cancelled(following).await;
            return followed.unwrap_or(Err(Error::Interrupted));
        }
        let answer = self.action.ask(&client).await?;
        let text = if self.json {
            format!("{answer}\n")
        } else {
            self.action.tell(&answer)
        };
        std::io::stdout()
            .write_all(text.as_bytes())
            .map_err(|source| Error::Pipe("cannot write the answer", source))
    }
}

impl Action {
    async fn ask(&self, client: &Client) -> Result<Value, Error> {
        match self {
            Self::List(args) => args.ask(client).await,
            Self::Follow { id } | Self::Show { id } => {
                client.ask(Method::GET, &format!("/executions/{id}"), None).await
            }
            Self::Cancel { id } => client.order(id, "cancel", json!({})).await,
            Self::Retry { id } => client.order(id, "retry", json!({})).await,
            Self::Replay { id, revision } => {
                let revision = match revision {
                    Revision::Same => "same",
                    Revision::Newest => "newest",
                };
                client.order(id, "replay", json!({"revision": revision})).await
            }
            Self::Signal { id, name, payload } => {
                let payload = Value::Object(payload.clone().unwrap_or_default());
                client.signal(id, name, &payload).await
            }
            Self::Delete { id } => {
                client
                    .ask(Method::DELETE, &format!("/executions/{id}"), None)
                    .await
            }
        }
    }

    /// The answer for people.
    fn tell(&self, answer: &Value) -> String {
        match self {
            Self::List(_) => list::table(answer),
            Self::Follow { .. } | Self::Show { .. } => table(&answer["execution"]),
            Self::Cancel { .. } | Self::Retry { .. } | Self::Replay { .. } => summary(&answer["execution"]),
            Self::Signal { id, name, .. } => format!("`{name}` is in the inbox of {id}\n"),
            Self::Delete { id } => format!("{id} is deleted\n"),
        }
    }
}

fn object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("expected a JSON object: {error}"))
}
