//! Claim: PENDING → RUNNING.

use std::collections::HashMap;

use diesel::RunQueryDsl;
use diesel::sql_types::{BigInt, Text};
use gristmill_core::ExecutionId;

use super::parts::values::{list, micros};
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sql_types::{Token, Uuid};
use crate::connection::sqlite::SqlitePool;
use crate::protocol::rows::claimed_row::ClaimedRow;
use crate::{Claim, ClaimAnswer, Claimed, Error};

/// A job can be old (the row was claimed and came back since) or doubled (published again because a confirm was lost):
/// it claims only what is PENDING at its own attempt, so of any number of copies one wins.
///
/// A claim whose answer was lost has been made all the same. Repeated under its token, it finds those rows again.
///
/// The first claim starts the workflow's clock; later ones leave the deadline alone, or losing workers would be a way to
/// live for ever.
///
/// The publish counters end with the PENDING that they belong to.
///
/// No row is ever locked here: who writes has waited for all others.
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
         publishes = 0,
         waits_for = NULL,
         deadline = coalesce(deadline, ",
    now!(),
    " + timeout_ms * 1000)
     FROM (SELECT value ->> 0 AS id, value ->> 1 AS attempt FROM json_each(?1)) AS job
     WHERE executions.id = job.id AND (
         (status = 'PENDING' AND executions.attempt = job.attempt)
         OR (status = 'RUNNING' AND executions.attempt = job.attempt + 1 AND claim_token = ?2)
     )
     RETURNING id, organization_id, workflow_id, revision, attempt, input, journal_len, inbox, created_at, started_at, ",
    now!(),
    " AS now, deadline, parent_execution_id IS NOT NULL AS is_child"
);

pub(super) async fn claim(
    pool: &SqlitePool,
    jobs: &[(ExecutionId, i32)],
    claim: &Claim,
) -> Result<Vec<ClaimAnswer>, Error> {
    let members = jobs;
    let jobs = list(jobs)?;
    let claim = claim.clone();
    let claimed = pool.transaction_blocking(move |connection| {
        let rows: Vec<ClaimedRow> = Cached(
            sql_query(CLAIM)
                .bind::<Text, _>(jobs)
                .bind::<Uuid, _>(Token(claim.token))
                .bind::<Text, _>(claim.worker)
                .bind::<BigInt, _>(micros(claim.lease)),
        )
        .load(connection)?;
        rows.into_iter().map(ClaimedRow::into_claimed).collect()
    });
    Ok(answers(members, claimed.await?))
}

/// Each job's answer. Of copies of a job the first has claimed it, and the others came too late.
fn answers(jobs: &[(ExecutionId, i32)], claimed: Vec<Claimed>) -> Vec<ClaimAnswer> {
    let mut claimed: HashMap<_, _> = claimed
        .into_iter()
        .map(|claimed| ((claimed.id.clone(), claimed.attempt - 1), claimed))
        .collect();
    jobs.iter()
        .map(|job| match claimed.remove(job) {
            Some(claimed) => ClaimAnswer::Claimed(Box::new(claimed)),
            None => ClaimAnswer::Stale,
        })
        .collect()
}
