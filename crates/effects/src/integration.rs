//! `integration`: calls an HTTP endpoint. `method` (GET), `url`, `query`, `headers` and one of `body` (JSON), `form` and
//! `text` may all hold `{{ … }}`; the output is `{status, headers, body}`. A status of 400 or above, or one that
//! `expectStatus` does not name, is a failure; 429, 5xx and broken connections are tried again, three times in all unless
//! the node's `retry` says otherwise.

mod body;
mod expected;
mod request;

pub(crate) use expected::Expected;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use gristmill_engine::{Call, Compiled, Effect, EffectOutput, Fields, Kind, NodeFailure, RetryPolicy, Scope};
use serde_json::Value;

use crate::http::{CallError, HttpClient};
use request::RequestTemplate;

/// Attempts where the node's `retry` does not say.
const ATTEMPTS: u32 = 3;

pub(crate) struct Integration {
    client: Arc<HttpClient>,
}

struct HttpCall {
    client: Arc<HttpClient>,
    request: RequestTemplate,
    expected: Expected,
}

impl Integration {
    /// The kind, with the client that all its nodes share.
    pub(crate) fn new(client: Arc<HttpClient>) -> Self {
        Self { client }
    }
}

impl Kind for Integration {
    fn name(&self) -> &'static str {
        "integration"
    }

    fn compile(&self, fields: &mut Fields<'_>) -> Option<Compiled> {
        let request = RequestTemplate::compile(fields);
        let expected = Expected::compile(fields);
        let call = HttpCall {
            client: Arc::clone(&self.client),
            request: request?,
            expected,
        };
        let retry = RetryPolicy::times(ATTEMPTS);
        Some(
            Compiled::effect(call)
                .with_retry(retry)
                .with_timeout(self.client.options().timeout),
        )
    }
}

impl Effect for HttpCall {
    fn start(
        &self,
        scope: &Scope,
        call: Call,
    ) -> Result<BoxFuture<'static, Result<EffectOutput, NodeFailure>>, NodeFailure> {
        let request = self.request.render(scope, &self.client, &call.idempotency_key)?;
        let (client, expected) = (Arc::clone(&self.client), self.expected.clone());
        Ok(Box::pin(async move {
            let output = client.call(request, &expected).await?;
            Ok(EffectOutput { output, usage: None })
        }))
    }
}

/// A value as text; none for null, which means "leave it out".
fn scalar_text(what: &str, name: &str, value: &Value) -> Result<Option<String>, CallError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Bool(_) | Value::Number(_) => Ok(Some(value.to_string())),
        Value::Array(_) | Value::Object(_) => Err(CallError::InvalidRequest(format!(
            "the {what} `{name}` is neither text nor a number"
        ))),
    }
}
