//! `gristmill workflow list`

use gristmill_client::{Call, Client, Method};
use serde_json::{Value, json};

use super::super::columns::columns;
use crate::error::Error;

/// The most that the API answers at a time.
const PAGE: usize = 100;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// With this text in their name or description only.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// With one of these tags at least; may be repeated.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// Those that are switched on, or off, only.
    #[arg(long, value_name = "true|false")]
    active: Option<bool>,
    /// Made from this template only.
    #[arg(long, value_name = "ID")]
    template: Option<String>,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// How many to leave out first.
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: usize,
}

impl Args {
    /// Asks for page after page until there are enough.
    pub(super) async fn ask(&self, client: &Client) -> Result<Value, Error> {
        let mut found = Vec::new();
        let mut total = Value::Null;
        while found.len() < self.limit {
            let wanted = (self.limit - found.len()).min(PAGE);
            let call = self.call().query("limit", wanted);
            let call = call.query("offset", self.offset + found.len());
            let mut page: Value = client.call(&call).await?;
            total = page["total"].take();
            let Value::Array(workflows) = page["workflows"].take() else {
                break;
            };
            let last = workflows.len() < wanted;
            found.extend(workflows);
            if last {
                break;
            }
        }
        Ok(json!({"workflows": found, "total": total}))
    }

    fn call(&self) -> Call {
        let parameters = [
            ("search", self.search.clone()),
            ("isActive", self.active.map(|active| active.to_string())),
            ("templateId", self.template.clone()),
        ];
        let parameters = parameters
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let tags = self.tag.iter().map(|tag| ("tags", tag.clone()));
        parameters
            .chain(tags)
            .fold(Call::new(Method::GET, ["workflows"]), |call, (name, value)| {
                call.query(name, value)
            })
    }
}

const HEAD: [&str; 6] = ["workflow", "name", "revision", "state", "executions", "updated"];

/// One line for each, and how many there are where that is more.
pub(super) fn table(answer: &Value) -> String {
    let workflows = answer["workflows"].as_array().map_or(&[][..], Vec::as_slice);
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(workflows.iter().map(row));
    let mut page = columns(&rows);
    let shown = workflows.len() as u64;
    if let Some(total) = answer["total"].as_u64().filter(|total| *total > shown) {
        page.push_str(&format!("{shown} of {total}\n"));
    }
    page
}

fn row(workflow: &Value) -> [String; 6] {
    let text = |key: &str| workflow[key].as_str().unwrap_or_default().to_owned();
    let state = match (workflow["isActive"] == true, workflow["pausedAt"].is_null()) {
        (false, _) => "off",
        (true, false) => "paused",
        (true, true) => "on",
    };
    [
        text("id"),
        text("name"),
        workflow["revision"].to_string(),
        state.to_owned(),
        workflow["executionCount"].to_string(),
        text("updatedAt"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_one_line_each_and_says_how_many_there_are() {
        let answer = json!({"workflows": [
            {"id": "wf_2", "name": "Hello", "revision": 3, "isActive": true, "pausedAt": null, "executionCount": 12,
             "updatedAt": "T2"},
            {"id": "wf_1", "name": "Old", "revision": 1, "isActive": false, "pausedAt": null, "executionCount": 0,
             "updatedAt": "T1"},
        ], "total": 7});
        let expected = "\
workflow  name   revision  state  executions  updated
wf_2      Hello  3         on     12          T2
wf_1      Old    1         off    0           T1
2 of 7
";
        assert_eq!(table(&answer), expected);
    }
}
