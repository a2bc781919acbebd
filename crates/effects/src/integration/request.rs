//! Request: a node's configuration as a template for requests.

use gristmill_engine::{Fields, NodeFailure, Scope, Template, Text};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use serde_json::Value;
use url::Url;

use super::body::Body;
use super::scalar_text;
use crate::http::{CallError, HttpClient};

const METHODS: [Method; 7] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::HEAD,
    Method::OPTIONS,
];

/// Headers that say how the message is framed or routed. Setting them by hand could smuggle a second request.
const FRAMING_HEADERS: [&str; 9] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(super) struct RequestTemplate {
    /// GET when absent.
    method: Option<Text>,
    url: Text,
    query: Vec<(String, Template)>,
    headers: Vec<(HeaderName, Template)>,
    body: Option<Body>,
}

impl RequestTemplate {
    /// Reads `method`, `url`, `query`, `headers` and the body. What holds no expression is checked here, so that it fails
    /// when the workflow is saved and not when it runs.
    pub(super) fn compile(fields: &mut Fields<'_>) -> Option<Self> {
        let method = fields.text("method");
        if let Some(Err(error)) = method
            .as_ref()
            .and_then(Text::fixed)
            .map(|text| parse_method(&text))
        {
            fields.problem("method", "unknown_value", error.to_string());
        }
        let url = fields.required_text("url");
        if let Some(Err(error)) = url.as_ref().and_then(Text::fixed).map(|text| parse_url(&text)) {
            fields.problem("url", "invalid_url", error.to_string());
        }
        let query = fields.templates("query").unwrap_or_default();
        let headers = compile_headers(fields);
        let body = Body::compile(fields);
        Some(Self {
            method,
            url: url?,
            query,
            headers,
            body,
        })
    }

    /// The request in `scope`.
    pub(super) fn render(
        &self,
        scope: &Scope,
        client: &HttpClient,
        idempotency_key: &str,
    ) -> Result<Request, NodeFailure> {
        let method = match &self.method {
            None => Method::GET,
            Some(text) => parse_method(&text.render(scope)?)?,
        };
        let mut url = parse_url(&self.url.render(scope)?)?;
        self.add_query(scope, &mut url)?;
        let mut headers = HeaderMap::new();
        headers.insert(IDEMPOTENCY_KEY, header_value(&IDEMPOTENCY_KEY, idempotency_key)?);
        let limit = client.options().max_request_bytes;
        let body = self
            .body
            .as_ref()
            .map(|body| body.render(scope, limit))
            .transpose()?;
        if let Some(body) = &self.body {
            headers.insert(CONTENT_TYPE, body.content_type());
        }
        for (name, template) in &self.headers {
            if let Some(text) = scalar_text("header", name.as_str(), &template.render(scope)?)? {
                headers.insert(name, header_value(name, &text)?);
            }
        }
        let mut request = client.request(method, url).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let invalid = |error: reqwest::Error| CallError::InvalidRequest(error.without_url().to_string());
        Ok(request.build().map_err(invalid)?)
    }

    /// An array repeats its name; null leaves it out.
    fn add_query(&self, scope: &Scope, url: &mut Url) -> Result<(), NodeFailure> {
        for (name, template) in &self.query {
            let values = match template.render(scope)? {
                Value::Array(values) => values,
                value => vec![value],
            };
            for value in values {
                if let Some(text) = scalar_text("query parameter", name, &value)? {
                    url.query_pairs_mut().append_pair(name, &text);
                }
            }
        }
        Ok(())
    }
}

fn compile_headers(fields: &mut Fields<'_>) -> Vec<(HeaderName, Template)> {
    let mut headers = Vec::new();
    for (name, template) in fields.templates("headers").unwrap_or_default() {
        match HeaderName::from_bytes(name.as_bytes()) {
            Ok(header) if FRAMING_HEADERS.contains(&header.as_str()) => {
                let message = format!("the header `{name}` is set by the client itself");
                fields.problem("headers", "reserved_header", message);
            }
            Ok(header) => headers.push((header, template)),
            Err(_) => {
                let message = format!("`{name}` is not a header name");
                fields.problem("headers", "invalid_header", message);
            }
        }
    }
    headers
}

fn parse_method(text: &str) -> Result<Method, CallError> {
    let upper = text.trim().to_ascii_uppercase();
    METHODS
        .into_iter()
        .find(|method| method.as_str() == upper)
        .ok_or_else(|| {
            let names = METHODS.each_ref().map(Method::as_str).join(", ");
            CallError::InvalidRequest(format!("the method is not one of {names}"))
        })
}

fn parse_url(text: &str) -> Result<Url, CallError> {
    let invalid = |why: String| CallError::InvalidUrl { what: "`url`", why };
    let url = Url::parse(text.trim()).map_err(|error| invalid(error.to_string()))?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(invalid("only http and https are".into()))
    }
}

fn header_value(name: &HeaderName, text: &str) -> Result<HeaderValue, CallError> {
    HeaderValue::from_str(text).map_err(|_| {
        CallError::InvalidRequest(format!(
            "the header `{name}` holds a character that no header may hold"
        ))
    })
}
