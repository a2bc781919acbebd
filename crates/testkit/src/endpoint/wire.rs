//! Wire: as much of HTTP/1.1 as a recording endpoint needs.

use std::io;
use std::time::SystemTime;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::RecordedCall;
use super::reply::{Body, Reply};

/// Reads one call; none when the caller closed the connection between two. `unread` carries bytes from call to call.
pub(super) async fn read_call(
    stream: &mut TcpStream,
    unread: &mut Vec<u8>,
) -> io::Result<Option<RecordedCall>> {
    let head_end = loop {
        if let Some(at) = unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(unread).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8_lossy(&unread[..head_end]).into_owned();
    let mut call = read_head(&head).ok_or(io::ErrorKind::InvalidData)?;
    unread.drain(..head_end + 4);
    let length = call
        .header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    while unread.len() < length {
        if stream.read_buf(unread).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    call.body = unread.drain(..length).collect();
    call.at = SystemTime::now();
    Ok(Some(call))
}

fn read_head(head: &str) -> Option<RecordedCall> {
    let mut lines = head.split("\r\n");
    let mut request = lines.next()?.split(' ');
    let method = request.next()?.to_owned();
    let target = request.next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines.filter_map(|line| line.split_once(':'));
    Some(RecordedCall {
        at: SystemTime::now(),
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
        body: Vec::new(),
    })
}

/// Writes the reply; says whether the connection may be used again.
pub(super) async fn write_reply(
    stream: &mut TcpStream,
    call: &RecordedCall,
    reply: Reply,
) -> io::Result<bool> {
    if let Some(gate) = &reply.gate {
        gate.opened().await;
    }
    let mut head = format!("HTTP/1.1 {} Reply\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    match reply.body {
        Body::Closed => Ok(false),
        Body::Bytes(body) => {
            // A 204 or 304 has no body and says nothing of its length.
            if !matches!(reply.status, 204 | 304) {
                head.push_str(&format!("content-length: {}\r\n", body.len()));
            }
            head.push_str("\r\n");
            let mut response = head.into_bytes();
            if call.method != "HEAD" {
                response.extend(body);
            }
            stream.write_all(&response).await?;
            Ok(call.header("connection") != Some("close"))
        }
        Body::Endless => {
            head.push_str("\r\n");
            stream.write_all(head.as_bytes()).await?;
            loop {
                stream.write_all(&[b'x'; 1024]).await?;
            }
        }
    }
}
