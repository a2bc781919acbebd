//! The end of panics: the one place where one becomes an answer.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use crate::http::error::Error;

/// Answers 500 for a handler that panics; without it the client would see its connection closed, and no log line would
/// name the request.
pub(crate) async fn catch_panic(request: Request, next: Next) -> Response {
    // Nothing of a request outlives it but what its locks guard, and those recover from poison.
    match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(panic) => Error::Panicked(message(&*panic)).into_response(),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panics_message_is_kept_for_the_log() {
        for panic in [
            std::panic::catch_unwind(|| panic!("seven")).unwrap_err(),
            std::panic::catch_unwind(|| panic!("{}", "seven")).unwrap_err(),
        ] {
            assert_eq!(message(&*panic), "seven");
        }
    }
}
