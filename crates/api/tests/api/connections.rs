//! Connections: clients that connect and say little.

use std::time::Duration;

use gristmill_testkit::TestDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{World, options};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_head_that_never_ends_does_not_keep_its_connection() {
    let limits = gristmill_api::Options {
        head_timeout: Duration::from_millis(300),
        ..options()
    };
    let world = World::with(TestDatabase::sqlite().await, limits).await;
    for head in ["", "GET /healthz HTTP/1.1\r\nhost: x\r\n"] {
        let mut stream = TcpStream::connect(&world.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
        ended.expect("the connection is still open").unwrap();
    }
    assert_eq!(world.get("/healthz").await.status, 200);
}
