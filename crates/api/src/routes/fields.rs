//! The keys of a request's body.

use std::fmt;
use std::str::FromStr;

use gristmill_core::{Path, Problem};
use serde_json::{Map, Value};

use super::unknown_keys::UnknownKeys;
use crate::extract::Document;

/// The shortest and the longest tag, in characters.
const TAG: (usize, usize) = (1, 50);

/// How many tags there may be.
const MAX_TAGS: usize = 20;

/// A JSON object: what it means, and the text that it was sent as.
pub(crate) struct Object {
    pub(crate) values: Map<String, Value>,
    pub(crate) text: String,
}

/// Reads a body's keys one by one, and collects what is wrong with them.
pub(crate) struct Fields<'a> {
    document: &'a Document,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(document: &'a Document) -> Self {
        Self {
            document,
            problems: Vec::new(),
        }
    }

    pub(crate) fn refuse_unknown(&mut self, known: &[&str]) {
        let mut unknown = UnknownKeys::default();
        let keys = self.document.values.keys();
        keys.filter(|key| !known.contains(&key.as_str()))
            .for_each(|key| unknown.add(key));
        self.problems.extend(unknown.problems(known));
    }

    /// A key's value; null is as good as absent.
    pub(crate) fn value(&self, key: &str) -> Option<&'a Value> {
        self.document.values.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn add(&mut self, key: &str, code: &'static str, message: String) {
        self.problems
            .push(Problem::new(Path::root().key(key), code, message));
    }

    /// A string of so many characters.
    pub(crate) fn text(&mut self, key: &str, length: (usize, usize)) -> Option<String> {
        match self.value(key)? {
            Value::String(text) => {
                self.problems
                    .extend(text_problem(&Path::root().key(key), text, length));
                Some(text.clone())
            }
            _ => {
                self.add(key, "wrong_type", format!("`{key}` is a string"));
                None
            }
        }
    }

    /// An id.
    pub(crate) fn id<T: FromStr<Err: fmt::Display>>(&mut self, key: &str) -> Option<T> {
        match self.value(key)? {
            Value::String(text) => match text.parse() {
                Ok(id) => Some(id),
                Err(error) => {
                    self.add(key, "invalid_id", error.to_string());
                    None
                }
            },
            _ => {
                self.add(key, "wrong_type", format!("`{key}` is a string"));
                None
            }
        }
    }

    /// True or false.
    pub(crate) fn flag(&mut self, key: &str, otherwise: bool) -> bool {
        match self.value(key) {
            None => otherwise,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.add(key, "wrong_type", format!("`{key}` is true or false"));
                otherwise
            }
        }
    }

    /// `tags`, as a JSON array; none is an empty one.
    pub(crate) fn tags(&mut self) -> String {
        let path = Path::root().key("tags");
        let tags = match self.value("tags") {
            None => return "[]".to_owned(),
            Some(Value::Array(tags)) => tags,
            Some(_) => {
                self.add("tags", "wrong_type", "`tags` is an array of strings".to_owned());
                return String::new();
            }
        };
        if tags.len() > MAX_TAGS {
            self.add(
                "tags",
                "out_of_range",
                format!(
                    "there are {} tags, and at most {MAX_TAGS} are allowed",
                    tags.len()
                ),
            );
            // Of any number of them, no more is said.
            return String::new();
        }
        for (index, tag) in tags.iter().enumerate() {
            let path = path.index(index);
            match tag {
                Value::String(text) => self.problems.extend(text_problem(&path, text, TAG)),
                _ => self
                    .problems
                    .push(Problem::new(path, "wrong_type", "a tag is a string")),
            }
        }
        Value::Array(tags.clone()).to_string()
    }
}

/// The largest `metadata`, in bytes of JSON.
const MAX_METADATA: usize = 16 * 1024;

impl Fields<'_> {
    /// `tags`, as a JSON array; `None` when there are none.
    ///
    /// Lists take several tags, separated by commas: so a tag of an execution has none.
    pub(crate) fn some_tags(&mut self) -> Option<String> {
        let text = self.tags();
        // More of them have been refused by their number.
        if let Some(Value::Array(tags)) = self.value("tags").filter(|_| !text.is_empty()) {
            let with_comma = |tag: &Value| tag.as_str().is_some_and(|text| text.contains(','));
            for index in (0..tags.len()).filter(|index| with_comma(&tags[*index])) {
                let path = Path::root().key("tags").index(index);
                let message = "a comma is not allowed here";
                self.problems
                    .push(Problem::new(path, "invalid_character", message));
            }
        }
        (text != "[]").then_some(text)
    }

    /// `metadata`, when there is any.
    pub(crate) fn metadata(&mut self) -> Option<Object> {
        let Value::Object(values) = self.value("metadata")? else {
            self.add("metadata", "wrong_type", "`metadata` is an object".to_owned());
            return None;
        };
        let text = self.document.text("metadata", "{}");
        if text.len() > MAX_METADATA {
            let message = format!(
                "`metadata` has {} bytes, and at most {MAX_METADATA} are allowed",
                text.len()
            );
            self.add("metadata", "too_large", message);
        }
        Some(Object {
            values: values.clone(),
            text: text.to_owned(),
        })
    }
}

fn text_problem(path: &Path, text: &str, (min, max): (usize, usize)) -> Option<Problem> {
    let length = text.chars().count();
    if length < min || length > max {
        let message = format!("expected {min} to {max} characters, found {length}");
        return Some(Problem::new(path, "out_of_range", message));
    }
    // PostgreSQL has no NUL in a text. Inside JSON documents it stays an escape and does no harm.
    let nul = text.contains('\0');
    nul.then(|| {
        Problem::new(
            path,
            "invalid_character",
            "the character U+0000 is not allowed here",
        )
    })
}
