use diesel::sql_types::{Bool, Integer, Nullable, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use crate::Error;
use crate::cached::Cached;
use crate::parse::parse;
use crate::postgres_pool::PostgresPool;
use crate::protocol::{ChildStarted, StartChild};

/// A cancel that takes the whole tree locks the parent first: a child is there before it looks, or is refused after it.
/// A holder that lost its lease starts nothing. The same holder, asking again because an answer was lost, meets the
/// child of this path; should the first request still be under way, the unique index keeps the second out.
const START: &str = "
    WITH parent AS (
        SELECT organization_id, id, depth FROM executions
        WHERE id = $1 AND status = 'RUNNING' AND attempt = $2 FOR UPDATE
    ), workflow AS (
        SELECT w.id, w.revision, w.lane, w.timeout_ms, w.is_active, w.paused_at IS NOT NULL AS paused
        FROM workflows w JOIN parent ON w.organization_id = parent.organization_id
        WHERE w.id = $5 AND w.deleted_at IS NULL
    ), known AS (
        SELECT c.id FROM executions c JOIN parent ON c.parent_execution_id = parent.id AND c.parent_path = $3
    ), started AS (
        INSERT INTO executions (id, organization_id, workflow_id, revision, lane, timeout_ms, status, waits_for, wake_at,
            request_hash, input, parent_execution_id, parent_path, depth)
        SELECT $4, parent.organization_id, workflow.id, workflow.revision, workflow.lane, workflow.timeout_ms,
            CASE WHEN paused THEN 'WAITING' ELSE 'PENDING' END, CASE WHEN paused THEN 'paused' END,
            CASE WHEN NOT paused THEN clock_timestamp() END, '', $6, parent.id, $3, parent.depth + 1
        FROM parent CROSS JOIN workflow
        WHERE workflow.is_active AND parent.depth < $7 AND NOT EXISTS (SELECT FROM known)
        ON CONFLICT (parent_execution_id, parent_path) WHERE parent_execution_id IS NOT NULL DO NOTHING
        RETURNING id
    )
    SELECT parent.depth >= $7 AS too_deep, (SELECT is_active FROM workflow) AS is_active,
        coalesce((SELECT id FROM known), (SELECT id FROM started)) AS child
    FROM parent";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Bool)]
    too_deep: bool,
    #[diesel(sql_type = Nullable<Bool>)]
    is_active: Option<bool>,
    #[diesel(sql_type = Nullable<Text>)]
    child: Option<String>,
}

pub(super) async fn start_child(pool: &PostgresPool, child: &StartChild) -> Result<ChildStarted, Error> {
    loop {
        let Some(row) = start(pool, child.clone()).await? else {
            return Ok(ChildStarted::Lost);
        };
        match (row.child, row.too_deep, row.is_active) {
            (Some(id), ..) => return Ok(ChildStarted::Yes(parse("execution id", &id)?)),
            (None, true, _) => return Ok(ChildStarted::TooDeep),
            (None, false, None) => return Ok(ChildStarted::UnknownWorkflow),
            (None, false, Some(false)) => return Ok(ChildStarted::InactiveWorkflow),
            // Another request for this path was committed after this statement began: the next one sees its child.
            (None, false, Some(true)) => {}
        }
    }
}

async fn start(pool: &PostgresPool, child: StartChild) -> Result<Option<Row>, Error> {
    pool.run_as_system(move |connection| {
        Box::pin(async move {
            let start = sql_query(START)
                .bind::<Text, _>(child.parent.as_str())
                .bind::<Integer, _>(child.attempt)
                .bind::<Text, _>(child.path)
                .bind::<Text, _>(child.id.as_str())
                .bind::<Text, _>(child.workflow_id.as_str())
                .bind::<Text, _>(child.input)
                .bind::<Integer, _>(child.max_depth);
            Ok(Cached(start).load::<Row>(connection).await?.pop())
        })
    })
    .await
}
