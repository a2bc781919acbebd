//! Fields: the fields of a request's body, read one by one.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use gristmill_core::{Path, Problem};
use gristmill_dispatch::Object;
use serde_json::Value;

use super::unknown_keys::UnknownKeys;
use crate::http::extract::Document;

/// The shortest and the longest tag, in characters.
const TAG: (usize, usize) = (1, 50);

/// How many tags there may be.
const MAX_TAGS: usize = 20;

/// Reads a body's keys one by one, and collects what is wrong with them.
pub(crate) struct Fields<'a> {
    document: &'a Document,
    stored: Option<&'a Document>,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(document: &'a Document) -> Self {
        Self {
            document,
            stored: None,
            problems: Vec::new(),
        }
    }

    /// The fields of what is to become of `stored`: a name that an earlier version has taken is no reason to refuse a change
    /// of something else.
    pub(crate) fn over(document: &'a Document, stored: Option<&'a Document>) -> Self {
        Self {
            stored,
            ..Self::of(document)
        }
    }

    fn is_stored(&self, key: &str) -> bool {
        let stored = self.stored.and_then(|stored| stored.values.get(key));
        stored.is_some() && stored == self.document.values.get(key)
    }

    pub(crate) fn refuse_unknown(&mut self, known: &[&str]) {
        let mut unknown = UnknownKeys::default();
        let keys = self.document.values.keys();
        keys.filter(|key| !known.contains(&key.as_str()))
            .for_each(|key| unknown.add(key));
        self.problems.extend(unknown.problems(&Path::root(), known));
    }

    /// A key's value; null is as good as absent.
    pub(crate) fn value(&self, key: &str) -> Option<&'a Value> {
        self.document.values.get(key).filter(|value| !value.is_null())
    }

    pub(crate) fn add(&mut self, key: &str, code: &'static str, message: String) {
        self.problems
            .push(Problem::new(Path::root().key(key), code, message));
    }

    /// A string of so many characters, within a line.
    pub(crate) fn text(&mut self, key: &str, length: (usize, usize)) -> Option<String> {
        self.checked_text(key, length, control_character)
    }

    /// A string of so many characters, of several lines.
    pub(crate) fn lines(&mut self, key: &str, length: (usize, usize)) -> Option<String> {
        self.checked_text(key, length, control_character_in_lines)
    }

    fn checked_text(
        &mut self,
        key: &str,
        length: (usize, usize),
        refused: impl Fn(&str) -> Option<char>,
    ) -> Option<String> {
        match self.value(key)? {
            Value::String(text) => {
                let path = Path::root().key(key);
                let refused = refused(text).filter(|_| !self.is_stored(key));
                self.problems.extend(length_problem(&path, text, length));
                self.problems
                    .extend(refused.map(|character| character_problem(&path, character)));
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

    /// `tags`, as a JSON array; none is an empty one. Lists take several tags, separated by commas: so a tag has none.
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
                Value::String(text) => {
                    let refused = control_character(text).or(text.contains(',').then_some(','));
                    let refused = refused.filter(|_| !self.is_stored("tags"));
                    self.problems.extend(length_problem(&path, text, TAG));
                    self.problems
                        .extend(refused.map(|character| character_problem(&path, character)));
                }
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

impl<'a> Fields<'a> {
    /// `tags`, as a JSON array; `None` when there are none.
    pub(crate) fn some_tags(&mut self) -> Option<String> {
        let text = self.tags();
        (text != "[]").then_some(text)
    }

    /// `metadata`, when there is any.
    pub(crate) fn metadata(&mut self) -> Option<Object<'a>> {
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
            values: Cow::Borrowed(values),
            text: text.into(),
        })
    }
}

fn length_problem(path: &Path, text: &str, (min, max): (usize, usize)) -> Option<Problem> {
    let length = text.chars().count();
    (length < min || length > max).then(|| {
        let message = format!("expected {min} to {max} characters, found {length}");
        Problem::new(path, "out_of_range", message)
    })
}

fn character_problem(path: &Path, character: char) -> Problem {
    let message = match character {
        ',' => "a comma is not allowed here".to_owned(),
        _ => format!("the character U+{:04X} is not allowed here", u32::from(character)),
    };
    Problem::new(path, "invalid_character", message)
}

/// The first control character, which a terminal that shows the text would obey. PostgreSQL has no NUL in a text at all;
/// inside JSON documents it stays an escape and does no harm.
pub(crate) fn control_character(text: &str) -> Option<char> {
    text.chars().find(|character| character.is_control())
}

/// The same, where line breaks and tabs are welcome.
fn control_character_in_lines(text: &str) -> Option<char> {
    let plain = |character: &char| !matches!(character, '\n' | '\t') && character.is_control();
    text.replace("\r\n", "\n").chars().find(plain)
}
