use std::collections::HashSet;

use diesel::sql_types::{Array, Text};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use gristmill_core::{ExecutionId, ExecutionStatus};
use serde_json::json;

use super::parts::finish::{finish, lock_with_parents, unheld};
use super::parts::jobs::{IdRow, PlaceRow};
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::parse::parse;
use crate::connection::postgres::PostgresPool;
use crate::protocol::Cancelled;
use crate::tables::audit;
use crate::{Action, Actor, Error, Tenant};

/// Through what has ended as well: a failed execution may have left children behind that still run.
const TREE: &str = "
    WITH RECURSIVE tree AS (
        SELECT id FROM executions WHERE organization_id = $1 AND id = $2
        UNION ALL
        SELECT child.id FROM executions child JOIN tree ON child.parent_execution_id = tree.id
    )
    SELECT id FROM tree";

const STATUS: &str = "SELECT status FROM executions WHERE id = $1";

/// A worker settles an execution at the moment in which an operator cancels it: the row's lock lets one of them be
/// first, and the other finds a status that it may not leave. The rows are locked by the caller, in the state that this
/// statement sees.
const CANCEL: &str = concat!(
    "WITH ending AS (
        SELECT id, row_number() OVER () AS place, NULL::text AS error, NULL::text AS follow_up, ",
    unheld!("CANCELLED", "0"),
    " FROM executions WHERE id = ANY($1::text[]) AND status IN ('PENDING', 'RUNNING', 'WAITING')
    ), ",
    finish!(),
    "SELECT place FROM changed",
);

#[derive(QueryableByName)]
struct StatusRow {
    #[diesel(sql_type = Text)]
    status: String,
}

pub(super) async fn cancel(
    pool: &PostgresPool,
    tenant: &Tenant,
    actor: &Actor,
    id: &ExecutionId,
) -> Result<Cancelled, Error> {
    let (owner, actor) = (tenant.clone(), actor.clone());
    let (organization_id, id) = (tenant.0.to_string(), id.to_string());
    pool.transaction_in(tenant, move |connection| {
        Box::pin(async move {
            let tree = lock_tree(connection, &organization_id, &id).await?;
            let status: Option<StatusRow> = Cached(sql_query(STATUS).bind::<Text, _>(&id))
                .get_result(connection)
                .await
                .optional()?;
            let Some(status) = status.filter(|_| !tree.is_empty()) else {
                return Ok(Cancelled::Unknown);
            };
            match parse("execution status", &status.status)? {
                ExecutionStatus::Cancelled => Ok(Cancelled::Already),
                ended @ (ExecutionStatus::Completed | ExecutionStatus::Failed) => Ok(Cancelled::Ended(ended)),
                ExecutionStatus::Pending | ExecutionStatus::Running | ExecutionStatus::Waiting => {
                    let cancel = sql_query(CANCEL).bind::<Array<Text>, _>(tree);
                    let rows: Vec<PlaceRow> = Cached(cancel).load(connection).await?;
                    let detail = json!({"executions": rows.len()});
                    audit::insert(&owner, &actor, Action::ExecutionCancel, id, &detail)
                        .execute(connection)
                        .await?;
                    Ok(Cancelled::Yes(rows.len()))
                }
            }
        })
    })
    .await
}

/// The execution and everything below it, locked. Starting a child takes its parent's lock: once a round finds nothing
/// that the round before had not locked, nothing can be added any more.
async fn lock_tree(
    connection: &mut AsyncPgConnection,
    organization_id: &str,
    id: &str,
) -> Result<Vec<String>, Error> {
    let mut locked = HashSet::new();
    loop {
        let query = sql_query(TREE)
            .bind::<Text, _>(organization_id)
            .bind::<Text, _>(id);
        let rows: Vec<IdRow> = Cached(query).load(connection).await?;
        let tree: Vec<_> = rows.into_iter().map(|row| row.id).collect();
        if tree.iter().all(|id| locked.contains(id)) {
            return Ok(tree);
        }
        lock_with_parents(connection, &tree).await?;
        locked.extend(tree);
    }
}
