//! `gristmill workflow`

mod show;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use gristmill_client::{Call, Method, WorkflowId};
use serde_json::{Map, Value};

use super::connection::Connection;
use super::{Context, Flag};
use crate::error::Error;

/// Store workflows and look at them, through the API.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Where the API is and which key opens it come from --url and --api-key, from GRISTMILL_URL and GRISTMILL_API_KEY, or
else from the key api.listen and the file that `gristmill dev` keeps in its data directory.

Examples:
  gristmill workflow apply flow.json
  gristmill workflow show wf_…
  gristmill workflow show wf_… --json | jq .workflow.nodes")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Store the workflow in a file: `name`, `nodes`, `edges` and what else there is.
    Apply {
        /// A JSON file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Show a workflow and its newest definition.
    Show { id: WorkflowId },
}

impl Args {
    pub fn flags(&self) -> Vec<Flag> {
        self.connection.flags()
    }

    pub async fn run(self, context: Context) -> Result<(), Error> {
        let client = self.connection.client(&context.loaded.config)?;
        let answer: Value = client.call(&self.action.call()?).await?;
        self.connection.print(&answer, |answer| self.action.tell(answer))
    }
}

impl Action {
    fn call(&self) -> Result<Call, Error> {
        Ok(match self {
            Self::Apply { file } => Call::new(Method::POST, ["workflows"]).body(&read(file)?)?,
            Self::Show { id } => Call::new(Method::GET, ["workflows", id.as_str()]),
        })
    }

    /// The answer for people.
    fn tell(&self, answer: &Value) -> String {
        let workflow = &answer["workflow"];
        match self {
            Self::Apply { .. } => show::summary(workflow),
            Self::Show { .. } => show::table(workflow),
        }
    }
}

/// The file's object. What is wrong inside of it is for the API to say, all at once.
fn read(file: &Path) -> Result<Map<String, Value>, Error> {
    let text = std::fs::read_to_string(file).map_err(|source| Error::File {
        what: "cannot read the workflow in",
        path: file.to_owned(),
        source,
    })?;
    serde_json::from_str(&text)
        .map_err(|error| Error::Usage(format!("{} is no JSON object: {error}", file.display())))
}
