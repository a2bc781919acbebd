//! Retry: FAILED → PENDING, by an operator.

use diesel::sql_types::{Bool, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl};
use gristmill_core::{ExecutionId, ExecutionStatus};
use serde_json::json;

use super::parts::chunk::insert_chunk;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::parse::parse;
use crate::connection::sql_types::{Moment, Timestamp};
use crate::connection::sqlite::SqlitePool;
use crate::protocol::rows::reopened::reopened;
use crate::tables::audit;
use crate::{Action, Actor, Error, NewChunk, Retried, Tenant};

/// Two operators press the button at once: the second finds an execution that is no longer FAILED.
const TARGET: &str = concat!(
    "SELECT status, ",
    now!(),
    " AS now, EXISTS (
             SELECT 1 FROM workflows AS w
             WHERE w.organization_id = e.organization_id AND w.id = e.workflow_id AND w.deleted_at IS NOT NULL
         ) AS orphaned
     FROM executions AS e WHERE organization_id = ?1 AND id = ?2"
);

/// Whatever ended the execution counts anew: its losses, and the time that it may take.
const RETRY: &str = concat!(
    "UPDATE executions SET status = 'PENDING', error = NULL, completed_at = NULL, published_at = NULL, publishes = 0,
         losses = 0, deadline = NULL, operator_retries = operator_retries + 1, journal_len = journal_len + 1, wake_at = ",
    now!(),
    " WHERE id = ?1
     RETURNING organization_id, journal_len - 1 AS seq"
);

/// The end is taken back from the figures, just as it was noted.
const UNDO: &str = "
    INSERT INTO execution_ends (organization_id, workflow_id, status, times, completed_at, duration_ms, tokens_used, cost_micros)
    SELECT organization_id, workflow_id, status, -1, completed_at, (completed_at - started_at) / 1000, tokens_used, cost_micros
    FROM executions WHERE id = ?1";

pub(super) async fn retry(
    pool: &SqlitePool,
    tenant: &Tenant,
    actor: &Actor,
    id: &ExecutionId,
) -> Result<Retried, Error> {
    let entry = audit::insert(tenant, actor, Action::ExecutionRetry, id, &json!({}));
    let (organization_id, id) = (tenant.0.to_string(), id.clone());
    pool.transaction_blocking(move |connection| {
        let query = sql_query(TARGET)
            .bind::<Text, _>(organization_id)
            .bind::<Text, _>(id.as_str());
        let target: Option<Target> = Cached(query).get_result(connection).optional()?;
        let Some(target) = target else {
            return Ok(Retried::Unknown);
        };
        match parse("execution status", &target.status)? {
            ExecutionStatus::Failed if target.orphaned => return Ok(Retried::DeletedWorkflow),
            ExecutionStatus::Failed => {}
            status => return Ok(Retried::NotFailed(status)),
        }
        Cached(sql_query(UNDO).bind::<Text, _>(id.as_str())).execute(connection)?;
        let place = Cached(sql_query(RETRY).bind::<Text, _>(id.as_str())).get_result(connection)?;
        let chunk = NewChunk {
            body: reopened(target.now)?,
            entries: 1,
            progress: true,
        };
        insert_chunk(connection, &id, Some(place), Some(&chunk))?;
        entry.execute(connection)?;
        Ok(Retried::Yes)
    })
    .await
}

#[derive(QueryableByName)]
struct Target {
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Moment)]
    now: Timestamp,
    #[diesel(sql_type = Bool)]
    orphaned: bool,
}
