//! Delete: an ended execution, gone.

use diesel::sql_types::{Bool, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl};
use gristmill_core::{ExecutionId, ExecutionStatus};
use serde_json::json;

use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::parse::parse;
use crate::connection::sqlite::SqlitePool;
use crate::tables::audit;
use crate::{Action, Actor, Deleted, Error, Tenant};

/// A child stays for as long as its parent is unfinished: the parent's holder, asking for this path's child once more,
/// would make another.
const JUDGE: &str = "
    SELECT status, EXISTS (
        SELECT 1 FROM executions AS p WHERE p.id = e.parent_execution_id AND p.completed_at IS NULL
    ) AS needed
    FROM executions AS e WHERE organization_id = ?1 AND id = ?2";

const DELETE: &str = "DELETE FROM executions WHERE id = ?1";

pub(super) async fn delete(
    pool: &SqlitePool,
    tenant: &Tenant,
    actor: &Actor,
    id: &ExecutionId,
) -> Result<Deleted, Error> {
    let entry = audit::insert(tenant, actor, Action::ExecutionDelete, id, &json!({}));
    let (organization_id, id) = (tenant.0.to_string(), id.to_string());
    pool.transaction_blocking(move |connection| {
        let query = sql_query(JUDGE)
            .bind::<Text, _>(organization_id)
            .bind::<Text, _>(&id);
        let judged: Option<Row> = Cached(query).get_result(connection).optional()?;
        let Some(judged) = judged else {
            return Ok(Deleted::Unknown);
        };
        let status: ExecutionStatus = parse("execution status", &judged.status)?;
        if !status.is_terminal() {
            return Ok(Deleted::Unfinished(status));
        }
        if judged.needed {
            return Ok(Deleted::ParentUnfinished);
        }
        Cached(sql_query(DELETE).bind::<Text, _>(&id)).execute(connection)?;
        entry.execute(connection)?;
        Ok(Deleted::Yes)
    })
    .await
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Bool)]
    needed: bool,
}
