//! Tests: each switch, on a server that answers every byte with the same byte.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::*;

/// What the server saw.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Bytes(Vec<u8>),
    End,
    Error,
}

struct Scene {
    proxy: Proxy,
    address: String,
    seen: mpsc::UnboundedReceiver<Seen>,
}

impl Scene {
    async fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("tcp://{}", listener.local_addr().unwrap());
        let (sender, seen) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(echo(stream, sender.clone()));
            }
        });
        let proxy = Proxy::to(&url).await;
        let address = proxy.url(&url).replace("tcp://", "");
        Self { proxy, address, seen }
    }

    async fn connect(&mut self) -> TcpStream {
        TcpStream::connect(&self.address).await.unwrap()
    }

    /// A connection through which something has gone, there and back.
    async fn connected(&mut self) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(b"hello").await.unwrap();
        self.sees(b"hello").await;
        receives(&mut stream, b"hello").await;
        stream
    }

    async fn next(&mut self) -> Seen {
        let seen = tokio::time::timeout(PATIENCE, self.seen.recv()).await;
        seen.expect("the server sees nothing").unwrap()
    }

    async fn sees(&mut self, bytes: &[u8]) {
        assert_eq!(self.next().await, Seen::Bytes(bytes.to_vec()));
    }
}

async fn echo(mut stream: TcpStream, seen: mpsc::UnboundedSender<Seen>) {
    let mut buffer = [0; 64];
    loop {
        let read = stream.read(&mut buffer).await;
        let what = match &read {
            Ok(0) => Seen::End,
            Ok(count) => Seen::Bytes(buffer[..*count].to_vec()),
            Err(_) => Seen::Error,
        };
        seen.send(what).ok();
        match read {
            Ok(count @ 1..) if stream.write_all(&buffer[..count]).await.is_ok() => {}
            _ => return,
        }
    }
}

async fn receives(stream: &mut TcpStream, bytes: &[u8]) {
    let mut buffer = vec![0; bytes.len()];
    stream.read_exact(&mut buffer).await.unwrap();
    assert_eq!(buffer, bytes);
}

#[tokio::test]
async fn a_cut_is_an_end_and_a_reset_is_an_error() {
    let mut scene = Scene::new().await;
    let mut stream = scene.connected().await;
    scene.proxy.cut();
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    assert_eq!(scene.next().await, Seen::End);

    let mut stream = scene.connected().await;
    scene.proxy.reset();
    let error = stream.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(scene.next().await, Seen::Error);
}

#[tokio::test]
async fn a_refusal_is_for_new_connections_only() {
    let mut scene = Scene::new().await;
    let mut old = scene.connected().await;
    scene.proxy.refuse();
    let refused = match TcpStream::connect(&scene.address).await {
        Ok(mut stream) => stream.read(&mut [0; 8]).await.unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(refused.kind(), ErrorKind::ConnectionReset);
    old.write_all(b"still here").await.unwrap();
    receives(&mut old, b"still here").await;
    scene.sees(b"still here").await;
    scene.proxy.heal();
    scene.connected().await;
}

#[tokio::test]
async fn what_is_withheld_in_one_direction_arrives_after_the_thaw() {
    let mut scene = Scene::new().await;
    let mut stream = scene.connected().await;
    scene.proxy.withhold(Direction::Answers);
    stream.write_all(b"one").await.unwrap();
    scene.sees(b"one").await;
    scene.proxy.withhold(Direction::Requests);
    scene.proxy.switch(|switches| switches.answers.withhold = false);
    receives(&mut stream, b"one").await;
    stream.write_all(b"two").await.unwrap();
    scene.proxy.thaw();
    scene.sees(b"two").await;
    receives(&mut stream, b"two").await;
}

#[tokio::test]
async fn a_connection_that_lost_something_stays_mute_in_that_direction() {
    let mut scene = Scene::new().await;
    let mut stream = scene.connected().await;
    scene.proxy.discard(Direction::Answers);
    stream.write_all(b"one").await.unwrap();
    scene.sees(b"one").await;
    scene.proxy.discarded_at_least(3).await;

    scene.proxy.heal();
    stream.write_all(b"two").await.unwrap();
    scene.sees(b"two").await;
    scene.proxy.discarded_at_least(6).await;
    scene.connected().await;
    assert!(
        stream.try_read(&mut [0; 8]).is_err(),
        "an answer came with a gap before it"
    );
}

#[tokio::test]
async fn a_delay_keeps_the_order_and_lasts_at_least_as_long_as_told() {
    let mut scene = Scene::new().await;
    let mut stream = scene.connected().await;
    let least = Duration::from_millis(20);
    scene.proxy.delay(least, Duration::from_millis(20));
    let sent = Instant::now();
    for part in [b"a", b"b", b"c"] {
        stream.write_all(part).await.unwrap();
    }
    receives(&mut stream, b"abc").await;
    assert!(sent.elapsed() >= 2 * least, "{:?}", sent.elapsed());
}

#[tokio::test]
async fn a_limit_tears_the_message_that_exceeds_it() {
    let mut scene = Scene::new().await;
    let mut old = scene.connected().await;
    scene.proxy.limit(12);
    old.write_all(b"and what of this?").await.unwrap();
    scene.sees(b"and what of ").await;
    assert_eq!(scene.next().await, Seen::End);
    assert_eq!(old.read(&mut [0; 8]).await.unwrap(), 0);

    // Both ways together, for each connection.
    let mut new = scene.connected().await;
    new.write_all(b"hello").await.unwrap();
    scene.sees(b"he").await;
    assert_eq!(scene.next().await, Seen::End);
    scene.proxy.heal();
    scene.connected().await;
}

#[tokio::test]
async fn a_half_close_ends_one_direction_and_leaves_the_other() {
    let mut scene = Scene::new().await;
    let mut stream = scene.connected().await;
    scene.proxy.half_close(Direction::Answers);
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0);
    stream.write_all(b"heard").await.unwrap();
    scene.sees(b"heard").await;
    drop(stream);
    assert_eq!(scene.next().await, Seen::End);

    let mut stream = scene.connected().await;
    scene.proxy.half_close(Direction::Requests);
    assert_eq!(scene.next().await, Seen::End);
    assert_eq!(
        stream.read(&mut [0; 8]).await.unwrap(),
        0,
        "the server closes, too"
    );
    scene.connected().await;
}
