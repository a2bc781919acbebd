//! Prefer: the header `Prefer` (RFC 7240), of which `wait` and `return` are known here.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Type};

/// The header that answers it.
pub(crate) const PREFERENCE_APPLIED: &str = "preference-applied";

/// What the client would like. A preference that is not understood is ignored, as the RFC asks for.
pub(crate) struct Prefer {
    wait: Option<Duration>,
    shown: Return,
}

/// How much of an execution an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Return {
    /// All of it.
    Representation,
    /// Where it stands, without input, output and logs: whoever has them, or does not want them, saves the reading.
    Minimal,
}

impl Prefer {
    /// The preferences among `headers`.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let wait = value_of("wait", headers)
            .and_then(|seconds| seconds.parse().ok())
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs);
        let minimal = value_of("return", headers).is_some_and(|shown| shown.eq_ignore_ascii_case("minimal"));
        let shown = if minimal {
            Return::Minimal
        } else {
            Return::Representation
        };
        Self { wait, shown }
    }

    /// How much of it the client wants to see.
    pub(crate) fn shown(&self) -> Return {
        self.shown
    }

    /// How long to wait for the end of what was asked for: what the client wants, at most `limit`.
    pub(crate) fn wait_at_most(&self, limit: Duration) -> Option<Duration> {
        self.wait.map(|wait| wait.min(limit))
    }

    /// What of it was followed, for the header `Preference-Applied`: nothing means no header.
    pub(crate) fn applied(&self, limit: Duration) -> Option<HeaderValue> {
        let wait = self.wait_at_most(limit);
        let waited = wait.map(|wait| format!("wait={}", wait.as_secs()));
        let minimal = (self.shown == Return::Minimal).then(|| "return=minimal".to_owned());
        let applied: Vec<_> = [waited, minimal].into_iter().flatten().collect();
        // Words and digits: they are always a header's value.
        (!applied.is_empty()).then(|| HeaderValue::from_str(&applied.join(", ")).ok())?
    }
}

impl IntoParams for Prefer {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = ParameterBuilder::new()
            .name("Prefer")
            .parameter_in(ParameterIn::Header)
            .description(Some(
                "RFC 7240. `wait=30` holds the answer until the execution has ended, for at most so many seconds; \
                 `return=minimal` leaves out input, output and logs. What is not understood is ignored.",
            ))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .example(Some("wait=30".into()));
        vec![parameter.build()]
    }
}

/// What a preference is set to; the first one counts where there are several.
fn value_of<'a>(wanted: &str, headers: &'a HeaderMap) -> Option<&'a str> {
    let (_, value) = headers
        .get_all("prefer")
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|preference| preference.split(';').next()?.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
    Some(value.trim().trim_matches('"'))
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

    #[test]
    fn return_minimal_is_found_among_other_preferences() {
        for (header, expected) in [
            ("return=minimal", Return::Minimal),
            ("wait=30, Return=\"Minimal\"", Return::Minimal),
            ("return=minimal, return=representation", Return::Minimal),
            ("return=representation", Return::Representation),
            ("return=little", Return::Representation),
            ("wait=30", Return::Representation),
        ] {
            let headers = HeaderMap::from_iter([("prefer".parse().unwrap(), header.parse().unwrap())]);
            assert_eq!(Prefer::of(&headers).shown(), expected, "{header}");
        }
    }
}
