//! After an end: what the end of an execution means for others.

use diesel::sql_types::Text;
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, SqliteConnection};
use gristmill_core::ExecutionId;

use super::super::deliver::put;
use super::usage::{Tally, limit_of};
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::parse::parse;
use crate::protocol::facts::{child_end, failure_input};
use crate::tables::usage::note_unhandled;
use crate::{Error, InboxMessage};

/// A FAILED parent is told as well: an operator may retry it. A child that an operator retried ends twice, and its parent
/// is told the first time.
const NEWS: &str = concat!(
    "SELECT p.organization_id, ",
    child_end!("c.status", "c.output", "c.error"),
    " AS body
    FROM executions c JOIN executions p ON p.id = c.parent_execution_id
    WHERE c.id = ?1 AND p.status NOT IN ('COMPLETED', 'CANCELLED')
        AND NOT EXISTS (
            SELECT 1 FROM execution_inbox known WHERE known.execution_id = p.id AND known.key = 'child:' || c.id
        )"
);

/// What handles a failure is not handled itself, and is as deep as a child would be: so no two workflows that name each
/// other go on for ever.
const FOLLOW_UP: &str = concat!(
    "INSERT INTO executions (id, organization_id, workflow_id, revision, lane, timeout_ms, status, waits_for, wake_at, request_hash,
        input, on_failure_of, depth)
    SELECT ?2, f.organization_id, w.id, w.revision, w.lane, w.timeout_ms, ",
    due_unless_paused!("w"),
    ", '', ",
    failure_input!("f", "f.error"),
    ", f.id, f.depth + 1
    FROM executions f JOIN workflows w ON w.organization_id = f.organization_id AND w.id = ?3
    WHERE f.id = ?1"
);

const HANDLER: &str = "
    SELECT f.organization_id, w.id
    FROM executions f
    JOIN workflow_revisions r ON r.organization_id = f.organization_id AND r.workflow_id = f.workflow_id
        AND r.revision = f.revision
    JOIN workflows w ON w.organization_id = f.organization_id AND w.id = r.on_failure AND w.is_active
        AND w.deleted_at IS NULL
    WHERE f.id = ?1 AND f.on_failure_of IS NULL";

/// The end of a child is a message for its parent.
pub(crate) fn tell_parent(
    connection: &mut SqliteConnection,
    child: &ExecutionId,
    parent: &str,
) -> Result<(), Error> {
    let news: Option<News> = Cached(sql_query(NEWS).bind::<Text, _>(child.as_str()))
        .get_result(connection)
        .optional()?;
    let Some(news) = news else { return Ok(()) };
    let key = format!("child:{child}");
    let message = InboxMessage {
        execution_id: parse("execution id", parent)?,
        name: key.clone(),
        key,
        body: news.body,
    };
    put(
        connection,
        &parse("organization id", &news.organization_id)?,
        &message,
    )
}

/// A failed execution is handed to the workflow that its revision names as `onFailure`, once for each time
/// that it fails for good: after an operator's retry it may fail again. That counts against the month, within the limit of
/// the organization's tier.
pub(crate) fn follow_up(connection: &mut SqliteConnection, failed: &ExecutionId) -> Result<(), Error> {
    let handler: Option<Handler> = Cached(sql_query(HANDLER).bind::<Text, _>(failed.as_str()))
        .get_result(connection)
        .optional()?;
    let Some(handler) = handler else { return Ok(()) };
    let limit = limit_of(connection, &handler.organization_id)?;
    let mut tally = Tally::read(connection, &handler.organization_id)?;
    if tally.reached(limit).is_some() {
        note_unhandled(failed.as_str());
        return Ok(());
    }
    let query = sql_query(FOLLOW_UP)
        .bind::<Text, _>(failed.as_str())
        .bind::<Text, _>(ExecutionId::new().to_string())
        .bind::<Text, _>(handler.id);
    Cached(query).execute(connection)?;
    tally.add();
    tally.save(connection, &handler.organization_id)
}

#[derive(QueryableByName)]
struct Handler {
    #[diesel(sql_type = Text)]
    organization_id: String,
    #[diesel(sql_type = Text)]
    id: String,
}

#[derive(QueryableByName)]
struct News {
    #[diesel(sql_type = Text)]
    organization_id: String,
    #[diesel(sql_type = Text)]
    body: String,
}
