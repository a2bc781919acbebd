//! Endpoint: an HTTP endpoint that remembers every call and answers as told.

mod reply;
mod wire;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

pub use reply::{Gate, Reply};

/// How long [`RecordingEndpoint::wait_for_calls`] waits before it fails the test.
const PATIENCE: Duration = Duration::from_secs(30);

/// An HTTP/1.1 endpoint on a free port of 127.0.0.1, for the calls of this process and of others. Dropping it closes the
/// port and every connection.
pub struct RecordingEndpoint {
    port: u16,
    calls: watch::Sender<Vec<RecordedCall>>,
    server: JoinHandle<()>,
}

/// One request as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedCall {
    /// When it had arrived.
    pub at: SystemTime,
    /// `GET`, `POST`, ….
    pub method: String,
    /// The path without the query, still percent-encoded.
    pub path: String,
    /// The query without its `?`, still percent-encoded; empty when there is none.
    pub query: String,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl RecordedCall {
    /// The first header of this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }

    /// When it had arrived, in microseconds since 1970.
    pub fn at_micros(&self) -> i64 {
        let since = self.at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the recorded body is JSON")
    }
}

type Answer = dyn Fn(&RecordedCall) -> Reply + Send + Sync;

impl RecordingEndpoint {
    /// An endpoint that answers every call with 200 and `{}`.
    pub async fn start() -> Self {
        Self::answering(|_| Reply::json(200, serde_json::json!({}))).await
    }

    /// An endpoint that asks `answer` for each reply. A call is recorded before its reply is made, so a call that hangs
    /// is seen.
    pub async fn answering(answer: impl Fn(&RecordedCall) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port on 127.0.0.1");
        let port = listener
            .local_addr()
            .expect("a bound socket has an address")
            .port();
        let calls = watch::Sender::new(Vec::new());
        let server = tokio::spawn(accept(listener, calls.clone(), Arc::new(answer)));
        Self { port, calls, server }
    }

    /// Where it listens, without a slash at the end: `http://127.0.0.1:54321`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port of [`url`](Self::url).
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Every call so far, in the order of arrival.
    pub fn calls(&self) -> Vec<RecordedCall> {
        self.calls.borrow().clone()
    }

    /// Waits until there were `count` calls or more, and returns them.
    ///
    /// # Panics
    /// After 30 s without them.
    pub async fn wait_for_calls(&self, count: usize) -> Vec<RecordedCall> {
        let mut seen = self.calls.subscribe();
        let arrived = seen.wait_for(|calls| calls.len() >= count);
        match tokio::time::timeout(PATIENCE, arrived).await {
            Ok(calls) => calls.expect("the endpoint keeps the sender").clone(),
            Err(_) => panic!(
                "waited {PATIENCE:?} for {count} calls and saw {:#?}",
                self.calls()
            ),
        }
    }
}

impl Drop for RecordingEndpoint {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn accept(listener: TcpListener, calls: watch::Sender<Vec<RecordedCall>>, answer: Arc<Answer>) {
    // Aborted with this task, so no connection outlives the endpoint.
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        connections.spawn(serve(stream, calls.clone(), Arc::clone(&answer)));
        while connections.try_join_next().is_some() {}
    }
}

/// Answers the calls of one connection until either side closes it.
async fn serve(mut stream: TcpStream, calls: watch::Sender<Vec<RecordedCall>>, answer: Arc<Answer>) {
    let mut unread = Vec::new();
    while let Ok(Some(call)) = wire::read_call(&mut stream, &mut unread).await {
        calls.send_modify(|calls| calls.push(call.clone()));
        let reply = answer(&call);
        if !matches!(wire::write_reply(&mut stream, &call, reply).await, Ok(true)) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_call_is_recorded_and_answered() {
        let endpoint = RecordingEndpoint::answering(|call| {
            Reply::text(201, format!("{} {}", call.method, call.path)).header("x-test", "yes")
        })
        .await;
        let mut stream = TcpStream::connect(("127.0.0.1", endpoint.port())).await.unwrap();
        let request = "POST /a%20b?c=d&e HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\nConnection: close\r\n\r\n{\"a\":1}";
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        assert!(response.starts_with("HTTP/1.1 201 "), "{response}");
        assert!(response.contains("x-test: yes\r\n"), "{response}");
        assert!(response.ends_with("\r\n\r\nPOST /a%20b"), "{response}");
        let calls = endpoint.wait_for_calls(1).await;
        assert_eq!(
            (calls[0].path.as_str(), calls[0].query.as_str()),
            ("/a%20b", "c=d&e")
        );
        assert_eq!(calls[0].header("host"), Some("x"));
        assert_eq!(calls[0].json(), serde_json::json!({"a": 1}));
    }

    #[tokio::test]
    async fn a_held_reply_waits_for_its_gate() {
        let gate = Gate::new();
        let held = gate.clone();
        let endpoint = RecordingEndpoint::answering(move |_| Reply::text(200, "late").after(&held)).await;
        let mut stream = TcpStream::connect(("127.0.0.1", endpoint.port())).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        endpoint.wait_for_calls(1).await;
        gate.open();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        assert!(response.ends_with("late"), "{response}");
    }
}
