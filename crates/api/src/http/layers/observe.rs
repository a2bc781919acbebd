//! The record of every request: an id to the client, one line to the log, a count and a duration to the metrics.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use metrics::{counter, histogram};
use tracing::{Instrument, debug, error, field, info_span};
use uuid::Uuid;

use crate::http::error::{Error, Failure};
use crate::http::problem;

/// The request's id, for whoever writes down what the request did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

/// Gives the request an id, and writes, counts and logs whatever becomes of it.
pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let request_id = format!("req_{}", Uuid::now_v7().simple());
    request
        .extensions_mut()
        .insert(RequestId(request_id.as_str().into()));
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let span = info_span!(
        "request",
        request.id = request_id,
        http.method = method,
        http.route = route,
        // Known once the key is.
        organization.id = field::Empty,
        key.id = field::Empty,
    );

    let mut response = next.run(request).instrument(span.clone()).await;
    let failure = response.extensions_mut().remove::<Failure>();
    if let Some(Failure(error)) = &failure {
        problem::write(error, &request_id, &mut response);
    }
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-request-id", value);
    }
    let status = response.status().as_u16();
    let labels = [
        ("route", route.to_owned()),
        ("method", method.to_owned()),
        ("status", status.to_string()),
    ];
    counter!("gristmill_http_requests_total", &labels).increment(1);
    histogram!("gristmill_http_request_duration_seconds", &labels[..2]).record(started.elapsed());
    span.in_scope(|| log(status, started, failure.as_ref().map(|Failure(error)| &**error)));
    response
}

/// One line per request: an error with its whole chain when the fault is ours, else for whoever is debugging.
fn log(status: u16, started: Instant, failure: Option<&Error>) {
    let duration_ms = started.elapsed().as_millis() as u64;
    match failure {
        Some(failure) if status >= 500 => {
            let failure: &dyn std::error::Error = failure;
            error!(
                http.status = status,
                duration_ms,
                error = failure,
                "a request failed"
            );
        }
        _ => debug!(http.status = status, duration_ms, "a request was answered"),
    }
}

/// A client may send any word as its method; a metric's label has a bounded set of values.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
