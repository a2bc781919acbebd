//! Content: what an execution is asked for with.

use std::borrow::Cow;
use std::sync::Arc;

use gristmill_store::Start;
use serde_json::{Map, Value};

/// A JSON object: what it means, and the text that is kept of it.
#[derive(Debug, Clone)]
pub struct Object<'a> {
    /// Its keys; borrowed where somebody has them anyway.
    pub values: Cow<'a, Map<String, Value>>,
    /// As it was sent. Whoever hands it on shares it.
    pub text: Arc<str>,
}

impl Object<'_> {
    /// Reads a text.
    ///
    /// # Errors
    /// When it is no JSON object.
    pub fn parse(text: impl Into<Arc<str>>) -> Result<Self, serde_json::Error> {
        let text = text.into();
        Ok(Self {
            values: Cow::Owned(serde_json::from_str(&text)?),
            text,
        })
    }
}

/// `{}`
impl Default for Object<'_> {
    fn default() -> Self {
        Self {
            values: Cow::default(),
            text: "{}".into(),
        }
    }
}

/// What must be the same in two requests for them to have the same content.
#[derive(Debug, Clone, Default)]
pub struct Content<'a> {
    /// The input.
    pub input: Object<'a>,
    /// When the execution may begin.
    pub start: Start,
    /// The producer's tags, as a JSON array.
    pub tags: Option<Arc<str>>,
    /// The producer's own object.
    pub metadata: Option<Object<'a>>,
}
