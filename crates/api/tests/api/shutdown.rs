//! Shutdown: the end of the process.

use std::time::{Duration, Instant};

use gristmill_testkit::TestDatabase;
use reqwest::Method;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::world::{BASE, World, execute_path, options, send};

pub(crate) async fn a_wait_is_cut_short_by_the_shutdown(database: TestDatabase) {
    let world = World::on(database).await;
    let path = execute_path(&world.workflow().await);
    let request = world.request(Method::POST, &path).header("prefer", "wait=20");
    let began = Instant::now();
    let waiting = tokio::spawn(send(request));
    let mut jobs = gristmill_queue::Broker::subscribe(&*world.broker, &["default".into()], 1).unwrap();
    // It is recorded, so its request has been heard.
    jobs.next().await.unwrap();
    world.shutdown.cancel();
    assert_eq!(waiting.await.unwrap().status, 202);
    assert!(began.elapsed() < Duration::from_secs(15));
}

pub(crate) async fn a_request_that_hangs_does_not_hold_up_the_shutdown(database: TestDatabase) {
    let limits = gristmill_api::Options {
        drain_timeout: Duration::from_millis(200),
        ..options()
    };
    let mut world = World::with(database, limits).await;
    let mut stream = TcpStream::connect(&world.address).await.unwrap();
    let head = format!("POST {BASE}/workflows HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    world.workflow().await;
    world.shutdown.cancel();
    let ended = tokio::time::timeout(Duration::from_secs(10), &mut world.server).await;
    ended.expect("the API ends in bounded time").unwrap();
}
