use diesel::sql_types::{Array, Double, Integer, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use gristmill_core::ExecutionId;

use super::jobs::{columns, seconds};
use crate::Error;
use crate::cached::Cached;
use crate::parse::parse;
use crate::postgres_pool::PostgresPool;
use crate::protocol::{Claim, Claimed};
use crate::sql_types::{Moment, Timestamp, Token, Uuid};

/// The same job reaches two workers, or an old one comes back after a broker's restart: the row's attempt has moved on
/// with the first claim, and the second finds nothing to lock. It waits for a locked row instead of skipping it, because
/// the lock may be the confirm's: skipping would throw the only job away.
///
/// A claim whose answer was lost has been made all the same. Repeated under its token, it finds those rows again.
const CLAIM: &str = "
    WITH locked AS (
        SELECT e.id, job.attempt
        FROM executions e JOIN unnest($1::text[], $2::int[]) AS job (id, attempt) ON job.id = e.id
        WHERE (e.status = 'PENDING' AND e.attempt = job.attempt)
            OR (e.status = 'RUNNING' AND e.attempt = job.attempt + 1 AND e.claim_token = $3)
        ORDER BY e.id FOR UPDATE OF e
    )
    UPDATE executions e SET
        status = 'RUNNING', attempt = locked.attempt + 1, claim_token = $3, claimed_by = $4,
        wake_at = clock_timestamp() + make_interval(secs => $5), published_at = NULL, publishes = 0,
        started_at = coalesce(e.started_at, clock_timestamp())
    FROM locked WHERE e.id = locked.id
    RETURNING e.id, e.organization_id, e.workflow_id, e.revision, e.attempt, e.input, e.journal_len, e.inbox,
        e.created_at, e.started_at, clock_timestamp() AS now";

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

pub(super) async fn claim(
    pool: &PostgresPool,
    jobs: &[(ExecutionId, i32)],
    claim: &Claim,
) -> Result<Vec<Claimed>, Error> {
    let (ids, attempts) = columns(jobs);
    let claim = claim.clone();
    let rows = pool.run(move |connection| {
        Box::pin(async move {
            let claim = sql_query(CLAIM)
                .bind::<Array<Text>, _>(ids)
                .bind::<Array<Integer>, _>(attempts)
                .bind::<Uuid, _>(Token(claim.token))
                .bind::<Text, _>(claim.worker)
                .bind::<Double, _>(seconds(claim.lease));
            Ok(Cached(claim).load::<Row>(connection).await?)
        })
    });
    rows.await?.into_iter().map(claimed).collect()
}

fn claimed(row: Row) -> Result<Claimed, Error> {
    Ok(Claimed {
        id: parse("execution id", &row.id)?,
        organization_id: parse("organization id", &row.organization_id)?,
        workflow_id: parse("workflow id", &row.workflow_id)?,
        revision: row.revision,
        attempt: row.attempt,
        input: row.input,
        journal_len: row.journal_len,
        inbox: row.inbox,
        created_at: row.created_at.into(),
        started_at: row.started_at.into(),
        now: row.now.into(),
    })
}
