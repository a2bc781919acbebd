//! Signals: the first asks the process to finish what it holds, the second ends it at once.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::info;

/// A token that SIGTERM or SIGINT cancels. A second signal ends the process there and then, as a crash would: nothing
/// is lost, but others wait for the end of its leases.
///
/// # Errors
/// When the handlers cannot be installed.
pub fn on_signals() -> io::Result<CancellationToken> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = CancellationToken::new();
    let token = shutdown.clone();
    tokio::spawn(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => SignalKind::terminate(),
                _ = interrupt.recv() => SignalKind::interrupt(),
            }
        };
        next().await;
        info!("stopping: finishing what runs; a second signal ends the process at once");
        token.cancel();
        let second = next().await;
        std::process::exit(128 + second.as_raw_value());
    });
    Ok(shutdown)
}
