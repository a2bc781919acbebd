use diesel::QueryableByName;
use diesel::sql_types::{Bool, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::parts::usage::{Locked, any_slot, count_inserted, limit_of, lock, month};
use crate::Error;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::parse::parse;
use crate::connection::postgres::PostgresPool;
use crate::protocol::facts::reason;
use crate::protocol::{ChildStarted, StartChild};

/// A cancel that takes the whole tree locks the parent first: a child is there before it looks, or is refused after it.
/// A holder that lost its lease starts nothing. The same holder, asking again because an answer was lost, meets the
/// child of this path; should the first request still be under way, the unique index keeps the second out.
///
/// The workflow is saved with another input schema between the holder's check and this insert: the guard on the revision
/// sends the holder back, as it does with a submit.
///
/// `$8` is the month that is locked and `$9` whether it has room. In an organization with a limit nothing starts without.
const START: &str = concat!(
    "WITH parent AS (
        SELECT organization_id, id, depth FROM executions
        WHERE id = $1 AND status = 'RUNNING' AND attempt = $2 FOR UPDATE
    ), workflow AS (
        SELECT w.id, w.revision, w.lane, w.timeout_ms, w.is_active, w.paused_at IS NOT NULL AS paused,
            w.checks_input AND $10::int IS DISTINCT FROM w.revision AS unchecked
        FROM workflows w JOIN parent ON w.organization_id = parent.organization_id
        WHERE w.id = $5 AND w.deleted_at IS NULL
    ), organization AS (
        SELECT ",
    limit_of!("o.tier"),
    " IS NOT NULL AS is_limited FROM organizations o JOIN parent ON o.id = parent.organization_id
    ), known AS (
        SELECT c.id FROM executions c JOIN parent ON c.parent_execution_id = parent.id AND c.parent_path = $3
    ), inserted AS (
        INSERT INTO executions (id, organization_id, workflow_id, revision, lane, timeout_ms, status, waits_for, wake_at,
            request_hash, input, parent_execution_id, parent_path, depth)
        SELECT $4, parent.organization_id, workflow.id, workflow.revision, workflow.lane, workflow.timeout_ms,
            CASE WHEN paused THEN 'WAITING' ELSE 'PENDING' END, CASE WHEN paused THEN ",
    reason!(Paused),
    " END,
            CASE WHEN NOT paused THEN clock_timestamp() END, '', $6, parent.id, $3, parent.depth + 1
        FROM parent CROSS JOIN workflow CROSS JOIN organization
        WHERE workflow.is_active AND NOT workflow.unchecked AND parent.depth < $7 AND NOT EXISTS (SELECT FROM known)
            AND (NOT organization.is_limited OR $9 IS TRUE)
        ON CONFLICT (parent_execution_id, parent_path) WHERE parent_execution_id IS NOT NULL DO NOTHING
        RETURNING id
    ), ",
    count_inserted!(
        "(SELECT organization_id FROM parent)",
        concat!("coalesce($8, ", month!(), ")"),
        concat!("CASE WHEN $8 IS NULL THEN ", any_slot!(), " ELSE 0 END")
    ),
    "SELECT parent.depth >= $7 AS too_deep, (SELECT is_active FROM workflow) AS is_active,
        (SELECT revision FROM workflow WHERE unchecked) AS unchecked,
        coalesce((SELECT is_limited FROM organization), false) AS is_limited,
        coalesce((SELECT id FROM known), (SELECT id FROM inserted)) AS child
    FROM parent"
);

/// The parent's lock comes before the month's, as everywhere: whoever ends executions has theirs before it counts any.
const LOCK: &str = concat!(
    "WITH parent AS (
        SELECT organization_id FROM executions
        WHERE id = $1 AND status = 'RUNNING' AND attempt = $2 FOR UPDATE
    )
    SELECT parent.organization_id, ",
    limit_of!("o.tier"),
    " AS monthly_limit FROM parent JOIN organizations o ON o.id = parent.organization_id"
);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Bool)]
    too_deep: bool,
    #[diesel(sql_type = Nullable<Bool>)]
    is_active: Option<bool>,
    /// The newest revision, where the input has to be checked against its schema.
    #[diesel(sql_type = Nullable<Integer>)]
    unchecked: Option<i32>,
    #[diesel(sql_type = Bool)]
    is_limited: bool,
    #[diesel(sql_type = Nullable<Text>)]
    child: Option<String>,
}

#[derive(QueryableByName)]
struct Parent {
    #[diesel(sql_type = Text)]
    organization_id: String,
    #[diesel(sql_type = Nullable<Integer>)]
    monthly_limit: Option<i32>,
}

pub(super) async fn start_child(pool: &PostgresPool, child: &StartChild) -> Result<ChildStarted, Error> {
    loop {
        let unlimited = child.clone();
        let started = pool
            .run_as_system(move |connection| {
                Box::pin(async move { start(connection, &unlimited, None).await })
            })
            .await?;
        let started = match started {
            Started::Limited => start_within(pool, child.clone()).await?,
            started => started,
        };
        match started {
            Started::Answer(answer) => return Ok(answer),
            // Another request for this path was committed after this statement began, and the next one sees its child; or
            // the organization's tier has changed.
            Started::Overtaken | Started::Limited => {}
        }
    }
}

/// In an organization with a limit: both locks are had before the statement that counts begins.
async fn start_within(pool: &PostgresPool, child: StartChild) -> Result<Started, Error> {
    let transaction = pool.transaction_as_system(move |connection| {
        Box::pin(async move {
            let parent = sql_query(LOCK)
                .bind::<Text, _>(child.parent.as_str())
                .bind::<Integer, _>(child.attempt);
            let Some(parent) = Cached(parent).load::<Parent>(connection).await?.pop() else {
                return Ok(Started::Answer(ChildStarted::Lost));
            };
            let Some(limit) = parent.monthly_limit else {
                return Ok(Started::Overtaken);
            };
            let locked = lock(connection, &parent.organization_id).await?;
            let limit = u32::try_from(limit).unwrap_or_default();
            start(connection, &child, Some((limit, locked))).await
        })
    });
    transaction.await
}

enum Started {
    Answer(ChildStarted),
    /// It is known that there is a limit, and not whether there is room.
    Limited,
    Overtaken,
}

async fn start(
    connection: &mut AsyncPgConnection,
    child: &StartChild,
    limit: Option<(u32, Locked)>,
) -> Result<Started, Error> {
    let has_room = limit.as_ref().map(|(limit, locked)| locked.has_room(*limit));
    let start = sql_query(START)
        .bind::<Text, _>(child.parent.as_str())
        .bind::<Integer, _>(child.attempt)
        .bind::<Text, _>(&child.path)
        .bind::<Text, _>(child.id.as_str())
        .bind::<Text, _>(child.workflow_id.as_str())
        .bind::<Text, _>(&*child.input)
        .bind::<Integer, _>(child.max_depth)
        .bind::<Nullable<Text>, _>(limit.as_ref().map(|(_, locked)| locked.month.as_str()))
        .bind::<Nullable<Bool>, _>(has_room)
        .bind::<Nullable<Integer>, _>(child.checked);
    let Some(row) = Cached(start).load::<Row>(connection).await?.pop() else {
        return Ok(Started::Answer(ChildStarted::Lost));
    };
    let answer = match (row.child, row.is_active, row.unchecked) {
        (Some(id), ..) => ChildStarted::Yes(parse("execution id", &id)?),
        (None, ..) if row.too_deep => ChildStarted::TooDeep,
        (None, None, _) => ChildStarted::UnknownWorkflow,
        (None, Some(false), _) => ChildStarted::InactiveWorkflow,
        (None, Some(true), Some(revision)) => ChildStarted::Unchecked { revision },
        (None, Some(true), None) => match limit {
            Some((limit, locked)) if !locked.has_room(limit) => {
                ChildStarted::LimitReached(locked.reached(limit, 0))
            }
            None if row.is_limited => return Ok(Started::Limited),
            _ => return Ok(Started::Overtaken),
        },
    };
    Ok(Started::Answer(answer))
}
