//! `gristmill workflow`

mod apply;
mod list;
mod show;

use clap::Subcommand;
use gristmill_client::{Call, Method, WorkflowId};
use serde_json::Value;

use super::connection::Connection;
use super::{Context, Flag};
use crate::error::Error;
pub use show::summary;

/// Store workflows, look at them, pause and delete them, through the API.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Where the API is and which key opens it come from --url and --api-key, from GRISTMILL_URL and GRISTMILL_API_KEY, or
else from the key api.listen and the file that `gristmill dev` keeps in its data directory.

Examples:
  gristmill workflow apply flow.json
  gristmill workflow list --tag billing
  gristmill workflow show wf_…
  gristmill workflow show wf_… --json | jq .workflow.nodes
  gristmill workflow pause wf_…")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Action {
    Apply(apply::Args),
    /// List workflows, newest first.
    List(list::Args),
    /// Show a workflow and its newest definition.
    Show {
        id: WorkflowId,
    },
    /// Record what is submitted from now on, and start it when the workflow is resumed.
    Pause {
        id: WorkflowId,
    },
    /// Start what waited for it, and everything from now on.
    Resume {
        id: WorkflowId,
    },
    /// Delete a workflow; its unfinished executions are cancelled, the others stay readable.
    Delete {
        id: WorkflowId,
    },
}

impl Args {
    pub fn flags(&self) -> Vec<Flag> {
        self.connection.flags()
    }

    pub async fn run(self, context: Context) -> Result<(), Error> {
        let client = self.connection.client(&context.loaded.config)?;
        let answer: Value = match &self.action {
            Action::Apply(args) => args.ask(&client).await?,
            Action::List(args) => args.ask(&client).await?,
            Action::Show { id } => client.call(&of(Method::GET, id)).await?,
            Action::Pause { id } => client.call(&order(id, "pause")).await?,
            Action::Resume { id } => client.call(&order(id, "resume")).await?,
            Action::Delete { id } => client.call(&of(Method::DELETE, id)).await?,
        };
        self.connection.print(&answer, |answer| self.action.tell(answer))
    }
}

fn of(method: Method, id: &WorkflowId) -> Call {
    Call::new(method, ["workflows", id.as_str()])
}

/// Whatever it is, a second time it changes nothing.
fn order(id: &WorkflowId, order: &str) -> Call {
    Call::new(Method::POST, ["workflows", id.as_str(), order]).repeatable()
}

impl Action {
    /// The answer for people.
    fn tell(&self, answer: &Value) -> String {
        let workflow = &answer["workflow"];
        match self {
            Self::List(_) => list::table(answer),
            Self::Show { .. } => show::table(workflow),
            Self::Apply(_) | Self::Pause { .. } | Self::Resume { .. } => summary(workflow),
            Self::Delete { id } => format!("{id} is deleted\n"),
        }
    }
}
