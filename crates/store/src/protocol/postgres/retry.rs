use diesel::QueryableByName;
use diesel::sql_types::{Bool, Integer, Text};
use diesel_async::RunQueryDsl;
use gristmill_core::{ExecutionId, ExecutionStatus, journal};
use serde_json::json;

use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::parse::parse;
use crate::connection::postgres::PostgresPool;
use crate::connection::sql_types::{Moment, Timestamp};
use crate::protocol::Retried;
use crate::protocol::rows::reopened::reopened;
use crate::tables::audit;
use crate::{Action, Actor, Error, Tenant};

/// Two operators press the button at once: the second waits for the first one's lock, and then finds an execution that is
/// no longer FAILED.
const TARGET: &str = "
    SELECT status, clock_timestamp() AS now, EXISTS (
            SELECT FROM workflows w
            WHERE w.organization_id = e.organization_id AND w.id = e.workflow_id AND w.deleted_at IS NOT NULL
        ) AS orphaned
    FROM executions e WHERE organization_id = $1 AND id = $2 FOR UPDATE";

/// Whatever ended the execution counts anew: its losses, and the time that it may take. The end is taken back from the
/// figures, just as it was noted.
const RETRY: &str = "
    WITH undone AS (
        INSERT INTO execution_ends (organization_id, workflow_id, status, times, completed_at, duration_ms, tokens_used,
            cost_micros)
        SELECT organization_id, workflow_id, status, -1, completed_at,
            floor(extract(epoch FROM completed_at - started_at) * 1000)::bigint, tokens_used, cost_micros
        FROM executions WHERE id = $2
    ), changed AS (
        UPDATE executions SET
            status = 'PENDING', error = NULL, completed_at = NULL, wake_at = clock_timestamp(), published_at = NULL,
            publishes = 0, losses = 0, deadline = NULL, operator_retries = operator_retries + 1,
            journal_len = journal_len + 1
        WHERE id = $2
        RETURNING organization_id, id, journal_len - 1 AS seq
    )
    INSERT INTO execution_journal (organization_id, execution_id, seq, format, body)
    SELECT organization_id, id, seq, $1, $3 FROM changed";

#[derive(QueryableByName)]
struct Target {
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Moment)]
    now: Timestamp,
    #[diesel(sql_type = Bool)]
    orphaned: bool,
}

pub(super) async fn retry(
    pool: &PostgresPool,
    tenant: &Tenant,
    actor: &Actor,
    id: &ExecutionId,
) -> Result<Retried, Error> {
    let entry = audit::insert(tenant, actor, Action::ExecutionRetry, id, &json!({}));
    let (organization_id, id) = (tenant.0.to_string(), id.to_string());
    pool.transaction_in(tenant, move |connection| {
        Box::pin(async move {
            let target = sql_query(TARGET)
                .bind::<Text, _>(organization_id)
                .bind::<Text, _>(&id);
            let Some(target) = Cached(target).load::<Target>(connection).await?.pop() else {
                return Ok(Retried::Unknown);
            };
            match parse("execution status", &target.status)? {
                ExecutionStatus::Failed if target.orphaned => return Ok(Retried::DeletedWorkflow),
                ExecutionStatus::Failed => {}
                status => return Ok(Retried::NotFailed(status)),
            }
            let retry = sql_query(RETRY)
                .bind::<Integer, _>(journal::FORMAT)
                .bind::<Text, _>(&id)
                .bind::<Text, _>(reopened(target.now)?);
            Cached(retry).execute(connection).await?;
            entry.execute(connection).await?;
            Ok(Retried::Yes)
        })
    })
    .await
}
