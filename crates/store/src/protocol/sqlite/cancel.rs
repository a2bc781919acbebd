//! Cancel: anything unfinished → CANCELLED, with everything below it.

use diesel::sql_types::{Integer, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, SqliteConnection};
use gristmill_core::{ExecutionId, ExecutionStatus};
use serde_json::json;

use super::parts::finish::{End, Finish, finish};
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::parse::parse;
use crate::connection::sqlite::SqlitePool;
use crate::tables::audit;
use crate::{Action, Actor, Cancelled, Error, Tenant};

/// Through what has ended as well: a failed execution may have left children behind that still run. Parents come before
/// their children, so that no parent is told of a child that ended with it.
const TREE: &str = "
    WITH RECURSIVE tree (id) AS (
        SELECT id FROM executions WHERE organization_id = ?1 AND id = ?2
        UNION ALL
        SELECT child.id FROM executions AS child JOIN tree ON child.parent_execution_id = tree.id
    )
    SELECT e.id, e.status, e.attempt FROM tree JOIN executions AS e ON e.id = tree.id";

const STATUS: &str = "SELECT status FROM executions WHERE organization_id = ?1 AND id = ?2";

pub(super) async fn cancel(
    pool: &SqlitePool,
    tenant: &Tenant,
    actor: &Actor,
    id: &ExecutionId,
) -> Result<Cancelled, Error> {
    let (tenant, actor) = (tenant.clone(), actor.clone());
    let (organization_id, id) = (tenant.0.to_string(), id.to_string());
    pool.transaction_blocking(move |connection| {
        let query = sql_query(STATUS)
            .bind::<Text, _>(&organization_id)
            .bind::<Text, _>(&id);
        let root: Option<Status> = Cached(query).get_result(connection).optional()?;
        let Some(root) = root else {
            return Ok(Cancelled::Unknown);
        };
        match parse("execution status", &root.status)? {
            ExecutionStatus::Cancelled => Ok(Cancelled::Already),
            ended @ (ExecutionStatus::Completed | ExecutionStatus::Failed) => Ok(Cancelled::Ended(ended)),
            ExecutionStatus::Pending | ExecutionStatus::Running | ExecutionStatus::Waiting => {
                let executions = cancel_tree(connection, &organization_id, &id)?;
                let detail = json!({"executions": executions});
                audit::insert(&tenant, &actor, Action::ExecutionCancel, id, &detail).execute(connection)?;
                Ok(Cancelled::Yes(executions))
            }
        }
    })
    .await
}

fn cancel_tree(connection: &mut SqliteConnection, organization_id: &str, id: &str) -> Result<usize, Error> {
    let query = sql_query(TREE)
        .bind::<Text, _>(organization_id)
        .bind::<Text, _>(id);
    let rows: Vec<Row> = Cached(query).load(connection)?;
    let mut cancelled = 0;
    for row in rows {
        let from: ExecutionStatus = parse("execution status", &row.status)?;
        if from.is_terminal() {
            continue;
        }
        let end = Finish {
            id: &parse("execution id", &row.id)?,
            from,
            attempt: row.attempt,
            end: End::Cancelled,
            entries: 0,
            lost: 0,
            totals: None,
        };
        finish(connection, &end)?;
        cancelled += 1;
    }
    Ok(cancelled)
}

#[derive(QueryableByName)]
struct Status {
    #[diesel(sql_type = Text)]
    status: String,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Integer)]
    attempt: i32,
}
