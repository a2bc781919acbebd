use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Text};
use diesel_async::RunQueryDsl;
use gristmill_core::ExecutionId;

use super::parts::jobs::{columns, seconds, set};
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::postgres::PostgresPool;
use crate::connection::sql_types::{Token, Uuid};
use crate::protocol::rows::claimed_row::ClaimedRow;
use crate::protocol::{Claim, ClaimAnswer};

/// The jobs beside their executions, where these can be claimed: PENDING at the job's attempt, or claimed by this very claim
/// whose answer was lost.
macro_rules! claimable {
    () => {
        "executions e JOIN unnest($1::text[], $2::int[]) WITH ORDINALITY AS job (id, attempt, place) ON job.id = e.id
        WHERE ((e.status = 'PENDING' AND e.attempt = job.attempt)
            OR (e.status = 'RUNNING' AND e.attempt = job.attempt + 1 AND e.claim_token = $3))"
    };
}

/// The same job reaches two workers, or an old one comes back after a broker's restart: the row's attempt has moved on
/// with the first claim, and the second finds nothing to lock. It skips a locked row, for whoever has locked it may take
/// minutes, and what else is claimed here would wait with it. What is claimable and was not locked is told from what is
/// not by the last part, which is not executed where every job was locked, as nearly always. It sees the rows as they were
/// when the statement began: one that somebody else claimed since then, and has committed, is called locked as well. Who
/// asks again hears that it is taken.
///
/// A claim whose answer was lost has been made all the same. Repeated under its token, it finds those rows again.
///
/// The first claim starts the workflow's clock; later ones leave the deadline alone, or losing workers would be a way to
/// live for ever.
const CLAIM: &str = concat!(
    "WITH locked AS (
        SELECT e.id, job.attempt, job.place FROM ",
    claimable!(),
    " ORDER BY e.id FOR UPDATE OF e SKIP LOCKED
    ), claimed AS (
        UPDATE executions e SET
            status = 'RUNNING', attempt = locked.attempt + 1, claim_token = $3, claimed_by = $4,
            wake_at = clock_timestamp() + make_interval(secs => $5), published_at = NULL, publishes = 0,
            started_at = coalesce(e.started_at, clock_timestamp()), waits_for = NULL,
            deadline = coalesce(e.deadline, clock_timestamp() + e.timeout_ms * interval '1 millisecond')
        FROM locked WHERE e.id = locked.id
        RETURNING locked.place, TRUE AS is_claimed, e.id, e.organization_id, e.workflow_id, e.revision, e.attempt, e.input,
            e.journal_len, e.inbox, e.created_at, e.started_at, clock_timestamp() AS now, e.deadline,
            e.parent_execution_id IS NOT NULL AS is_child
    )
    SELECT * FROM claimed
    UNION ALL
    SELECT job.place, FALSE, e.id, e.organization_id, e.workflow_id, e.revision, e.attempt, '', e.journal_len, e.inbox,
        e.created_at, e.created_at, e.created_at, NULL, FALSE
    FROM ",
    claimable!(),
    " AND (SELECT count(*) FROM locked) < cardinality($1) AND e.id NOT IN (SELECT id FROM locked)"
);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    place: i64,
    #[diesel(sql_type = Bool)]
    is_claimed: bool,
    #[diesel(embed)]
    execution: ClaimedRow,
}

pub(super) async fn claim(
    pool: &PostgresPool,
    jobs: &[(ExecutionId, i32)],
    claim: &Claim,
) -> Result<Vec<ClaimAnswer>, Error> {
    let mut answers: Vec<_> = jobs.iter().map(|_| ClaimAnswer::Stale).collect();
    let (ids, attempts) = columns(jobs);
    let claim = claim.clone();
    let rows = pool.run_as_system(move |connection| {
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
    for row in rows.await? {
        let answer = if row.is_claimed {
            ClaimAnswer::Claimed(Box::new(row.execution.into_claimed()?))
        } else {
            ClaimAnswer::Locked
        };
        set(&mut answers, row.place, answer);
    }
    Ok(answers)
}
