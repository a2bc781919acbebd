//! Events: what happens in an execution, as it happens (server-sent events).

use std::time::Instant;

use gristmill_core::ExecutionId;
use reqwest::{Method, Response, StatusCode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::call::Call;
use crate::client::{ANSWER_WITHIN, Client};
use crate::error::Error;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// `journal`, `status` or `end`; an API of a later version may know more.
    #[serde(rename = "event")]
    pub name: String,
    /// How far the client has got with it.
    pub id: String,
    /// `journal`: the entry, with its `seq`. `status`: `status` and `attempt`. `end`: `reason` (`ended` or `deleted`) and
    /// `status`.
    pub data: Value,
}

impl Event {
    /// Whether it is the last one.
    pub fn is_end(&self) -> bool {
        self.name == "end"
    }
}

/// What happens in an execution. A stream that breaks is taken up where it ended, so nothing is missed and nothing told
/// twice.
#[derive(Debug)]
pub struct Events {
    client: Client,
    id: ExecutionId,
    /// The last event's id.
    last: String,
    stream: Option<Stream>,
    /// Since when nothing has come, and how often that was tried.
    fruitless: Option<(Instant, u32)>,
    ended: bool,
}

#[derive(Debug)]
struct Stream {
    response: Response,
    received: Vec<u8>,
}

impl Events {
    pub(crate) fn of(client: Client, id: ExecutionId) -> Self {
        Self {
            client,
            id,
            last: String::new(),
            stream: None,
            fruitless: None,
            ended: false,
        }
    }

    /// Goes on behind the event of this id, which an earlier stream has told.
    #[must_use]
    pub fn after(mut self, last: impl Into<String>) -> Self {
        self.last = last.into();
        self
    }

    /// The next event; `None` behind the last one.
    ///
    /// # Errors
    /// There is no such execution, for one; or the API did not answer for as long as the client repeats.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        if self.ended {
            return Ok(None);
        }
        loop {
            let broken = match self.read().await {
                Ok(Some(event)) => {
                    self.fruitless = None;
                    self.last.clone_from(&event.id);
                    self.ended = event.is_end();
                    return Ok(Some(event));
                }
                // The API ends streams that last long, and all of them when it is stopped.
                Ok(None) => None,
                Err(error) => Some(error),
            };
            self.stream = None;
            self.rest(broken).await?;
        }
    }

    /// The next event of the present stream, or of a new one; `None` when the stream ends.
    async fn read(&mut self) -> Result<Option<Event>, Error> {
        if self.stream.is_none() {
            let mut call = Call::new(Method::GET, ["executions", self.id.as_str(), "events"]);
            call.last_event_id = (!self.last.is_empty()).then(|| self.last.clone());
            let response = self.client.stream(&call).await?;
            if response.status() == StatusCode::NO_CONTENT {
                return Ok(Some(end_behind(&self.last)));
            }
            self.stream = Some(Stream {
                response,
                received: Vec::new(),
            });
        }
        match &mut self.stream {
            Some(stream) => stream.next().await,
            None => Ok(None),
        }
    }

    /// The pause before the next stream.
    async fn rest(&mut self, broken: Option<Error>) -> Result<(), Error> {
        let (since, attempt) = self.fruitless.unwrap_or_else(|| (Instant::now(), 0));
        let attempt = attempt + 1;
        self.fruitless = Some((since, attempt));
        match broken {
            Some(error) => self.client.rest(error, true, attempt, since.elapsed()).await,
            None => {
                tokio::time::sleep(self.client.retry_policy().growing_pause(attempt)).await;
                Ok(())
            }
        }
    }
}

/// Everything was told but for the end, which the API does not repeat; the id says how it ended.
fn end_behind(last: &str) -> Event {
    Event {
        name: "end".to_owned(),
        id: last.to_owned(),
        data: json!({"reason": "ended", "status": last.split('-').nth(1)}),
    }
}

impl Stream {
    async fn next(&mut self) -> Result<Option<Event>, Error> {
        loop {
            while let Some(end) = self.received.windows(2).position(|pair| pair == b"\n\n") {
                let text: Vec<u8> = self.received.drain(..end + 2).collect();
                // A comment that only keeps the connection is no event.
                if let Some(event) = parse(&String::from_utf8_lossy(&text)) {
                    return Ok(Some(event));
                }
            }
            // The comments come more often than that.
            let chunk = tokio::time::timeout(ANSWER_WITHIN, self.response.chunk()).await;
            match chunk.map_err(|_| Error::Silent(ANSWER_WITHIN))? {
                Ok(Some(chunk)) => self.received.extend_from_slice(&chunk),
                Ok(None) => return Ok(None),
                Err(error) => return Err(Error::NoAnswer(error)),
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_and_comments_are_none() {
        let event =
            parse("event: end\nid: 1-FAILED-1\ndata: {\"reason\":\"ended\",\"status\":\"FAILED\"}\n\n")
                .unwrap();
        assert_eq!(event, end_behind("1-FAILED-1"));
        assert_eq!(parse(":\n\n"), None);
    }
}
