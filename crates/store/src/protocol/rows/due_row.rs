//! Due row: what the relay reads of a due execution.

use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Integer, Text};
use gristmill_core::Job;

use crate::connection::parse::parse;
use crate::{Due, Error};

/// A due row but for its lateness, which each database measures in a unit of its own.
#[derive(QueryableByName)]
pub(crate) struct DueRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    organization_id: String,
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = Text)]
    lane: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Bool)]
    published: bool,
    #[diesel(sql_type = Integer)]
    losses: i32,
    #[diesel(sql_type = Bool)]
    expired: bool,
    #[diesel(sql_type = Bool)]
    paused: bool,
}

impl DueRow {
    pub(crate) fn into_due(self, late: Duration) -> Result<Due, Error> {
        Ok(Due {
            job: Job {
                execution_id: parse("execution id", &self.id)?,
                organization_id: parse("organization id", &self.organization_id)?,
                attempt: self.attempt,
            },
            lane: self.lane,
            status: parse("execution status", &self.status)?,
            published: self.published,
            losses: self.losses,
            expired: self.expired,
            paused: self.paused,
            late,
        })
    }
}
