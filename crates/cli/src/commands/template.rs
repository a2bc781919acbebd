//! `gristmill template`

use clap::Subcommand;
use gristmill_client::{Call, Client, Method};
use serde_json::{Map, Value, json};

use super::columns::columns;
use super::connection::{Connection, object};
use super::workflow::summary;
use super::{Context, Flag};
use crate::error::Error;

/// Find workflows to start from, through the API.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Where the API is and which key opens it come from --url and --api-key, from GRISTMILL_URL and GRISTMILL_API_KEY, or
else from the key api.listen and the file that `gristmill dev` keeps in its data directory.

Examples:
  gristmill template list --category sales
  gristmill template instantiate tpl_… --name 'Our leads' --variables '{\"threshold\": 40}'")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List templates, by name.
    List {
        /// Of this category only.
        #[arg(long)]
        category: Option<String>,
        /// With this text in their name or description only.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Show a template with its definition, as JSON.
    Show { id: String },
    /// Make a workflow from a template.
    Instantiate {
        id: String,
        /// What the workflow is called, if not like the template.
        #[arg(long)]
        name: Option<String>,
        /// Values for the template's variables; those that are not named keep the template's.
        #[arg(long, value_name = "JSON", value_parser = object)]
        variables: Option<Map<String, Value>>,
    },
}

/// The most that the API answers at a time.
const PAGE: usize = 100;

impl Args {
    pub fn flags(&self) -> Vec<Flag> {
        self.connection.flags()
    }

    pub async fn run(self, context: Context) -> Result<(), Error> {
        let client = self.connection.client(&context.loaded.config)?;
        let answer = match &self.action {
            Action::List { category, search } => {
                list(&client, category.as_deref(), search.as_deref()).await?
            }
            Action::Show { id } => client.call(&Call::new(Method::GET, ["templates", id])).await?,
            Action::Instantiate { id, name, variables } => {
                let mut body = Map::new();
                body.extend(name.clone().map(|name| ("name".to_owned(), name.into())));
                body.extend(
                    variables
                        .clone()
                        .map(|values| ("variables".to_owned(), values.into())),
                );
                let call = Call::new(Method::POST, ["templates", id, "instantiate"]);
                client.call(&call.body(&body)?).await?
            }
        };
        self.connection.print(&answer, |answer| match self.action {
            Action::List { .. } => table(answer),
            Action::Show { .. } => format!("{:#}\n", answer["template"]),
            Action::Instantiate { .. } => summary(&answer["workflow"]),
        })
    }
}

/// Asks for page after page.
async fn list(client: &Client, category: Option<&str>, search: Option<&str>) -> Result<Value, Error> {
    let narrowed = [("category", category), ("search", search)];
    let narrowed = narrowed
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let call = narrowed.fold(
        Call::new(Method::GET, ["templates"]).query("limit", PAGE),
        |call, (name, value)| call.query(name, value),
    );
    let mut found = Vec::new();
    loop {
        let mut page: Value = client.call(&call.clone().query("offset", found.len())).await?;
        let Value::Array(templates) = page["templates"].take() else {
            break;
        };
        let last = templates.len() < PAGE;
        found.extend(templates);
        if last {
            break;
        }
    }
    Ok(json!({"total": found.len(), "templates": found}))
}

const HEAD: [&str; 4] = ["template", "category", "name", "from"];

fn table(answer: &Value) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(
        answer["templates"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|template| {
                let text = |key: &str| template[key].as_str().unwrap_or_default().to_owned();
                let from = if template["isOwn"] == true {
                    "here"
                } else {
                    "elsewhere"
                };
                [text("id"), text("category"), text("name"), from.to_owned()]
            }),
    );
    columns(&rows)
}
