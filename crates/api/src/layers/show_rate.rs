//! How fast a caller may go on, told with every answer to a request that counted.

use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;

use crate::rates::Rate;

/// Where whoever counts a request leaves what became of the caller's rate.
#[derive(Clone, Default)]
pub(crate) struct RateShown(pub(crate) Arc<OnceLock<Rate>>);

/// Adds the headers `RateLimit-Policy` and `RateLimit`.
pub(crate) async fn show_rate(mut request: Request, next: Next) -> Response {
    let shown = RateShown::default();
    request.extensions_mut().insert(shown.clone());
    let mut response = next.run(request).await;
    if let Some(rate) = shown.0.get() {
        response.headers_mut().extend(rate.headers());
    }
    response
}
