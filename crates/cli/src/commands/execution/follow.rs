//! `gristmill execution follow`

use std::io::Write;
use std::time::Duration;

use chrono::DateTime;
use gristmill_core::ExecutionId;
use reqwest::Response;
use serde_json::{Value, json};
use tracing::debug;

use super::client::Client;
use crate::error::Error;

/// How often in a row the stream may break before it is given up, and the pause before it is taken up again.
const BREAKS: usize = 30;
const PAUSE: Duration = Duration::from_secs(1);

/// An event of the stream.
#[derive(Debug, PartialEq)]
struct Event {
    name: String,
    id: String,
    data: Value,
}

/// Prints what happens until the execution has ended; a stream that breaks is taken up where it ended.
///
/// # Errors
/// When the execution did not end COMPLETED, the API refuses, or it cannot be reached for long.
pub(super) async fn follow(client: &Client, id: &ExecutionId, as_json: bool) -> Result<(), Error> {
    let mut last = String::new();
    let mut breaks = 0;
    loop {
        let before = last.clone();
        match read(client, id, &mut last, as_json).await {
            Ok(Some(end)) => return judge(id, &end),
            Ok(None) => debug!("the stream ended before the execution"),
            Err(error @ Error::Http { .. }) if breaks >= BREAKS => return Err(error),
            Err(Error::Http { source, .. }) => debug!(error = %source, "the stream broke"),
            Err(error) => return Err(error),
        }
        breaks = if last == before { breaks + 1 } else { 0 };
        tokio::time::sleep(PAUSE).await;
    }
}

/// Reads one stream; answers with the data of its `end`, and without, when it breaks off.
async fn read(
    client: &Client,
    id: &ExecutionId,
    last: &mut String,
    as_json: bool,
) -> Result<Option<Value>, Error> {
    let Some(mut response) = client.follow(id, last).await? else {
        // Everything has been told, but for the end.
        return Ok(Some(json!({"reason": "ended", "status": last.split('-').nth(1)})));
    };
    let mut received = Vec::new();
    while let Some(event) = next(&mut response, &mut received).await? {
        print(&event, as_json)?;
        last.clone_from(&event.id);
        if event.name == "end" {
            return Ok(Some(event.data));
        }
    }
    Ok(None)
}

async fn next(response: &mut Response, received: &mut Vec<u8>) -> Result<Option<Event>, Error> {
    loop {
        while let Some(end) = received.windows(2).position(|pair| pair == b"\n\n") {
            let text: Vec<u8> = received.drain(..end + 2).collect();
            // A comment that only keeps the connection is no event.
            if let Some(event) = parse(&String::from_utf8_lossy(&text)) {
                return Ok(Some(event));
            }
        }
        let chunk = response.chunk().await.map_err(|source| Error::Http {
            doing: "following the execution",
            source,
        })?;
        match chunk {
            Some(chunk) => received.extend_from_slice(&chunk),
            None => return Ok(None),
        }
    }
}

fn parse(text: &str) -> Option<Event> {
    let field = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.map(str::to_owned)
    };
    Some(Event {
        name: field("event")?,
        id: field("id").unwrap_or_default(),
        data: serde_json::from_str(&field("data")?).ok()?,
    })
}

fn print(event: &Event, as_json: bool) -> Result<(), Error> {
    let line = if as_json {
        json!({"event": event.name, "id": event.id, "data": event.data}).to_string()
    } else {
        told(event)
    };
    let mut stdout = std::io::stdout();
    let written = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
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
    fn events_are_read_and_comments_are_none() {
        let event = parse(
            "event: journal\nid: 1\ndata: {\"type\":\"failed\",\"path\":\"a\",\"at\":0,\"error\":{\"message\":\"no\"}}\n\n",
        );
        let event = event.unwrap();
        assert_eq!((&*event.name, &*event.id), ("journal", "1"));
        assert_eq!(told(&event), "1970-01-01T00:00:00.000Z  failed     a  no");
        assert_eq!(parse(":\n\n"), None);
        let end = parse("event: end\nid: 1-FAILED-1\ndata: {\"reason\":\"ended\",\"status\":\"FAILED\"}\n\n")
            .unwrap();
        assert_eq!(told(&end), "the execution has ended");
        assert!(judge(&ExecutionId::new(), &end.data).is_err());
    }
}
