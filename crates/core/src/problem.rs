//! Problem: what is wrong with something that a user sent, and where.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::shortened;

/// The most problems that are told of one document. What somebody sent is never answered with much more than it was.
pub const MAX_PROBLEMS: usize = 100;

/// The longest message, in bytes: twenty names of two hundred bytes fit in.
const MAX_MESSAGE: usize = 5_000;

/// The longest path, in bytes, and what is shown of one key: paths are kept for each expression, and keys may be as long as
/// the document.
const MAX_PATH: usize = 1_000;
const MAX_KEY: usize = 100;

/// Stands for what was left out.
const ELLIPSIS: char = '…';

/// One thing wrong with a definition or a request body. Answers carry the first [`MAX_PROBLEMS`] of them, never just one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Where, as a JSON path from the body's root: `$.nodes[3].data.url`.
    pub path: String,
    /// What kind of problem, stable for programs: `unknown_kind`, `cycle`, `wrong_type`, ….
    pub code: &'static str,
    /// What is wrong and what would be right, for people.
    pub message: String,
}

impl Problem {
    /// A problem at `path`.
    pub fn new(path: impl fmt::Display, code: &'static str, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if let Some(end) = end_of_shown(&message, MAX_MESSAGE) {
            message.truncate(end);
            message.push(ELLIPSIS);
        }
        Self {
            path: path.to_string(),
            code,
            message,
        }
    }

    /// Whether it is about a word that this version does not know, and that a newer one may: a node kind, a key, a value, a
    /// handle. Who has not saved the definition himself cannot tell what is wrong from what is new.
    pub fn is_unknown_word(&self) -> bool {
        matches!(
            self.code,
            "unknown_kind" | "unknown_key" | "unknown_value" | "unknown_handle"
        )
    }

    /// `problems` as they are told: the first [`MAX_PROBLEMS`], and one that says how many more there are.
    pub fn told(mut problems: Vec<Self>) -> Vec<Self> {
        let more = problems.len().saturating_sub(MAX_PROBLEMS);
        if more > 0 {
            problems.truncate(MAX_PROBLEMS);
            let message = format!("there are {more} more problems; these are the first {MAX_PROBLEMS}");
            problems.push(Self::new(Path::root(), "more_problems", message));
            problems.shrink_to_fit();
        }
        problems
    }

    /// The same problem in a few words: those of a schema repeat what they are about, which may be all that was sent.
    #[must_use]
    pub fn shortened(mut self) -> Self {
        for text in [&mut self.path, &mut self.message] {
            if let Cow::Owned(short) = shortened(text) {
                *text = short;
            }
        }
        self
    }

    /// A value of the wrong type at `path`; `expected` reads like "a string".
    pub fn wrong_type(path: &Path, expected: &str, found: &Value) -> Self {
        let found = match found {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        Self::new(path, "wrong_type", format!("expected {expected}, found {found}"))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// A JSON path under construction: `Path::root().key("nodes").index(3)` is `$.nodes[3]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(String);

impl Path {
    /// `$`, the whole document.
    pub fn root() -> Self {
        Self("$".to_owned())
    }

    /// This path, then a key: `.key`, or `["odd key"]` where the key is no plain name. What is too long to be shown is cut.
    pub fn key(&self, key: &str) -> Self {
        if self.is_full() {
            return self.cut();
        }
        if let Some(end) = end_of_shown(key, MAX_KEY) {
            return Self(format!("{}[{:?}]", self.0, format!("{}{ELLIPSIS}", &key[..end])));
        }
        let plain = !key.is_empty()
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !key.as_bytes()[0].is_ascii_digit();
        if !plain {
            return Self(format!("{}[{key:?}]", self.0));
        }
        // There are several for each node of a definition: one allocation, and nothing that formats.
        let mut path = String::with_capacity(self.0.len() + 1 + key.len());
        path.push_str(&self.0);
        path.push('.');
        path.push_str(key);
        Self(path)
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This path, then a place in an array.
    pub fn index(&self, index: usize) -> Self {
        if self.is_full() {
            return self.cut();
        }
        let index = index.to_string();
        let mut path = String::with_capacity(self.0.len() + 2 + index.len());
        path.push_str(&self.0);
        path.push('[');
        path.push_str(&index);
        path.push(']');
        Self(path)
    }

    fn is_full(&self) -> bool {
        self.0.len() > MAX_PATH
    }

    /// The same path, which says that it goes on.
    fn cut(&self) -> Self {
        let mut path = self.0.clone();
        if !path.ends_with(ELLIPSIS) {
            path.push(ELLIPSIS);
        }
        Self(path)
    }
}

/// Where what is shown of `text` ends, when it is longer than `most` bytes.
fn end_of_shown(text: &str, most: usize) -> Option<usize> {
    (text.len() > most).then(|| text.floor_char_boundary(most))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_like_the_document() {
        let path = Path::root().key("nodes").index(3).key("data").key("content-type");
        assert_eq!(path.to_string(), r#"$.nodes[3].data["content-type"]"#);
    }

    #[test]
    fn what_is_told_is_bounded_whatever_was_sent() {
        let long = "é".repeat(500_000);
        let path = (0..100).fold(Path::root(), |path, n| path.key(&long).index(n).key("a"));
        assert!(path.as_str().len() < 1_400, "{path}");
        assert!(path.as_str().ends_with('…'), "{path}");
        let problem = Problem::new(&path, "odd", long);
        assert!(problem.message.len() < 5_010);
        let told = Problem::told(vec![problem.clone(); 100]);
        assert_eq!(told.len(), 100);
        let told = Problem::told(vec![problem; 100_000]);
        assert_eq!(told.len(), 101);
        assert_eq!(
            (told[100].code, told[100].message.as_str()),
            (
                "more_problems",
                "there are 99900 more problems; these are the first 100"
            )
        );
    }
}
