//! Filters: what a list is narrowed to, from the query's parameters, one by one.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use chrono::{DateTime, Datelike, Utc};
use gristmill_core::{Problem, shortened};

use crate::http::error::Error;

/// The parameters of a query, and what is wrong with them. A parameter that nobody takes is refused, and so is one that
/// stands there twice: ignoring it would answer another question than the one that was asked.
pub(crate) struct Filters {
    left: Vec<(String, String)>,
    known: Vec<&'static str>,
    problems: Vec<Problem>,
}

/// How many a page holds unless asked otherwise, and at most.
const LIMITS: (i64, i64) = (50, 100);

/// How many parameters that nobody takes are told.
const TOLD: usize = 100;

/// The years that both databases can keep.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9999;

impl Filters {
    /// The value of a parameter; `None` when it is absent, or wrong, which [`Filters::finish`] tells. `expected` reads
    /// like "an API key's id".
    pub(crate) fn take<T: FromStr>(&mut self, name: &'static str, expected: &str) -> Option<T> {
        self.take_with(name, expected, |text| text.parse().ok())
    }

    /// The same, for a moment.
    pub(crate) fn take_time(&mut self, name: &'static str) -> Option<DateTime<Utc>> {
        self.take_with(name, "a time such as 2030-01-31T12:00:00Z", time)
    }

    /// The same, with a reader of its own.
    pub(crate) fn take_with<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        self.known.push(name);
        let place = self.left.iter().position(|(key, _)| key == name)?;
        let (_, text) = self.left.swap_remove(place);
        if self.left.iter().any(|(key, _)| key == name) {
            self.left.retain(|(key, _)| key != name);
            self.refuse(name, "repeated_parameter", format!("there must be one `{name}`"));
            return None;
        }
        let value = read(&text);
        if value.is_none() {
            self.refuse(name, "invalid_parameter", format!("`{name}` is {expected}"));
        }
        value
    }

    /// The values of a parameter that may stand there several times, or have several values with commas between them: `most`
    /// of them, or they are refused before any is looked at.
    pub(crate) fn take_all<T>(
        &mut self,
        name: &'static str,
        expected: &str,
        most: usize,
        read: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        self.known.push(name);
        let (mine, left) = std::mem::take(&mut self.left)
            .into_iter()
            .partition(|(key, _)| key == name);
        self.left = left;
        let mine: Vec<(String, String)> = mine;
        let texts = || mine.iter().flat_map(|(_, text)| text.split(','));
        let count = texts().count();
        if count > most {
            let message = format!("`{name}` has {count} values, and at most {most} are allowed");
            self.refuse(name, "out_of_range", message);
            return Vec::new();
        }
        let values: Option<Vec<T>> = texts().map(read).collect();
        values.unwrap_or_else(|| {
            self.refuse(name, "invalid_parameter", format!("`{name}` is {expected}"));
            Vec::new()
        })
    }

    /// `limit`: how many are wanted.
    pub(crate) fn limit(&mut self) -> i64 {
        let (usual, most) = LIMITS;
        let limit = self.take_with("limit", &format!("1 to {most}"), |text| {
            text.parse().ok().filter(|limit| (1..=most).contains(limit))
        });
        limit.unwrap_or(usual)
    }

    /// Makes sure that nothing was wrong and nothing is left over.
    ///
    /// # Errors
    /// [`Error::Invalid`], which names each parameter.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        for (name, _) in std::mem::take(&mut self.left).into_iter().take(TOLD) {
            let name = shortened(&name).into_owned();
            let message = format!("unknown parameter `{name}`; one of {}", self.known.join(", "));
            self.refuse(&name, "unknown_parameter", message);
        }
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(Error::Invalid(self.problems))
        }
    }

    /// Notes what is wrong with a parameter that was taken.
    pub(crate) fn refuse(&mut self, name: &str, code: &'static str, message: String) {
        self.problems
            .push(Problem::new(format_args!("query {name}"), code, message));
    }
}

/// Reads a moment that both databases can keep.
pub(crate) fn time(text: &str) -> Option<DateTime<Utc>> {
    let time: DateTime<Utc> = DateTime::parse_from_rfc3339(text).ok()?.into();
    YEARS.contains(&time.year()).then_some(time)
}

impl<S: Send + Sync> FromRequestParts<S> for Filters {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let query = Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let Query(left) = query.map_err(|rejection| Error::MalformedQuery(rejection.body_text()))?;
        Ok(Self {
            left,
            known: Vec::new(),
            problems: Vec::new(),
        })
    }
}
