//! `gristmill workflow apply`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gristmill_client::{Call, Client, Method, WorkflowId};
use serde_json::value::RawValue;
use serde_json::{Value, from_str};

use crate::error::Error;

/// Store the workflow in a file: `name`, `nodes`, `edges` and what else there is. A workflow of the same name is changed;
/// where there is none, it is made. `edges`, `variables` and `settings` that the file leaves out are emptied, everything
/// else that it leaves out stays.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A JSON file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Change this workflow, whatever it is called.
    #[arg(long)]
    id: Option<WorkflowId>,
}

/// What belongs to the definition, and is as a whole what the file says.
const DEFINITION: [&str; 3] = ["edges", "variables", "settings"];

/// A file's keys, each with the text of its value: numbers keep all of their digits.
type Document = BTreeMap<String, Box<RawValue>>;

impl Args {
    pub(super) async fn ask(&self, client: &Client) -> Result<Value, Error> {
        let document = read(&self.file)?;
        let known = match &self.id {
            Some(id) => Some(id.clone()),
            None => self.known(client, &document).await?,
        };
        match known {
            Some(id) => change(client, &id, document).await,
            None => {
                let call = Call::new(Method::POST, ["workflows"]).body(&document)?;
                Ok(client.call(&call).await?)
            }
        }
    }

    /// The workflow of the file's name.
    async fn known(&self, client: &Client, document: &Document) -> Result<Option<WorkflowId>, Error> {
        // A file without a usable name is for the API to refuse, with everything else that is wrong.
        let name: Option<String> = document.get("name").and_then(|text| from_str(text.get()).ok());
        let Some(name) = name.filter(|name| searchable(name)) else {
            return Ok(None);
        };
        let mut named = client.workflows_named(&name).await?;
        if named.len() > 1 {
            let ids: Vec<_> = named.iter().map(|id| id.as_str()).collect();
            return Err(Error::Usage(format!(
                "{} workflows are called `{name}`: say with --id which one is meant: {}",
                named.len(),
                ids.join(", ")
            )));
        }
        Ok(named.pop())
    }
}

fn searchable(name: &str) -> bool {
    (1..=100).contains(&name.chars().count()) && !name.contains('\0')
}

/// Changes a workflow, unless somebody else does at the same time.
async fn change(client: &Client, id: &WorkflowId, mut document: Document) -> Result<Value, Error> {
    let path = ["workflows", id.as_str()];
    let (_, tag): (Value, _) = client.call_tagged(&Call::new(Method::GET, path)).await?;
    for key in DEFINITION {
        document
            .entry(key.to_owned())
            .or_insert_with(|| RawValue::NULL.to_owned());
    }
    let mut call = Call::new(Method::PATCH, path).body(&document)?;
    if let Some(tag) = tag {
        call = call.if_match(tag);
    }
    Ok(client.call(&call).await?)
}

/// The file's object. What is wrong inside of it is for the API to say, all at once.
fn read(file: &Path) -> Result<Document, Error> {
    let text = std::fs::read_to_string(file).map_err(|source| Error::Named {
        what: "workflow in",
        path: file.to_owned(),
        source,
    })?;
    from_str(&text).map_err(|error| Error::Usage(format!("{} is no JSON object: {error}", file.display())))
}
