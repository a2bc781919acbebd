//! The cursor of a stream of events: how much a client has been told, which events carry as their id and `Last-Event-ID`
//! brings back.

use std::fmt;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use gristmill_core::{ExecutionStatus, Problem};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Type};

use crate::http::error::Error;

/// `7`, or `7-RUNNING-2`: seven journal entries, and RUNNING as of the second claim.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// How many journal entries.
    pub(super) entries: i32,
    /// The last status that was told, and how many claims there had been.
    pub(super) told: Option<(ExecutionStatus, i32)>,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.told {
            None => write!(f, "{}", self.entries),
            Some((status, attempt)) => write!(f, "{}-{status}-{attempt}", self.entries),
        }
    }
}

impl FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |text: &str| text.parse().ok().filter(|number: &i32| *number >= 0).ok_or(());
        let (entries, told) = match text.split_once('-') {
            None => (text, None),
            Some((entries, told)) => {
                let (status, attempt) = told.split_once('-').ok_or(())?;
                (entries, Some((status.parse().map_err(drop)?, number(attempt)?)))
            }
        };
        Ok(Self {
            entries: number(entries)?,
            told,
        })
    }
}

/// The header of this name; absent or empty is the beginning.
pub(crate) struct LastEventId(pub(super) Cursor);

impl IntoParams for LastEventId {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let parameter = ParameterBuilder::new()
            .name("Last-Event-ID")
            .parameter_in(ParameterIn::Header)
            .description(Some(
                "The id of the last event that was seen: the stream goes on behind it. Absent = from the beginning.",
            ))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .example(Some("7-RUNNING-2".into()));
        vec![parameter.build()]
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LastEventId {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let Some(value) = parts
            .headers
            .get("last-event-id")
            .filter(|value| !value.is_empty())
        else {
            return Ok(Self(Cursor::default()));
        };
        let cursor = value.to_str().ok().and_then(|text| text.parse().ok());
        cursor.map(Self).ok_or_else(|| {
            Error::Invalid(vec![Problem::new(
                "header Last-Event-ID",
                "invalid_parameter",
                "`Last-Event-ID` is the id of an event of this execution's",
            )])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_written_and_nothing_else_is_one() {
        for text in ["0", "7", "7-RUNNING-2", "12-COMPLETED-1"] {
            assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "-1",
            "7-",
            "7-RUNNING",
            "7-RUNNING-",
            "7-GONE-1",
            "7-RUNNING--1",
            "99999999999",
        ] {
            assert!(text.parse::<Cursor>().is_err(), "{text}");
        }
    }
}
