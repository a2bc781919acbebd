use diesel::QueryableByName;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use gristmill_core::{ExecutionId, ExecutionStatus};
use serde_json::json;

use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::parse::parse;
use crate::connection::postgres::PostgresPool;
use crate::protocol::Deleted;
use crate::tables::audit;
use crate::{Action, Actor, Error, Tenant};

/// The lock makes sure that what is judged to have ended has not been retried by the time it goes. A child stays for as
/// long as its parent is unfinished: the parent's holder, asking for this path's child once more, would make another.
const DELETE: &str = "
    WITH target AS (
        SELECT id, status, parent_execution_id FROM executions WHERE organization_id = $1 AND id = $2 FOR UPDATE
    ), judged AS (
        SELECT id, status, EXISTS (
            SELECT FROM executions p WHERE p.id = target.parent_execution_id AND p.completed_at IS NULL
        ) AS needed
        FROM target
    ), gone AS (
        DELETE FROM executions e USING judged
        WHERE e.id = judged.id AND judged.status IN ('COMPLETED', 'FAILED', 'CANCELLED') AND NOT judged.needed
    )
    SELECT status, needed FROM judged";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Bool)]
    needed: bool,
}

pub(super) async fn delete(
    pool: &PostgresPool,
    tenant: &Tenant,
    actor: &Actor,
    id: &ExecutionId,
) -> Result<Deleted, Error> {
    let entry = audit::insert(tenant, actor, Action::ExecutionDelete, id, &json!({}));
    let (organization_id, id) = (tenant.0.to_string(), id.to_string());
    pool.transaction_in(tenant, move |connection| {
        Box::pin(async move {
            let delete = sql_query(DELETE)
                .bind::<Text, _>(organization_id)
                .bind::<Text, _>(id);
            let Some(row) = Cached(delete).load::<Row>(connection).await?.pop() else {
                return Ok(Deleted::Unknown);
            };
            let status: ExecutionStatus = parse("execution status", &row.status)?;
            if !status.is_terminal() {
                return Ok(Deleted::Unfinished(status));
            }
            if row.needed {
                return Ok(Deleted::ParentUnfinished);
            }
            entry.execute(connection).await?;
            Ok(Deleted::Yes)
        })
    })
    .await
}
