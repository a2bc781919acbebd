//! What is wrong with something that a user sent, and where.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

/// One thing wrong with a definition or a request body. Answers carry every one of them, never just the first.
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
        Self {
            path: path.to_string(),
            code,
            message: message.into(),
        }
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

    /// This path, then a key: `.key`, or `["odd key"]` where the key is no plain name.
    pub fn key(&self, key: &str) -> Self {
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
        let index = index.to_string();
        let mut path = String::with_capacity(self.0.len() + 2 + index.len());
        path.push_str(&self.0);
        path.push('[');
        path.push_str(&index);
        path.push(']');
        Self(path)
    }
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
}
