use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::result::Error as Failure;
use diesel::sql_types::{Array, Bool, Double, Integer, Nullable, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use gristmill_core::ExecutionId;

use super::jobs::seconds;
use crate::cached::Cached;
use crate::parse::parse;
use crate::postgres_pool::{PostgresPool, Session, Shared};
use crate::protocol::{Accepted, Start, Submit, Submitted};
use crate::sql_types::{Moment, Timestamp};
use crate::{Error, Tenant};

/// Two producers, or one that retries, send the same key at the same moment: the unique index lets one row in, and makes
/// the other insert wait for that row's commit before it does nothing. Inserting in the order of the keys keeps two
/// groups that share several keys from waiting for each other.
///
/// The workflow is saved with another input schema between the caller's check and this insert: the guard on the revision
/// sends the caller back, and no input runs against a schema that it does not meet.
///
/// What is submitted to a paused workflow is held: WAITING, without a clock. Should the workflow be resumed while this
/// statement runs, `release_held` finds the row a little later.
///
/// Members and what was inserted are brought together by grouping: a join of the two would compare each with each, for
/// neither has an index.
const INSERT: &str = "
    WITH member AS (
        SELECT member.*, w.revision, w.lane, w.timeout_ms, w.is_active, w.paused_at IS NOT NULL AS paused,
            w.checks_input AND member.checked IS DISTINCT FROM w.revision AS unchecked,
            CASE WHEN member.start_at > clock_timestamp() THEN member.start_at END AS later
        FROM (
            SELECT id, workflow_id, input, idempotency_key, request_hash, checked, place,
                coalesce(start_at, clock_timestamp() + make_interval(secs => start_in)) AS start_at
            FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $8::timestamptz[], $9::float8[],
                $10::int[]) WITH ORDINALITY
                AS member (id, workflow_id, input, idempotency_key, request_hash, start_at, start_in, checked, place)
        ) AS member
        LEFT JOIN workflows w
            ON w.organization_id = $1 AND w.id = member.workflow_id AND w.deleted_at IS NULL
    ), inserted AS (
        INSERT INTO executions (id, organization_id, workflow_id, revision, lane, timeout_ms, status, waits_for, wake_at,
            idempotency_key, request_hash, input)
        SELECT id, $1, workflow_id, revision, lane, timeout_ms,
            CASE WHEN later IS NULL AND NOT paused THEN 'PENDING' ELSE 'WAITING' END,
            CASE WHEN later IS NOT NULL THEN 'start' WHEN paused THEN 'paused' END,
            CASE WHEN later IS NOT NULL THEN later
                WHEN NOT paused THEN clock_timestamp() + make_interval(secs => $7) END,
            idempotency_key, request_hash, input
        FROM member WHERE is_active AND NOT unchecked ORDER BY idempotency_key, place
        ON CONFLICT (organization_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
        RETURNING id, created_at
    )
    SELECT max(revision) AS revision, max(lane) AS lane, bool_and(is_active) AS is_active,
        bool_or(unchecked) AS unchecked, bool_or(paused) AS paused, max(later) AS later, max(created_at) AS created_at
    FROM (
        SELECT id, place, revision, lane, is_active, unchecked, paused, later, NULL::timestamptz AS created_at FROM member
        UNION ALL SELECT id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, created_at FROM inserted
    ) both_sides
    GROUP BY id ORDER BY min(place)";

const KNOWN: &str = "
    SELECT idempotency_key, id, request_hash FROM executions
    WHERE organization_id = $1 AND idempotency_key = ANY($2::text[])";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<Integer>)]
    revision: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    lane: Option<String>,
    #[diesel(sql_type = Nullable<Bool>)]
    is_active: Option<bool>,
    #[diesel(sql_type = Nullable<Bool>)]
    unchecked: Option<bool>,
    #[diesel(sql_type = Nullable<Bool>)]
    paused: Option<bool>,
    #[diesel(sql_type = Nullable<Moment>)]
    later: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Moment>)]
    created_at: Option<Timestamp>,
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Text)]
    idempotency_key: String,
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    request_hash: String,
}

pub(super) async fn submit(
    pool: &PostgresPool,
    tenant: &Tenant,
    members: &[Submit],
    publish_within: Duration,
) -> Result<Vec<Submitted>, Error> {
    let members = members.to_vec();
    pool.session(tenant, move |session| {
        Box::pin(async move {
            let rows = session
                .statement(insert(session, &members, publish_within))
                .await?;
            // A statement of its own: the insert's snapshot does not see the row that it had to wait for.
            // What was inserted is committed by now, so a failure here leaves the outcome unknown, and is none to redo after.
            let known = known(session, &members, &rows)
                .await
                .map_err(Error::into_unknown)?;
            members
                .iter()
                .zip(rows)
                .map(|(member, row)| outcome(member, row, &known))
                .collect()
        })
    })
    .await
}

async fn insert(
    session: Session<'_>,
    members: &[Submit],
    publish_within: Duration,
) -> Result<Vec<Row>, Error> {
    let insert = sql_query(INSERT)
        .bind::<Text, _>(session.tenant.0.as_str())
        .bind::<Array<Text>, _>(
            members
                .iter()
                .map(|member| member.id.as_str())
                .collect::<Vec<_>>(),
        )
        .bind::<Array<Text>, _>(
            members
                .iter()
                .map(|member| member.workflow_id.as_str())
                .collect::<Vec<_>>(),
        )
        .bind::<Array<Text>, _>(members.iter().map(|member| &member.input).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(
            members
                .iter()
                .map(|member| member.idempotency_key.as_deref())
                .collect::<Vec<_>>(),
        )
        .bind::<Array<Text>, _>(
            members
                .iter()
                .map(|member| &member.request_hash)
                .collect::<Vec<_>>(),
        )
        .bind::<Double, _>(seconds(publish_within))
        .bind::<Array<Nullable<Moment>>, _>(
            members
                .iter()
                .map(|member| start_at(member.start))
                .collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<Double>>, _>(
            members
                .iter()
                .map(|member| start_in(member.start))
                .collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<Integer>>, _>(members.iter().map(|member| member.checked).collect::<Vec<_>>());
    Ok(Cached(insert).load(&mut &*session.connection).await?)
}

fn start_at(start: Start) -> Option<Timestamp> {
    match start {
        Start::At(time) => Some(Timestamp(time)),
        Start::Now | Start::In(_) => None,
    }
}

fn start_in(start: Start) -> Option<f64> {
    match start {
        Start::In(delay) => Some(seconds(delay)),
        Start::Now | Start::At(_) => None,
    }
}

/// The executions behind the keys of members that were not inserted.
async fn known(
    session: Session<'_>,
    members: &[Submit],
    rows: &[Row],
) -> Result<HashMap<String, Known>, Error> {
    let keys: Vec<_> = members
        .iter()
        .zip(rows)
        .filter(|(_, row)| row.created_at.is_none())
        .filter_map(|(member, _)| member.idempotency_key.as_deref())
        .collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let mut connection = session.connection;
    let load = load_known(&mut connection, session.tenant.0.as_str(), keys);
    Ok(session
        .read(load)
        .await?
        .into_iter()
        .map(|known| (known.idempotency_key.clone(), known))
        .collect())
}

async fn load_known(
    connection: Shared<'_>,
    organization_id: &str,
    keys: Vec<&str>,
) -> Result<Vec<Known>, Error> {
    let known = sql_query(KNOWN)
        .bind::<Text, _>(organization_id)
        .bind::<Array<Text>, _>(keys);
    Ok(Cached(known).load(connection).await?)
}

/// The execution behind a key, and the hash of the request that made it.
pub(super) async fn known_by_key(
    connection: Shared<'_>,
    organization_id: &str,
    key: &str,
) -> Result<Option<(ExecutionId, String)>, Error> {
    let known = load_known(connection, organization_id, vec![key]).await?.pop();
    known
        .map(|known| Ok((parse("execution id", &known.id)?, known.request_hash)))
        .transpose()
}

fn outcome(member: &Submit, row: Row, known: &HashMap<String, Known>) -> Result<Submitted, Error> {
    if let (Some(revision), Some(lane), Some(created_at)) = (row.revision, row.lane, row.created_at) {
        let created_at: DateTime<Utc> = created_at.into();
        return Ok(Submitted::Accepted(Accepted {
            id: member.id.clone(),
            revision,
            lane,
            created_at,
            held: row.paused == Some(true) && row.later.is_none(),
            starts_at: row.later.map(Into::into),
        }));
    }
    // A known key is answered whatever has become of the workflow since.
    if let Some(known) = member.idempotency_key.as_ref().and_then(|key| known.get(key)) {
        let id = parse("execution id", &known.id)?;
        let same = known.request_hash == member.request_hash;
        return Ok(if same {
            Submitted::Known(id)
        } else {
            Submitted::KeyReused(id)
        });
    }
    match (row.is_active, row.revision) {
        (None, _) | (_, None) => Ok(Submitted::UnknownWorkflow),
        (Some(false), _) => Ok(Submitted::InactiveWorkflow),
        (Some(true), Some(revision)) if row.unchecked == Some(true) => Ok(Submitted::Unchecked { revision }),
        // The execution behind the key was deleted between the two statements: the key is free again.
        (Some(true), Some(_)) => Err(Error::Busy(Failure::NotFound)),
    }
}
