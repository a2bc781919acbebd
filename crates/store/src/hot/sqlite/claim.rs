//! PENDING → RUNNING.

use diesel::sql_types::{BigInt, Integer, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use gristmill_core::ExecutionId;

use super::values::{list, micros};
use crate::cached::Cached;
use crate::parse::parse;
use crate::sql_types::{Moment, Timestamp, Token, Uuid};
use crate::sqlite_pool::SqlitePool;
use crate::{Claim, Claimed, Error};

/// A job can be old (the row was claimed and came back since) or doubled (published again because a confirm was lost):
/// it claims only what is PENDING at its own attempt, so of any number of copies one wins.
///
/// A claim whose answer was lost has been made all the same. Repeated under its token, it finds those rows again.
///
/// The publish counters end with the PENDING that they belong to.
const CLAIM: &str = concat!(
    "UPDATE executions SET
         status = 'RUNNING',
         attempt = job.attempt + 1,
         claim_token = ?2,
         claimed_by = ?3,
         wake_at = ",
    now!(),
    " + ?4,
         started_at = coalesce(started_at, ",
    now!(),
    "),
         published_at = NULL,
         publishes = 0
     FROM (SELECT value ->> 0 AS id, value ->> 1 AS attempt FROM json_each(?1)) AS job
     WHERE executions.id = job.id AND (
         (status = 'PENDING' AND executions.attempt = job.attempt)
         OR (status = 'RUNNING' AND executions.attempt = job.attempt + 1 AND claim_token = ?2)
     )
     RETURNING id, organization_id, workflow_id, revision, attempt, input, journal_len, inbox, created_at, started_at, ",
    now!(),
    " AS now"
);

pub(super) async fn claim(
    pool: &SqlitePool,
    jobs: &[(ExecutionId, i32)],
    claim: &Claim,
) -> Result<Vec<Claimed>, Error> {
    let jobs = list(jobs)?;
    let claim = claim.clone();
    pool.transaction_blocking(move |connection| {
        let rows: Vec<Row> = Cached(
            sql_query(CLAIM)
                .bind::<Text, _>(jobs)
                .bind::<Uuid, _>(Token(claim.token))
                .bind::<Text, _>(claim.worker)
                .bind::<BigInt, _>(micros(claim.lease)),
        )
        .load(connection)?;
        rows.into_iter().map(Row::into_claimed).collect()
    })
    .await
}

#[derive(QueryableByName)]
struct Row {
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
}

impl Row {
    fn into_claimed(self) -> Result<Claimed, Error> {
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
        })
    }
}
