use serde_json::Value;
use tokio::sync::watch;

/// How to answer one call.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Body,
    pub(super) gate: Option<Gate>,
}

#[derive(Debug, Clone)]
pub(super) enum Body {
    Bytes(Vec<u8>),
    /// Goes on for as long as the caller reads.
    Endless,
    /// The connection is closed in place of a response.
    Closed,
}

/// Holds replies back until it is opened; clones are the same gate.
#[derive(Debug, Clone)]
pub struct Gate(watch::Sender<bool>);

impl Reply {
    /// A JSON body.
    pub fn json(status: u16, body: Value) -> Self {
        Self::bytes(status, body.to_string()).header("content-type", "application/json")
    }

    /// A text body.
    pub fn text(status: u16, body: impl Into<String>) -> Self {
        Self::bytes(status, body.into()).header("content-type", "text/plain; charset=utf-8")
    }

    /// A body without a content type.
    pub fn bytes(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::with_body(status, Body::Bytes(body.into()))
    }

    /// A redirect to `location`.
    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::bytes(status, "").header("location", location)
    }

    /// A body without end.
    pub fn endless() -> Self {
        Self::with_body(200, Body::Endless)
    }

    /// No response: the connection is closed.
    pub fn close() -> Self {
        Self::with_body(0, Body::Closed)
    }

    /// The same with one more header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same, sent once `gate` is open.
    pub fn after(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    fn with_body(status: u16, body: Body) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body,
            gate: None,
        }
    }
}

impl Gate {
    /// A closed gate.
    #[allow(
        clippy::new_without_default,
        reason = "a gate is made on purpose, never by default"
    )]
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Lets every reply through that it holds, and all later ones.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    pub(super) async fn opened(&self) {
        // An error means that no one is left who could open it, which cannot be: `self` is a sender.
        self.0.subscribe().wait_for(|open| *open).await.ok();
    }
}
