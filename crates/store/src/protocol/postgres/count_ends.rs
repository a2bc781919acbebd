use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::postgres::PostgresPool;
use crate::connection::sql_types::{Moment, Timestamp};
use crate::protocol::rows::counted::{Counted, DayKey, EndRow, WorkflowKey};

/// Most looks find nothing, and need no transaction.
const ANY: &str = "SELECT EXISTS (SELECT FROM execution_ends) AS yes";

/// One process counts at a time, so that no two wait for each other's rows; the others have nothing to do then. The number
/// is "gristcnt" in ASCII. The lock ends with the transaction, however that ends.
const TURN: &str = "SELECT pg_try_advisory_xact_lock(7454136277846421108) AS yes";

/// A process that dies after this, and before its commit, has taken nothing out and counted nothing.
const TAKE: &str = "
    DELETE FROM execution_ends WHERE ctid = ANY (ARRAY(SELECT ctid FROM execution_ends LIMIT $1))
    RETURNING organization_id, workflow_id, status, times, completed_at, duration_ms, tokens_used, cost_micros";

/// What belonged to an organization that is gone is not counted.
const WORKFLOWS: &str = "
    INSERT INTO workflow_stats AS s (organization_id, workflow_id, executions, last_executed_at)
    SELECT o.id, sum.workflow_id, sum.executions, sum.last
    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::timestamptz[])
        AS sum (organization_id, workflow_id, executions, last)
    JOIN organizations o ON o.id = sum.organization_id
    ON CONFLICT (organization_id, workflow_id) DO UPDATE SET
        executions = s.executions + excluded.executions,
        last_executed_at = greatest(s.last_executed_at, excluded.last_executed_at)";

const DAYS: &str = "
    INSERT INTO workflow_stats_daily AS s
        (organization_id, day, workflow_id, status, bucket, executions, tokens_used, cost_micros)
    SELECT o.id, sum.day, sum.workflow_id, sum.status, sum.bucket, sum.executions, sum.tokens_used, sum.cost_micros
    FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::bigint[], $8::bigint[])
        AS sum (organization_id, day, workflow_id, status, bucket, executions, tokens_used, cost_micros)
    JOIN organizations o ON o.id = sum.organization_id
    ON CONFLICT (organization_id, day, workflow_id, status, bucket) DO UPDATE SET
        executions = s.executions + excluded.executions,
        tokens_used = s.tokens_used + excluded.tokens_used,
        cost_micros = s.cost_micros + excluded.cost_micros";

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Bool)]
    yes: bool,
}

pub(super) async fn count_ends(pool: &PostgresPool, limit: i64) -> Result<u64, Error> {
    let any = pool.run_as_system(|connection| {
        Box::pin(async move { Ok(Cached(sql_query(ANY)).get_result::<Answer>(connection).await?.yes) })
    });
    if !any.await? {
        return Ok(0);
    }
    let counted = pool.transaction_as_system(move |connection| {
        Box::pin(async move {
            if !Cached(sql_query(TURN))
                .get_result::<Answer>(connection)
                .await?
                .yes
            {
                return Ok((0, Counted::default()));
            }
            let take = sql_query(TAKE).bind::<BigInt, _>(limit);
            let ends: Vec<EndRow> = Cached(take).load(connection).await?;
            let taken = ends.len() as u64;
            let counted = Counted::of(ends);
            add_workflows(connection, &counted).await?;
            add_days(connection, &counted).await?;
            Ok((taken, counted))
        })
    });
    let (taken, counted) = counted.await?;
    counted.note();
    Ok(taken)
}

async fn add_workflows(connection: &mut AsyncPgConnection, counted: &Counted) -> Result<(), Error> {
    let sums = &counted.workflows;
    let keys = |part: fn(&WorkflowKey) -> &str| sums.keys().map(part).collect::<Vec<_>>();
    let query = sql_query(WORKFLOWS)
        .bind::<Array<Text>, _>(keys(|key| &key.organization_id))
        .bind::<Array<Text>, _>(keys(|key| &key.workflow_id))
        .bind::<Array<BigInt>, _>(sums.values().map(|sum| sum.executions).collect::<Vec<_>>())
        .bind::<Array<Nullable<Moment>>, _>(
            sums.values()
                .map(|sum| sum.last.map(Timestamp))
                .collect::<Vec<_>>(),
        );
    Cached(query).execute(connection).await?;
    Ok(())
}

async fn add_days(connection: &mut AsyncPgConnection, counted: &Counted) -> Result<(), Error> {
    let sums = &counted.days;
    let texts = |part: fn(&DayKey) -> &str| sums.keys().map(part).collect::<Vec<_>>();
    let query = sql_query(DAYS)
        .bind::<Array<Text>, _>(texts(|key| &key.organization_id))
        .bind::<Array<Integer>, _>(sums.keys().map(|key| key.day).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(texts(|key| &key.workflow_id))
        .bind::<Array<Text>, _>(texts(|key| &key.status))
        .bind::<Array<Integer>, _>(sums.keys().map(|key| key.bucket).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(sums.values().map(|sum| sum.executions).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(sums.values().map(|sum| sum.tokens_used).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(sums.values().map(|sum| sum.cost_micros).collect::<Vec<_>>());
    Cached(query).execute(connection).await?;
    Ok(())
}
