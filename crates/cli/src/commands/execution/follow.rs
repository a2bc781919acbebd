//! `gristmill execution follow`

use std::io::Write;

use chrono::DateTime;
use gristmill_client::{Client, Event, ExecutionId};
use serde_json::{Value, json};

use super::super::connection::Connection;
use crate::error::Error;
use crate::printable::line;

/// Prints what happens until the execution has ended.
///
/// # Errors
/// When the execution did not end COMPLETED, the API refuses, or it cannot be reached for long.
pub(super) async fn follow(client: &Client, id: &ExecutionId, connection: &Connection) -> Result<(), Error> {
    let mut events = client.follow(id);
    while let Some(event) = events.next().await? {
        print(&event, connection.wants_json())?;
        if event.is_end() {
            return judge(id, &event.data);
        }
    }
    Ok(())
}

fn print(event: &Event, as_json: bool) -> Result<(), Error> {
    let text = if as_json {
        json!(event).to_string()
    } else {
        line(&told(event)).into_owned()
    };
    let mut stdout = std::io::stdout();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    written.map_err(|source| Error::Pipe("cannot write what happens", source))
}

/// An event for people.
fn told(event: &Event) -> String {
    let text = |key: &str| event.data[key].as_str().unwrap_or_default();
    match event.name.as_str() {
        "journal" => {
            let at = event.data["at"]
                .as_i64()
                .and_then(DateTime::from_timestamp_millis);
            let at = at
                .map(|at| at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
                .unwrap_or_default();
            let error = event.data["error"]["message"].as_str();
            let error = error.map(|error| format!("  {error}")).unwrap_or_default();
            format!("{at}  {:<9}  {}{error}", text("type"), text("path"))
        }
        "status" => format!("status: {}", text("status")),
        "end" if text("reason") == "deleted" => "the execution was deleted".to_owned(),
        _ => format!("the execution has {}", text("reason")),
    }
}

/// So that a script can go by the exit code.
fn judge(id: &ExecutionId, end: &Value) -> Result<(), Error> {
    match end["status"].as_str() {
        Some("COMPLETED") => Ok(()),
        Some(status) => Err(Error::Failed(format!("{id} has ended as {status}"))),
        None => Err(Error::Failed(format!("{id} was deleted"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_a_line_for_people() {
        let event = |name: &str, data: Value| Event {
            name: name.to_owned(),
            id: "1".to_owned(),
            data,
        };
        let failed = json!({"type": "failed", "path": "a", "at": 0, "error": {"message": "no"}});
        assert_eq!(
            told(&event("journal", failed)),
            "1970-01-01T00:00:00.000Z  failed     a  no"
        );
        let end = json!({"reason": "ended", "status": "FAILED"});
        assert_eq!(told(&event("end", end.clone())), "the execution has ended");
        assert!(judge(&ExecutionId::new(), &end).is_err());
    }
}
