//! HTTP byte by byte: whatever a well-behaved client refuses to send.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::Answer;

/// A request as it goes over the wire.
pub(crate) struct RawRequest {
    pub(crate) method: String,
    /// With the query.
    pub(crate) target: Vec<u8>,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

impl RawRequest {
    /// Sends it on a connection of its own.
    ///
    /// # Errors
    /// When the connection is reset, or there is no whole answer.
    pub(crate) async fn send(&self, address: &str) -> Result<Answer, String> {
        let failed = |error: std::io::Error| error.to_string();
        let stream = TcpStream::connect(address).await.map_err(failed)?;
        let (mut from, mut to) = stream.into_split();
        let bytes = self.bytes(address);
        let exchange = async {
            // Whoever has answered already need not read on, but has to let the client read the answer.
            let sent = async { to.write_all(&bytes).await };
            let answer = async {
                let mut answer = Vec::new();
                while from.read_buf(&mut answer).await? > 0 && !is_stream(&answer) {}
                Ok(answer)
            };
            let (sent, answer) = tokio::join!(sent, answer);
            sent.and(answer)
        };
        let answer = tokio::time::timeout(PATIENCE, exchange)
            .await
            .map_err(|_| "no answer".to_owned())?;
        parse(&answer.map_err(failed)?)
    }

    fn bytes(&self, address: &str) -> Vec<u8> {
        let mut bytes = format!("{} ", self.method).into_bytes();
        bytes.extend(&self.target);
        bytes.extend(format!(" HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n").bytes());
        for (name, value) in &self.headers {
            bytes.extend(format!("{name}: ").bytes());
            bytes.extend(value);
            bytes.extend(b"\r\n");
        }
        if !self.body.is_empty() {
            bytes.extend(format!("content-length: {}\r\n", self.body.len()).bytes());
        }
        bytes.extend(b"\r\n");
        bytes.extend(&self.body);
        bytes
    }
}

impl std::fmt::Debug for RawRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.bytes("…");
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(2_000)]).into_owned();
        write!(f, "{} bytes: {shown}", bytes.len())
    }
}

/// Whether this is the head of a stream of events, which ends when it likes.
fn is_stream(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let head = text.split_once("\r\n\r\n");
    head.is_some_and(|(head, _)| head.contains("content-type: text/event-stream"))
}

fn parse(bytes: &[u8]) -> Result<Answer, String> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or_else(|| format!("no answer but {text:?}"))?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
    let headers = lines.filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        Some((name.parse().ok()?, value.parse().ok()?))
    });
    Ok(Answer {
        status: status.ok_or_else(|| format!("no status in {head:?}"))?,
        headers: headers.collect(),
        text: body.to_owned(),
    })
}
