//! Connections: accepted, served and, at the end, let go. axum's own loop sets no limit to the time in which a request's
//! head has to arrive, so that clients which send nothing would keep their connections for ever.

use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::debug;

/// Serves until `shutdown`, and then until every request under way is answered.
pub(crate) async fn serve(
    mut listener: impl Listener<Io = TcpStream>,
    router: Router,
    head_timeout: Duration,
    shutdown: CancellationToken,
) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head_timeout);
    let connections = TaskTracker::new();
    while let Some((stream, _)) = shutdown.run_until_cancelled(listener.accept()).await {
        let service = TowerToHyperService::new(router.clone());
        let mut connection = builder.serve_connection(TokioIo::new(stream), service);
        let shutdown = shutdown.clone();
        connections.spawn(async move {
            let ended = tokio::select! {
                ended = &mut connection => ended,
                () = shutdown.cancelled() => {
                    Pin::new(&mut connection).graceful_shutdown();
                    (&mut connection).await
                }
            };
            if let Err(error) = ended {
                debug!(
                    error = &error as &dyn std::error::Error,
                    "a connection ended early"
                );
            }
            let stream = connection.into_parts().io.into_inner();
            shutdown.run_until_cancelled(linger(stream)).await;
        });
    }
    // No new ones while those that there are end.
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// How long a client that has its answer may go on sending, and how much.
const LINGER: (Duration, usize) = (Duration::from_secs(5), 64 * 1024 * 1024);

/// Reads what a client still sends although its answer is there, until it notices the end. A socket that is closed with
/// something unread resets the connection, and a reset takes the answer away from a client that has not read it yet: one
/// that was told "too large" would see a broken connection instead.
async fn linger(mut stream: TcpStream) {
    let read = async {
        stream.shutdown().await?;
        let mut buffer = vec![0; 16 * 1024];
        let mut left = LINGER.1;
        while left > 0 {
            match stream.read(&mut buffer).await? {
                0 => break,
                read => left = left.saturating_sub(read),
            }
        }
        Ok::<_, std::io::Error>(())
    };
    // Whoever is gone, or never stops, has had its chance.
    timeout(LINGER.0, read).await.ok();
}
