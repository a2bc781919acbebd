//! Start child: a child, PENDING.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl};

use super::parts::usage::{Tally, limit_of};
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::parse::parse;
use crate::connection::sqlite::SqlitePool;
use crate::{ChildStarted, Error, StartChild};

/// A holder that lost its lease starts nothing, nor does one whose execution was cancelled a moment ago: a cancel would
/// miss the child.
const PARENT: &str = "
    SELECT organization_id, depth, (
        SELECT c.id FROM executions AS c WHERE c.parent_execution_id = ?1 AND c.parent_path = ?3
    ) AS child
    FROM executions WHERE id = ?1 AND status = 'RUNNING' AND attempt = ?2";

const WORKFLOW: &str = "
    SELECT revision, lane, timeout_ms, is_active, checks_input FROM workflows
    WHERE organization_id = ?1 AND id = ?2 AND deleted_at IS NULL";

const INSERT: &str = concat!(
    "INSERT INTO executions (id, organization_id, workflow_id, revision, lane, timeout_ms, request_hash, input,
         parent_execution_id, parent_path, depth, status, waits_for, wake_at)
     SELECT ?1, ?2, ?3, ?4, ?5, ?6, '', ?7, ?8, ?9, ?10, ",
    due_unless_paused!("w"),
    " FROM workflows AS w WHERE w.id = ?3"
);

pub(super) async fn start_child(pool: &SqlitePool, child: &StartChild) -> Result<ChildStarted, Error> {
    let child = child.clone();
    pool.transaction_blocking(move |connection| {
        let query = sql_query(PARENT)
            .bind::<Text, _>(child.parent.as_str())
            .bind::<Integer, _>(child.attempt)
            .bind::<Text, _>(&child.path);
        let parent: Option<Parent> = Cached(query).get_result(connection).optional()?;
        let Some(parent) = parent else {
            return Ok(ChildStarted::Lost);
        };
        // The same request again, because its answer was lost.
        if let Some(known) = parent.child {
            return Ok(ChildStarted::Yes(parse("execution id", &known)?));
        }
        if parent.depth >= child.max_depth {
            return Ok(ChildStarted::TooDeep);
        }
        let query = sql_query(WORKFLOW)
            .bind::<Text, _>(&parent.organization_id)
            .bind::<Text, _>(child.workflow_id.as_str());
        let workflow: Option<Workflow> = Cached(query).get_result(connection).optional()?;
        let Some(workflow) = workflow else {
            return Ok(ChildStarted::UnknownWorkflow);
        };
        if !workflow.is_active {
            return Ok(ChildStarted::InactiveWorkflow);
        }
        // The workflow may have been saved with another input schema since the holder checked.
        if workflow.checks_input && child.checked != Some(workflow.revision) {
            return Ok(ChildStarted::Unchecked {
                revision: workflow.revision,
            });
        }
        let limit = limit_of(connection, &parent.organization_id)?;
        let mut tally = Tally::read(connection, &parent.organization_id)?;
        if let Some(reached) = tally.reached(limit) {
            return Ok(ChildStarted::LimitReached(reached));
        }
        let query = sql_query(INSERT)
            .bind::<Text, _>(child.id.as_str())
            .bind::<Text, _>(&parent.organization_id)
            .bind::<Text, _>(child.workflow_id.as_str())
            .bind::<Integer, _>(workflow.revision)
            .bind::<Text, _>(&workflow.lane)
            .bind::<Nullable<BigInt>, _>(workflow.timeout_ms)
            .bind::<Text, _>(&*child.input)
            .bind::<Text, _>(child.parent.as_str())
            .bind::<Text, _>(&child.path)
            .bind::<Integer, _>(parent.depth + 1);
        Cached(query).execute(connection)?;
        tally.add();
        tally.save(connection, &parent.organization_id)?;
        Ok(ChildStarted::Yes(child.id))
    })
    .await
}

#[derive(QueryableByName)]
struct Parent {
    #[diesel(sql_type = Text)]
    organization_id: String,
    #[diesel(sql_type = Integer)]
    depth: i32,
    #[diesel(sql_type = Nullable<Text>)]
    child: Option<String>,
}

#[derive(QueryableByName)]
struct Workflow {
    #[diesel(sql_type = Integer)]
    revision: i32,
    #[diesel(sql_type = Text)]
    lane: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    timeout_ms: Option<i64>,
    #[diesel(sql_type = Bool)]
    is_active: bool,
    #[diesel(sql_type = Bool)]
    checks_input: bool,
}
