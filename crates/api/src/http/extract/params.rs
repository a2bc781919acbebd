//! Params: the query's parameters, read one by one like the keys of a body: everything wrong with them is said at once,
//! and none is ignored.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use gristmill_core::{Problem, shortened};

use super::filters::time;
use crate::http::error::Error;

/// What stands behind the `?`.
pub(crate) struct Params {
    pairs: Vec<(String, String)>,
    /// The names that were asked for.
    known: Vec<&'static str>,
    problems: Vec<Problem>,
}

/// How many unknown parameters are told.
const TOLD: usize = 100;

/// The longest text, in characters.
const MAX_TEXT: usize = 200;

impl Params {
    /// What nobody has asked for.
    fn refuse_unknown(&mut self) {
        let known = &self.known;
        let unknown: Vec<_> = self
            .pairs
            .iter()
            .filter(|(name, _)| !known.contains(&name.as_str()))
            .take(TOLD)
            .map(|(name, _)| shortened(name).into_owned())
            .collect();
        let known = self.known.join(", ");
        for name in unknown {
            let message = format!("unknown parameter `{name}`; the parameters are {known}");
            self.add(&name, "unknown_parameter", message);
        }
    }

    fn add(&mut self, name: &str, code: &'static str, message: String) {
        self.problems
            .push(Problem::new(format!("query {name}"), code, message));
    }

    /// A parameter's value; there may be one.
    fn one(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let mut values = self.pairs.iter().filter(|(known, _)| known == name);
        let value = values.next()?.1.clone();
        if values.next().is_some() {
            self.add(name, "repeated", format!("`{name}` is given more than once"));
        }
        Some(value)
    }

    /// What a parameter's value is read as by `read`, whose error says what it should be.
    pub(crate) fn read<T>(
        &mut self,
        name: &'static str,
        code: &'static str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.one(name)?;
        match read(&value) {
            Ok(value) => Some(value),
            Err(message) => {
                self.add(name, code, message);
                None
            }
        }
    }

    /// A text that is not empty.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.read(name, "out_of_range", |value| {
            plain(value)
                .then(|| value.to_owned())
                .ok_or_else(|| format!("`{name}` has 1 to {MAX_TEXT} characters, and not U+0000"))
        })
    }

    /// Texts, the parameter repeated or separated by commas: `most` of them, or they are refused before any is looked at.
    pub(crate) fn texts(&mut self, name: &'static str, most: usize) -> Vec<String> {
        self.known.push(name);
        let values = self.pairs.iter().filter(|(known, _)| known == name);
        let texts = values.flat_map(|(_, value)| value.split(','));
        let count = texts.clone().count();
        if count > most {
            let message = format!("`{name}` has {count} values, and at most {most} are allowed");
            self.add(name, "out_of_range", message);
            return Vec::new();
        }
        let texts: Vec<_> = texts.map(str::to_owned).collect();
        if texts.iter().any(|text| !plain(text)) {
            let message = format!("each of `{name}` has 1 to {MAX_TEXT} characters, and not U+0000");
            self.add(name, "out_of_range", message);
        }
        texts
    }

    /// `true` or `false`.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.read(name, "wrong_type", |value| match value {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(format!("`{name}` is true or false")),
        })
    }

    /// A whole number within bounds.
    pub(crate) fn number(&mut self, name: &'static str, bounds: RangeInclusive<i64>) -> Option<i64> {
        self.read(name, "out_of_range", |value| {
            value
                .parse()
                .ok()
                .filter(|number| bounds.contains(number))
                .ok_or_else(|| {
                    let (from, to) = (bounds.start(), bounds.end());
                    format!("`{name}` is a whole number, {from} to {to}")
                })
        })
    }

    /// A time by RFC 3339.
    pub(crate) fn time(&mut self, name: &'static str) -> Option<DateTime<Utc>> {
        self.read(name, "wrong_type", |value| {
            time(value).ok_or_else(|| {
                format!("`{name}` is a time by RFC 3339, such as 2030-01-31T08:00:00Z, from 1970 to 9999, with + as \
                     %2B")
            })
        })
    }

    /// An id.
    pub(crate) fn id<T: FromStr<Err: fmt::Display>>(&mut self, name: &'static str) -> Option<T> {
        self.read(name, "invalid_id", |value| {
            value.parse().map_err(|error: T::Err| error.to_string())
        })
    }

    /// One of these words, and what it means.
    pub(crate) fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&str, T)]) -> Option<T> {
        self.read(name, "unknown_value", |value| {
            let found = choices.iter().find(|(word, _)| *word == value);
            found.map(|(_, meaning)| *meaning).ok_or_else(|| {
                let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
                format!("`{name}` is one of {}", words.join(", "))
            })
        })
    }

    /// The end of reading: what was not read by now is unknown.
    ///
    /// # Errors
    /// 422 with every problem.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.refuse_unknown();
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.problems))
        }
    }
}

/// PostgreSQL has no NUL in a text.
fn plain(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_TEXT && !text.contains('\0')
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let query = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(pairs) = query.map_err(|rejection| Error::MalformedQuery(rejection.body_text()))?;
        Ok(Self {
            pairs,
            known: Vec::new(),
            problems: Vec::new(),
        })
    }
}
