//! Claimed row: what a claim's statement returns.

use diesel::QueryableByName;
use diesel::sql_types::{Bool, Integer, Nullable, Text};

use crate::connection::parse::parse;
use crate::connection::sql_types::{Moment, Timestamp};
use crate::{Claimed, Error};

/// A row that was just claimed, so that `started_at` is there.
#[derive(QueryableByName)]
pub(crate) struct ClaimedRow {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    organization_id: String,
    #[diesel(sql_type = Text)]
    workflow_id: String,
    #[diesel(sql_type = Integer)]
    revision: i32,
    #[diesel(sql_type = Integer)]
    attempt: i32,
    #[diesel(sql_type = Text)]
    input: String,
    #[diesel(sql_type = Integer)]
    journal_len: i32,
    #[diesel(sql_type = Integer)]
    inbox: i32,
    #[diesel(sql_type = Moment)]
    created_at: Timestamp,
    #[diesel(sql_type = Moment)]
    started_at: Timestamp,
    #[diesel(sql_type = Moment)]
    now: Timestamp,
    #[diesel(sql_type = Nullable<Moment>)]
    deadline: Option<Timestamp>,
    #[diesel(sql_type = Bool)]
    is_child: bool,
}

impl ClaimedRow {
    pub(crate) fn into_claimed(self) -> Result<Claimed, Error> {
        Ok(Claimed {
            id: parse("execution id", &self.id)?,
            organization_id: parse("organization id", &self.organization_id)?,
            workflow_id: parse("workflow id", &self.workflow_id)?,
            revision: self.revision,
            attempt: self.attempt,
            input: self.input,
            journal_len: self.journal_len,
            inbox: self.inbox,
            created_at: self.created_at.into(),
            started_at: self.started_at.into(),
            now: self.now.into(),
            deadline: self.deadline.map(Into::into),
            is_child: self.is_child,
        })
    }
}
