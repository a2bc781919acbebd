//! A request's body: `body` (any JSON), `form` (fields, urlencoded) or `text`.

use gristmill_engine::{Fields, NodeFailure, Scope, Template, Text};
use reqwest::header::HeaderValue;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::scalar_text;
use crate::http::CallError;

pub(super) enum Body {
    Json(Template),
    Form(Vec<(String, Template)>),
    Text(Text),
}

impl Body {
    /// Reads the one of the keys that is there; `None` when there is none, or it cannot be used.
    pub(super) fn compile(fields: &mut Fields<'_>) -> Option<Self> {
        let given: Vec<_> = ["body", "form", "text"]
            .into_iter()
            .filter(|key| fields.has(key))
            .collect();
        if let [first, second, ..] = given.as_slice() {
            let message = format!("give one of `body`, `form` and `text`; `{first}` is there as well");
            fields.problem(second, "contradiction", message);
            return None;
        }
        match given.first().copied()? {
            "body" => fields.template("body").map(Self::Json),
            "form" => fields.templates("form").map(Self::Form),
            _ => fields.text("text").map(Self::Text),
        }
    }

    pub(super) fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json(_) => "application/json",
            Self::Form(_) => "application/x-www-form-urlencoded",
            Self::Text(_) => "text/plain; charset=utf-8",
        })
    }

    /// The body's bytes, at most `limit` of them.
    pub(super) fn render(&self, scope: &Scope, limit: usize) -> Result<Vec<u8>, NodeFailure> {
        let text = match self {
            Self::Json(template) => template.render(scope)?.to_string(),
            Self::Form(list) => form(list, scope)?,
            Self::Text(text) => text.render(scope)?,
        };
        if text.len() > limit {
            let size = text.len();
            return Err(CallError::RequestTooLarge { size, limit }.into());
        }
        Ok(text.into_bytes())
    }
}

/// An array repeats its field; null leaves it out.
fn form(list: &[(String, Template)], scope: &Scope) -> Result<String, NodeFailure> {
    let mut form = Serializer::new(String::new());
    for (name, template) in list {
        let values = match template.render(scope)? {
            Value::Array(values) => values,
            value => vec![value],
        };
        for value in values {
            if let Some(text) = scalar_text("form field", name, &value)? {
                form.append_pair(name, &text);
            }
        }
    }
    Ok(form.finish())
}
