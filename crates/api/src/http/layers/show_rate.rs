//! The rate headers: how fast a caller may go on, told with every answer to a request that counted.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use crate::auth::rates::Rate;
use crate::http::error::Error;

/// Where whoever counts a request leaves what became of the caller's rate. As an argument of a handler it is for those that
/// count more than their request.
#[derive(Clone, Default)]
pub(crate) struct RateShown(Arc<Mutex<Option<Rate>>>);

impl RateShown {
    /// Keeps the rate, refused or not; of several the last one is how the caller stands.
    ///
    /// # Errors
    /// [`Error::TooFast`], when it was refused.
    pub(crate) fn note(&self, checked: Result<Option<Rate>, Rate>) -> Result<(), Error> {
        let rate = checked.unwrap_or_else(Some);
        if rate.is_some() {
            // Nothing that holds this lock can panic.
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = rate;
        }
        checked.map(drop).map_err(Error::TooFast)
    }

    fn get(&self) -> Option<Rate> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for RateShown {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// Adds the headers `RateLimit-Policy` and `RateLimit`.
pub(crate) async fn show_rate(mut request: Request, next: Next) -> Response {
    let shown = RateShown::default();
    request.extensions_mut().insert(shown.clone());
    let mut response = next.run(request).await;
    if let Some(rate) = shown.get() {
        response.headers_mut().extend(rate.headers());
    }
    response
}
