use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::join;
use gristmill_core::ExecutionStatus;
use tokio::sync::oneshot;

use super::finish::{finish, lost};
use super::jobs::{duration, seconds};
use crate::Error;
use crate::cached::Cached;
use crate::hot::due_row::DueRow;
use crate::postgres_pool::PostgresPool;
use crate::protocol::{Decide, Due, Wake};

/// Several relays poll at once, and none must wait for, or take, what another has locked. A row that its holder is
/// renewing right now is locked as well, and by the time it can be had it is no longer due.
///
/// The clock is read once, in a subselect: a bare `clock_timestamp()` could give another answer for each row, so the
/// index on `wake_at` could not be searched with it.
const DUE: &str = "
    SELECT id, organization_id, attempt, lane, status, published_at IS NOT NULL AS published, losses,
        extract(epoch FROM clock_timestamp() - wake_at)::float8 AS late
    FROM executions
    WHERE wake_at <= (SELECT clock_timestamp()) AND (status <> 'RUNNING' OR $2)
    ORDER BY wake_at LIMIT $1 FOR UPDATE SKIP LOCKED";

/// The rows are locked, in the state that was decided upon: no guard is needed. Publishing is for a later time than this
/// commit, so `wake_at` says when to look again should the process die in between.
const ACT: &str = "
    UPDATE executions e SET
        status = act.status, losses = e.losses + act.losses, published_at = NULL,
        publishes = CASE WHEN e.status = 'PENDING' THEN e.publishes ELSE 0 END,
        wake_at = clock_timestamp() + make_interval(secs => act.again_in)
    FROM unnest($1::text[], $2::text[], $3::int[], $4::float8[]) AS act (id, status, losses, again_in)
    WHERE e.id = act.id";

const FAIL: &str = concat!(
    "WITH ending AS (
        SELECT id, error, place, ",
    lost!(),
    " FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS failed (id, error, place)
    ), ",
    finish!(),
    "SELECT place FROM changed",
);

#[derive(QueryableByName)]
struct Row {
    #[diesel(embed)]
    due: DueRow,
    #[diesel(sql_type = Double)]
    late: f64,
}

pub(super) async fn relay(
    pool: &PostgresPool,
    limit: i64,
    reap: bool,
    decide: Decide<'_>,
) -> Result<Vec<(Due, Wake)>, Error> {
    // The transaction has a task of its own, and `decide` cannot go there: it is borrowed from the caller. So the due
    // rows come here and the decisions go back. Should the caller go away in between, the transaction is rolled back.
    let (send_due, due) = oneshot::channel::<Vec<Due>>();
    let (send_decided, decided) = oneshot::channel::<Vec<(Due, Wake)>>();
    let transaction = pool.transaction(move |connection| {
        Box::pin(async move {
            let due = lock(connection, limit, reap).await?;
            if due.is_empty() || send_due.send(due).is_err() {
                return Ok(Vec::new());
            }
            let Ok(decided) = decided.await else {
                return Ok(Vec::new());
            };
            act(connection, &decided).await?;
            fail(connection, &decided).await?;
            Ok(decided)
        })
    });
    let decisions = async move {
        if let Ok(due) = due.await {
            let decide = |due: Due| {
                let wake = decide(&due);
                (due, wake)
            };
            let decided = due.into_iter().map(decide).collect();
            // Nobody receives when the transaction was given up; then its error is the answer.
            drop(send_decided.send(decided));
        }
    };
    join(transaction, decisions).await.0
}

async fn lock(connection: &mut AsyncPgConnection, limit: i64, reap: bool) -> Result<Vec<Due>, Error> {
    let due = sql_query(DUE).bind::<BigInt, _>(limit).bind::<Bool, _>(reap);
    Cached(due)
        .load::<Row>(connection)
        .await?
        .into_iter()
        .map(|row| row.due.into_due(duration(row.late)))
        .collect()
}

/// Everything but the failures, which end the execution.
async fn act(connection: &mut AsyncPgConnection, decided: &[(Due, Wake)]) -> Result<(), Error> {
    let (mut ids, mut statuses, mut losses, mut again_in) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (due, wake) in decided {
        let (status, lost, again) = match wake {
            Wake::Publish { again_in } | Wake::Start { again_in } => (ExecutionStatus::Pending, 0, again_in),
            Wake::Reap { again_in } => (ExecutionStatus::Pending, 1, again_in),
            Wake::Pause { pause } => (ExecutionStatus::Waiting, 1, pause),
            Wake::Fail { .. } | Wake::Leave => continue,
        };
        ids.push(due.job.execution_id.as_str());
        statuses.push(status.as_str());
        losses.push(lost);
        again_in.push(seconds(*again));
    }
    if ids.is_empty() {
        return Ok(());
    }
    let act = sql_query(ACT)
        .bind::<Array<Text>, _>(ids)
        .bind::<Array<Text>, _>(statuses)
        .bind::<Array<Integer>, _>(losses)
        .bind::<Array<Double>, _>(again_in);
    Cached(act).execute(connection).await?;
    Ok(())
}

async fn fail(connection: &mut AsyncPgConnection, decided: &[(Due, Wake)]) -> Result<(), Error> {
    let failed = decided.iter().filter_map(|(due, wake)| match wake {
        Wake::Fail { error } => Some((due.job.execution_id.as_str(), error.as_str())),
        _ => None,
    });
    let (ids, errors): (Vec<_>, Vec<_>) = failed.unzip();
    if ids.is_empty() {
        return Ok(());
    }
    let fail = sql_query(FAIL)
        .bind::<Array<Text>, _>(ids)
        .bind::<Array<Text>, _>(errors);
    Cached(fail).execute(connection).await?;
    Ok(())
}
