//! The API as a component: built from its parts, then run on a listener until shutdown.

use gristmill_core::boxed;
use std::sync::Arc;

use axum::serve::ListenerExt;
use gristmill_dispatch::{Follow, FollowLimits};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::auth::cache::KeyCache;
use crate::auth::rates::Rates;
use crate::http::batch_room::BatchRoom;
use crate::http::serve::serve;
use crate::router::{openapi, router};
use crate::state::{AppState, Options, Services};

/// The HTTP API.
pub struct Api {
    services: Services,
    options: Options,
}

impl Api {
    /// An API over `services`.
    pub fn build(services: Services, options: Options) -> Self {
        Self { services, options }
    }

    /// Serves until `shutdown`. Then nothing new is accepted, waits are cut short, and requests under way have
    /// [`Options::drain_timeout`] to end.
    #[boxed]
    pub async fn run(self, listener: TcpListener, shutdown: CancellationToken) {
        let drain_timeout = self.options.drain_timeout;
        let head_timeout = self.options.head_timeout;
        let limits = FollowLimits {
            process: self.options.max_followers,
            organization: self.options.max_followers_per_organization,
        };
        let state = AppState {
            follow: Follow::new(self.services.store.protocol(), limits),
            keys: KeyCache::new(self.options.key_ttl),
            rates: Rates::new(self.options.requests_per_second, self.options.request_burst),
            batches: BatchRoom::for_batches_of(self.options.max_batch_bytes),
            document: openapi(),
            services: self.services,
            options: self.options,
            shutdown: shutdown.clone(),
        };
        let listener = listener.tap_io(|stream| {
            // Answers are small: without this, Nagle's algorithm and delayed acks cost 40 ms on a kept connection.
            if let Err(error) = stream.set_nodelay(true) {
                debug!(
                    error = &error as &dyn std::error::Error,
                    "TCP_NODELAY could not be set"
                );
            }
        });
        let serve = serve(listener, router(Arc::new(state)), head_timeout, shutdown.clone());
        let overtime = async {
            shutdown.cancelled().await;
            tokio::time::sleep(drain_timeout).await;
        };
        tokio::select! {
            () = serve => {}
            () = overtime => {
                warn!(duration_ms = drain_timeout.as_millis() as u64, "requests under way were cut off at shutdown");
            }
        }
    }
}
