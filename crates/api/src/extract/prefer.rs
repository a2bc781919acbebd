//! The header `Prefer` (RFC 7240), of which `wait` is known here.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

/// What the client would like. A preference that is not understood is ignored, as the RFC asks for.
pub(crate) struct Prefer {
    wait: Option<Duration>,
}

impl Prefer {
    /// The preferences among `headers`.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let wait = headers
            .get_all("prefer")
            .into_iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|preference| preference.split(';').next()?.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))
            .and_then(|(_, seconds)| seconds.trim().trim_matches('"').parse().ok())
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs);
        Self { wait }
    }

    /// How long to wait for the end of what was asked for: what the client wants, at most `limit`.
    pub(crate) fn wait_at_most(&self, limit: Duration) -> Option<Duration> {
        self.wait.map(|wait| wait.min(limit))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Prefer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wait_is_found_among_other_preferences() {
        for (header, expected) in [
            ("wait=30", Some(30)),
            ("respond-async, Wait = \"5\"; foo=bar", Some(5)),
            ("wait=900", Some(60)),
            ("wait=0", None),
            ("wait", None),
            ("wait=soon", None),
            ("return=minimal", None),
        ] {
            let headers = HeaderMap::from_iter([("prefer".parse().unwrap(), header.parse().unwrap())]);
            let wait = Prefer::of(&headers).wait_at_most(Duration::from_secs(60));
            assert_eq!(wait.map(|wait| wait.as_secs()), expected, "{header}");
        }
    }
}
