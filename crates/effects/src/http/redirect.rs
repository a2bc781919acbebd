//! Redirect: redirects, followed the way browsers do it. `reqwest` could follow them, but not check every hop with our
//! list.

use reqwest::header::{
    ACCEPT, ACCEPT_LANGUAGE, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap,
    HeaderName, LOCATION, USER_AGENT,
};
use reqwest::{Method, Request, Response, StatusCode};
use url::Url;

use crate::http::CallError;

/// What goes along to another origin. A list of what is kept, not of what is dropped: an API key may stand in a header
/// of any name.
const KEPT_ACROSS_ORIGINS: [HeaderName; 7] = [
    ACCEPT,
    ACCEPT_LANGUAGE,
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_TYPE,
    USER_AGENT,
    HeaderName::from_static("idempotency-key"),
];

/// Where `response` sends the caller, if it is a redirect.
pub(crate) fn target(response: &Response) -> Option<Result<Url, CallError>> {
    let followed = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| followed)?;
    // Not `to_str`: servers do send unescaped UTF-8, and browsers follow it.
    let location = String::from_utf8_lossy(location.as_bytes());
    Some(
        response
            .url()
            .join(&location)
            .map_err(|error| CallError::InvalidUrl {
                what: "the redirect's target",
                why: error.to_string(),
            }),
    )
}

/// Turns `request` into the one that follows a redirect to `target`.
pub(crate) fn redirect(request: &mut Request, status: StatusCode, target: Url) {
    let becomes_get = match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => request.method() == Method::POST,
        StatusCode::SEE_OTHER => request.method() != Method::GET && request.method() != Method::HEAD,
        _ => false,
    };
    if becomes_get {
        *request.method_mut() = Method::GET;
        *request.body_mut() = None;
        for name in [CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE] {
            request.headers_mut().remove(name);
        }
    }
    if target.origin() != request.url().origin() {
        let all = std::mem::take(request.headers_mut());
        *request.headers_mut() = kept(all);
    }
    *request.url_mut() = target;
}

fn kept(mut all: HeaderMap) -> HeaderMap {
    KEPT_ACROSS_ORIGINS
        .into_iter()
        .filter_map(|name| all.remove(&name).map(|value| (name, value)))
        .collect()
}
