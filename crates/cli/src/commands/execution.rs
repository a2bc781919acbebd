//! `gristmill execution`

mod follow;
mod list;
mod order;
mod show;
mod submit;

use clap::Subcommand;
use gristmill_client::ExecutionId;

use super::connection::Connection;
use super::{Context, Flag};
use crate::error::Error;

/// Submit executions, look at them, and do something with them, through the API.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Where the API is and which key opens it come from --url and --api-key, from GRISTMILL_URL and GRISTMILL_API_KEY, or
else from the key api.listen and the file that `gristmill dev` keeps in its data directory.

Examples:
  gristmill execution submit wf_… --input '{\"order\": 4711}' --idempotency-key order-4711
  gristmill execution submit wf_… --input-file order.json --wait
  gristmill execution list --status FAILED --from 2030-01-31T00:00:00Z
  gristmill execution show wf_exec_…
  gristmill execution follow wf_exec_…
  gristmill execution signal wf_exec_… approved --payload '{\"by\": \"Ada\"}'
  gristmill execution retry wf_exec_… --json | jq .execution.status")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Run a workflow, at once or later.
    Submit(submit::Args),
    /// List executions, newest first.
    List(list::Args),
    /// Print what happens in an execution, as it happens; fails when it does not end COMPLETED.
    Follow { id: ExecutionId },
    #[command(flatten)]
    Order(order::Order),
}

impl Args {
    pub fn flags(&self) -> Vec<Flag> {
        self.connection.flags()
    }

    pub async fn run(self, context: Context) -> Result<(), Error> {
        let client = self.connection.client(&context.loaded.config)?;
        match &self.action {
            Action::Submit(args) => args.run(&client, &self.connection).await,
            Action::List(args) => {
                let answer = args.ask(&client).await?;
                self.connection.print(&answer, list::table)
            }
            Action::Follow { id } => follow::follow(&client, id, &self.connection).await,
            Action::Order(order) => {
                let answer = client.call(&order.call()?).await?;
                self.connection.print(&answer, |answer| order.tell(answer))
            }
        }
    }
}
