//! Connections: accepted, served and, at the end, let go. axum's own loop sets no limit to the time in which a request's
//! head has to arrive, so that clients which send nothing would keep their connections for ever.

use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
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
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let shutdown = shutdown.clone();
        connections.spawn(async move {
            tokio::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = shutdown.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                debug!(
                    error = &error as &dyn std::error::Error,
                    "a connection ended early"
                );
            }
        });
    }
    // No new ones while those that there are end.
    drop(listener);
    connections.close();
    connections.wait().await;
}
