//! `GET /docs`

use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::IntoResponse;

/// The page in full: it asks for `/openapi.json` and for nothing else.
const PAGE: &str = include_str!("docs.html");

/// The browser is told so, too: whatever slips into the page reaches no other host.
const POLICY: &str = "default-src 'none'; connect-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The document for people.
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "getDocs",
    responses((
        status = 200, description = "A page.", body = String, content_type = "text/html; charset=utf-8",
        headers(("content-security-policy" = String, description = "No other host is asked."))
    ))
)]
pub(crate) async fn docs() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
    ];
    (headers, PAGE)
}
