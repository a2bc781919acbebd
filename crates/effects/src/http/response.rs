//! A response as a node's output: `{status, headers, body}`.

use chrono::Utc;
use gristmill_core::journal::{RESERVED_KEY, check_members};
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::{Map, Value};

use crate::http::CallError;
use crate::http::call_error::host;
use crate::http::retry_after::retry_after;
use crate::integration::Expected;

/// How much of an error response's body is kept, in bytes.
const ERROR_BODY_BYTES: usize = 1024;

/// Reads `response` to its end.
pub(crate) async fn read(
    response: Response,
    expected: &Expected,
    max_bytes: usize,
) -> Result<Map<String, Value>, CallError> {
    let status = response.status().as_u16();
    if !expected.allows(status) {
        return Err(read_failure(response).await);
    }
    let headers = response.headers().clone();
    let body = read_body(response, max_bytes).await?;
    let mut output = Map::new();
    output.insert("status".to_owned(), status.into());
    output.insert("headers".to_owned(), headers_to_json(&headers));
    output.insert("body".to_owned(), body_to_json(&headers, &body));
    Ok(output)
}

async fn read_failure(mut response: Response) -> CallError {
    let mut body = Vec::new();
    // The status says enough: a body that breaks off must not hide it.
    while body.len() < ERROR_BODY_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    body.truncate(ERROR_BODY_BYTES);
    CallError::Status {
        host: host(response.url()),
        status: response.status().as_u16(),
        body: String::from_utf8_lossy(&body).into_owned(),
        retry_after: retry_after(response.headers(), Utc::now()),
    }
}

async fn read_body(mut response: Response, limit: usize) -> Result<Vec<u8>, CallError> {
    let too_large = || CallError::ResponseTooLarge { limit };
    if response
        .content_length()
        .is_some_and(|length| length > limit as u64)
    {
        return Err(too_large());
    }
    let url = response.url().clone();
    let mut body = Vec::new();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| CallError::from_reqwest(error, &url))?
    {
        if body.len() + chunk.len() > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Names in lower case; the values of a repeated header joined by commas.
fn headers_to_json(headers: &HeaderMap) -> Value {
    let mut object = Map::new();
    for name in headers.keys() {
        let values = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()));
        let joined = values.collect::<Vec<_>>().join(", ");
        object.insert(name.as_str().to_owned(), joined.into());
    }
    Value::Object(object)
}

/// Null for no body, JSON when it says so and is, text otherwise, and when the journal could not hold it as JSON.
fn body_to_json(headers: &HeaderMap, body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    if is_json(headers)
        && let Some(value) = read_json(body)
    {
        return value;
    }
    String::from_utf8_lossy(body).into_owned().into()
}

fn read_json(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    // Looked for before it is read: as an object's first key it is gone afterwards.
    if text.contains(RESERVED_KEY) {
        return None;
    }
    let value = serde_json::from_str(text).ok()?;
    check_members([("body", &value)]).is_ok().then_some(value)
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(value)) = headers.get(CONTENT_TYPE).map(|value| value.to_str()) else {
        return false;
    };
    let essence = value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence == "application/json" || essence == "text/json" || essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(content_type: &str, body: &str) -> Value {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
        body_to_json(&headers, body.as_bytes())
    }

    #[test]
    fn a_body_is_json_when_it_says_so_and_is() {
        assert_eq!(body("application/json; charset=utf-8", "[1]"), json!([1]));
        assert_eq!(body("Application/Problem+JSON", "{}"), json!({}));
        assert_eq!(body("application/json", "{oops"), json!("{oops"));
        assert_eq!(body("text/plain", "[1]"), json!("[1]"));
        assert_eq!(body("application/json", ""), Value::Null);
    }

    #[test]
    fn a_body_that_the_journal_could_not_hold_is_text() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(body("application/json", &nested(99)).is_array());
        for text in [
            nested(100),
            nested(126),
            format!(r#"{{"a": {{"{RESERVED_KEY}": "[1]"}}}}"#),
        ] {
            assert_eq!(body("application/json", &text), json!(text));
        }
    }

    #[test]
    fn a_repeated_header_is_joined() {
        let mut headers = HeaderMap::new();
        headers.append("X-Tag", "a".parse().unwrap());
        headers.append("x-tag", "b".parse().unwrap());
        assert_eq!(headers_to_json(&headers), json!({"x-tag": "a, b"}));
    }
}
