//! Batch: the body of a route that takes many requests at once, and so has a limit of its own.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_LENGTH;
use tokio::sync::OwnedSemaphorePermit;

use super::document::required;
use crate::http::error::Error;
use crate::state::AppState;

/// A batch as it was sent: it is read item by item, for as a tree of values it would take many times its size.
pub(crate) struct Batch {
    pub(crate) body: Bytes,
    /// Its bytes, for as long as it is under way.
    _room: OwnedSemaphorePermit,
}

impl FromRequest<Arc<AppState>> for Batch {
    type Rejection = Error;

    async fn from_request(request: Request, state: &Arc<AppState>) -> Result<Self, Error> {
        let limit = state.options.max_batch_bytes;
        // What does not say its size may have any.
        let length = request.headers().get(CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let room = state.batches.take(length.unwrap_or(limit).min(limit)).await?;
        Ok(Self {
            body: required(request, state, limit).await?,
            _room: room,
        })
    }
}
