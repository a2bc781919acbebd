//! `gristmill execution list`

use gristmill_client::{Call, Client, Method};
use serde_json::{Value, json};

use super::super::columns::columns;
use crate::error::Error;

/// The most that the API answers at a time.
const PAGE: usize = 100;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Of this workflow only.
    #[arg(long, value_name = "ID")]
    workflow: Option<String>,
    /// In one of these statuses only, such as FAILED or PENDING,RUNNING.
    #[arg(long, value_name = "STATUS", value_delimiter = ',')]
    status: Vec<String>,
    /// Recorded then or later, such as 2030-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Recorded then or earlier.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// In this lane only.
    #[arg(long, value_name = "LANE")]
    lane: Option<String>,
    /// With one of these tags at least; may be repeated.
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// How many at most.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
    /// Where an earlier list ended.
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl Args {
    /// Asks for page after page until there are enough: a page may hold fewer than were asked for.
    pub(super) async fn ask(&self, client: &Client) -> Result<Value, Error> {
        let mut found = Vec::new();
        let mut cursor = self.cursor.clone();
        while found.len() < self.limit {
            let mut call = self.call().query("limit", (self.limit - found.len()).min(PAGE));
            if let Some(cursor) = cursor.take() {
                call = call.query("cursor", cursor);
            }
            let mut page: Value = client.call(&call).await?;
            if let Value::Array(executions) = page["executions"].take() {
                found.extend(executions);
            }
            cursor = page["nextCursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        Ok(json!({"executions": found, "nextCursor": cursor}))
    }

    fn call(&self) -> Call {
        let one = |name, value: &Option<String>| value.clone().map(|value| (name, value));
        let statuses = (!self.status.is_empty()).then(|| ("status", self.status.join(",").to_uppercase()));
        let narrowed = [
            one("workflow", &self.workflow),
            statuses,
            one("createdFrom", &self.from),
            one("createdTo", &self.to),
            one("lane", &self.lane),
        ];
        let tags = self.tag.iter().map(|tag| ("tags", tag.clone()));
        let parameters = narrowed.into_iter().flatten().chain(tags);
        parameters.fold(Call::new(Method::GET, ["executions"]), |call, (name, value)| {
            call.query(name, value)
        })
    }
}

const HEAD: [&str; 6] = ["execution", "status", "workflow", "lane", "created", "duration"];

/// One line for each, and how to see more.
pub(super) fn table(answer: &Value) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(answer["executions"].as_array().into_iter().flatten().map(row));
    let mut page = columns(&rows);
    if let Some(cursor) = answer["nextCursor"].as_str() {
        page.push_str(&format!("more: --cursor {cursor}\n"));
    }
    page
}

fn row(execution: &Value) -> [String; 6] {
    let text = |key: &str| execution[key].as_str().unwrap_or_default().to_owned();
    let duration = execution["duration"].as_i64().map(|millis| match millis {
        ..1_000 => format!("{millis} ms"),
        _ => format!("{:.2} s", millis as f64 / 1_000.0),
    });
    [
        text("id"),
        text("status"),
        text("workflowId"),
        text("lane"),
        text("createdAt"),
        duration.unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_one_line_each_and_says_how_it_goes_on() {
        let mut answer = json!({"executions": [
            {"id": "wf_exec_2", "status": "RUNNING", "workflowId": "wf_1", "lane": "default", "createdAt": "T2", "duration": null},
            {"id": "wf_exec_1", "status": "COMPLETED", "workflowId": "wf_1", "lane": "bulk", "createdAt": "T1", "duration": 1500},
        ], "nextCursor": "1-2-3"});
        let expected = "\
execution  status     workflow  lane     created  duration
wf_exec_2  RUNNING    wf_1      default  T2
wf_exec_1  COMPLETED  wf_1      bulk     T1       1.50 s
more: --cursor 1-2-3
";
        assert_eq!(table(&answer), expected);
        answer["nextCursor"] = Value::Null;
        assert!(!table(&answer).contains("more"));
    }
}
