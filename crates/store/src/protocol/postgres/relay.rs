use std::time::Duration;

use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::join;
use gristmill_core::{ExecutionId, ExecutionStatus};
use tokio::sync::oneshot;

use super::parts::finish::{finish, unheld};
use super::parts::jobs::{IdRow, duration, seconds};
use super::parts::leave::leave;
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::postgres::PostgresPool;
use crate::protocol::facts::reason;
use crate::protocol::rows::due_row::DueRow;
use crate::protocol::{Decide, Due, Sweep, Wake};
use crate::tables::usage::note_unhandled;

/// Several relays poll at once, and none must wait for, or take, what another has locked. A row that its holder is
/// renewing right now is locked as well, and by the time it can be had it is no longer due.
///
/// The clock is read once, in a subselect: a bare `clock_timestamp()` could give another answer for each row, so the
/// index on `wake_at` could not be searched with it.
const DUE: &str = concat!(
    "SELECT id, organization_id, attempt, lane, status, published_at IS NOT NULL AS published, losses,
        deadline IS NOT NULL AND deadline <= clock_timestamp() AS expired,
        coalesce(waits_for, '') = ",
    reason!(Start),
    " AND EXISTS (
            SELECT FROM workflows w
            WHERE w.organization_id = executions.organization_id AND w.id = executions.workflow_id AND w.paused_at IS NOT NULL
        ) AS paused,
        extract(epoch FROM clock_timestamp() - wake_at)::float8 AS late
    FROM executions
    WHERE wake_at <= (SELECT clock_timestamp()) AND wake_at > (SELECT clock_timestamp() - make_interval(secs => $3))
        AND (status <> 'RUNNING' OR $2)
    ORDER BY wake_at LIMIT $1 FOR UPDATE SKIP LOCKED"
);

/// As far back as anything may have been due: a hundred years.
const EVER: Duration = Duration::from_secs(100 * 365 * 86_400);

/// The rows are locked, in the state that was decided upon: no guard is needed. Publishing is for a later time than this
/// commit, so `wake_at` says when to look again should the process die in between.
const ACT: &str = concat!(
    "WITH act AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::float8[]) AS act (id, status, losses, again_in)
    ), ",
    leave!(
        "act",
        status: "act.status",
        waits_for: concat!("CASE WHEN act.status = 'WAITING' THEN ", reason!(Worker), " END"),
        wake_at: "least(clock_timestamp() + make_interval(secs => act.again_in), e.deadline)",
        set: "losses = e.losses + act.losses,
            publishes = CASE WHEN e.status = 'PENDING' THEN e.publishes ELSE 0 END",
        when: "TRUE",
        returning: "e.status",
    ),
    "SELECT count(*) FROM changed"
);

/// Whether its workflow was resumed since the look does not matter: `resume_paused` finds it.
const AWAIT_RESUME: &str = concat!(
    "UPDATE executions SET waits_for = ",
    reason!(Paused),
    ", wake_at = NULL, published_at = NULL, publishes = 0
    WHERE id = ANY($1::text[])"
);

const FAIL: &str = concat!(
    "WITH ending AS (
        SELECT $1::text AS id, $2::text AS error, $3::text AS follow_up, 1 AS place, ",
    unheld!("FAILED", "$4::int"),
    "), ",
    finish!(),
    "SELECT id FROM unhandled",
);

/// The end of a child is written into its parent's row. Whoever holds that may want this child, as a cancel of the whole
/// family does: so the relay, which holds many rows by now, does not wait for it.
const PARENT: &str = "
    WITH parent AS (
        SELECT p.id FROM executions e JOIN executions p ON p.id = e.parent_execution_id WHERE e.id = $1
    ), locked AS (
        SELECT p.id FROM executions p JOIN parent ON parent.id = p.id FOR UPDATE OF p SKIP LOCKED
    )
    SELECT (SELECT count(*) FROM parent) = (SELECT count(*) FROM locked) AS free";

#[derive(QueryableByName)]
struct Row {
    #[diesel(embed)]
    due: DueRow,
    #[diesel(sql_type = Double)]
    late: f64,
}

#[derive(QueryableByName)]
struct Free {
    #[diesel(sql_type = Bool)]
    free: bool,
}

pub(super) async fn relay(
    pool: &PostgresPool,
    sweep: Sweep,
    decide: Decide<'_>,
) -> Result<Vec<(Due, Wake)>, Error> {
    // The transaction has a task of its own, and `decide` cannot go there: it is borrowed from the caller. So the due
    // rows come here and the decisions go back. Should the caller go away in between, the transaction is rolled back.
    let (send_due, due) = oneshot::channel::<Vec<Due>>();
    let (send_decided, decided) = oneshot::channel::<Vec<(Due, Wake)>>();
    let transaction = pool.transaction_as_system(move |connection| {
        Box::pin(async move {
            let due = lock(connection, sweep).await?;
            if due.is_empty() || send_due.send(due).is_err() {
                return Ok(Vec::new());
            }
            let Ok(mut decided) = decided.await else {
                return Ok(Vec::new());
            };
            act(connection, &decided).await?;
            await_resume(connection, &decided).await?;
            fail(connection, &mut decided).await?;
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

async fn lock(connection: &mut AsyncPgConnection, sweep: Sweep) -> Result<Vec<Due>, Error> {
    let due = sql_query(DUE)
        .bind::<BigInt, _>(sweep.limit)
        .bind::<Bool, _>(sweep.reap)
        .bind::<Double, _>(seconds(sweep.back.unwrap_or(EVER)));
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
            Wake::AwaitResume | Wake::Fail { .. } | Wake::Expire { .. } | Wake::Leave => continue,
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

async fn await_resume(connection: &mut AsyncPgConnection, decided: &[(Due, Wake)]) -> Result<(), Error> {
    let paused = decided.iter().filter(|(_, wake)| *wake == Wake::AwaitResume);
    let ids: Vec<_> = paused.map(|(due, _)| due.job.execution_id.as_str()).collect();
    if !ids.is_empty() {
        Cached(sql_query(AWAIT_RESUME).bind::<Array<Text>, _>(ids))
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// One by one: these are rare, and the end of a child and that of its parent must not be one statement. By organization,
/// since whoever handles the failures is counted in a row of each (`usage`). What cannot be ended now is left as it is, and
/// stays due.
async fn fail(connection: &mut AsyncPgConnection, decided: &mut [(Due, Wake)]) -> Result<(), Error> {
    let mut by_organization: Vec<_> = decided.iter_mut().collect();
    by_organization.sort_by(|(one, _), (other, _)| one.job.organization_id.cmp(&other.job.organization_id));
    for (due, wake) in by_organization {
        let (error, losses) = match wake {
            Wake::Fail { error } => (error, 1),
            Wake::Expire { error } => (error, 0),
            _ => continue,
        };
        let id = due.job.execution_id.as_str();
        let parent: Free = Cached(sql_query(PARENT).bind::<Text, _>(id))
            .get_result(connection)
            .await?;
        if !parent.free {
            *wake = Wake::Leave;
            continue;
        }
        let fail = sql_query(FAIL)
            .bind::<Text, _>(id)
            .bind::<Text, _>(error.as_str())
            .bind::<Text, _>(ExecutionId::new().to_string())
            .bind::<Integer, _>(losses);
        for unhandled in Cached(fail).load::<IdRow>(connection).await? {
            note_unhandled(&unhandled.id);
        }
    }
    Ok(())
}
