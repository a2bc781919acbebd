//! Count ends: noted ends into the figures.

use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::{RunQueryDsl, SqliteConnection};

use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sql_types::{Moment, Timestamp};
use crate::connection::sqlite::SqlitePool;
use crate::protocol::rows::counted::{Counted, EndRow};

const TAKE: &str = "
    DELETE FROM execution_ends WHERE rowid IN (SELECT rowid FROM execution_ends LIMIT ?1)
    RETURNING organization_id, workflow_id, status, times, completed_at, duration_ms, tokens_used, cost_micros";

/// What belonged to an organization that is gone is not counted. The first end of a workflow knows no other; `max` of a
/// null would be null.
const WORKFLOW: &str = "
    INSERT INTO workflow_stats (organization_id, workflow_id, executions, last_executed_at)
    SELECT id, ?2, ?3, ?4 FROM organizations WHERE id = ?1
    ON CONFLICT (organization_id, workflow_id) DO UPDATE SET
        executions = executions + excluded.executions,
        last_executed_at = max(coalesce(last_executed_at, excluded.last_executed_at),
            coalesce(excluded.last_executed_at, last_executed_at))";

const DAY: &str = "
    INSERT INTO workflow_stats_daily
        (organization_id, day, workflow_id, status, bucket, executions, tokens_used, cost_micros)
    SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM organizations WHERE id = ?1
    ON CONFLICT (organization_id, day, workflow_id, status, bucket) DO UPDATE SET
        executions = executions + excluded.executions,
        tokens_used = tokens_used + excluded.tokens_used,
        cost_micros = cost_micros + excluded.cost_micros";

pub(super) async fn count_ends(pool: &SqlitePool, limit: i64) -> Result<u64, Error> {
    let counted = pool.transaction_blocking(move |connection| {
        let ends: Vec<EndRow> = Cached(sql_query(TAKE).bind::<BigInt, _>(limit)).load(connection)?;
        let taken = ends.len() as u64;
        let counted = Counted::of(ends);
        add(connection, &counted)?;
        Ok((taken, counted))
    });
    let (taken, counted) = counted.await?;
    counted.note();
    Ok(taken)
}

fn add(connection: &mut SqliteConnection, counted: &Counted) -> Result<(), Error> {
    for (key, sum) in &counted.workflows {
        let query = sql_query(WORKFLOW)
            .bind::<Text, _>(&key.organization_id)
            .bind::<Text, _>(&key.workflow_id)
            .bind::<BigInt, _>(sum.executions)
            .bind::<Nullable<Moment>, _>(sum.last.map(Timestamp));
        Cached(query).execute(connection)?;
    }
    for (key, sum) in &counted.days {
        let query = sql_query(DAY)
            .bind::<Text, _>(&key.organization_id)
            .bind::<Integer, _>(key.day)
            .bind::<Text, _>(&key.workflow_id)
            .bind::<Text, _>(&key.status)
            .bind::<Integer, _>(key.bucket)
            .bind::<BigInt, _>(sum.executions)
            .bind::<BigInt, _>(sum.tokens_used)
            .bind::<BigInt, _>(sum.cost_micros);
        Cached(query).execute(connection)?;
    }
    Ok(())
}
