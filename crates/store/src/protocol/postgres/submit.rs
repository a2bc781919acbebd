use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::result::Error as Failure;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text};
use diesel_async::RunQueryDsl;
use gristmill_core::ExecutionId;

use super::parts::jobs::seconds;
use super::parts::tags::tag_inserted;
use super::parts::usage::{any_slot, count_inserted, lock, month};
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::parse::parse;
use crate::connection::postgres::{PostgresPool, Session, Shared};
use crate::connection::sql_types::{Moment, Timestamp};
use crate::protocol::facts::reason;
use crate::protocol::{Accepted, Start, Submit, Submitted};
use crate::{Error, Reached, Tenant};

/// Two producers, or one that retries, send the same key at the same moment: the unique index lets one row in, and makes
/// the other insert wait for that row's commit before it does nothing. Inserting in the order of the keys keeps two
/// groups that share several keys from waiting for each other.
///
/// The workflow is saved with another input schema between the caller's check and this insert: the guard on the revision
/// sends the caller back, and no input runs against a schema that it does not meet.
///
/// What is submitted to a paused workflow waits for it: WAITING, without a clock. Should the workflow be resumed while this
/// statement runs, `resume_paused` finds the row a little later.
///
/// Members and what was inserted are brought together by grouping: a join of the two would compare each with each, for
/// neither has an index.
///
/// `$candidates` makes `candidate`, those that are to be inserted, from `member`, and `fresh`, which says of each member
/// whether a limit is all that may keep it out. `$tagged` is [`tag_inserted`], or nothing where no member has tags.
macro_rules! insert {
    ($candidates:expr, $month:expr, $slot:expr, $tagged:expr) => {
        concat!(
            "WITH member AS (
                SELECT member.*, w.revision, w.lane, w.timeout_ms, w.is_active, w.paused_at IS NOT NULL AS paused,
                    w.checks_input AND member.checked IS DISTINCT FROM w.revision AS unchecked,
                    CASE WHEN member.start_at > clock_timestamp() THEN member.start_at END AS later
                FROM (
                    SELECT id, workflow_id, input, idempotency_key, request_hash, checked, tags, metadata, place,
                        coalesce(start_at, clock_timestamp() + make_interval(secs => start_in)) AS start_at
                    FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $8::timestamptz[],
                        $9::float8[], $10::int[], $11::text[], $12::text[]) WITH ORDINALITY
                        AS member (id, workflow_id, input, idempotency_key, request_hash, start_at, start_in, checked,
                            tags, metadata, place)
                ) AS member
                LEFT JOIN workflows w
                    ON w.organization_id = $1 AND w.id = member.workflow_id AND w.deleted_at IS NULL
            ), ",
            $candidates,
            ", inserted AS (
                INSERT INTO executions (id, organization_id, workflow_id, revision, lane, timeout_ms, status, waits_for,
                    wake_at, idempotency_key, request_hash, input, tags, metadata)
                SELECT id, $1, workflow_id, revision, lane, timeout_ms,
                    CASE WHEN later IS NULL AND NOT paused THEN 'PENDING' ELSE 'WAITING' END,
                    CASE WHEN later IS NOT NULL THEN ",
    reason!(Start),
    " WHEN paused THEN ",
    reason!(Paused),
    " END,
                    CASE WHEN later IS NOT NULL THEN later
                        WHEN NOT paused THEN clock_timestamp() + make_interval(secs => $7) END,
                    idempotency_key, request_hash, input, tags, metadata
                FROM candidate ORDER BY idempotency_key, place
                ON CONFLICT (organization_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
                RETURNING id, created_at, tags
            ), ",
            $tagged,
            count_inserted!("$1", $month, $slot),
            "SELECT max(revision) AS revision, max(lane) AS lane, bool_and(is_active) AS is_active,
                bool_or(unchecked) AS unchecked, bool_or(paused) AS paused, bool_or(is_fresh) AS is_fresh,
                max(later) AS later, max(created_at) AS created_at
            FROM (
                SELECT id, place, revision, lane, is_active, unchecked, paused, is_fresh, later,
                    NULL::timestamptz AS created_at
                FROM fresh
                UNION ALL SELECT id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, created_at FROM inserted
            ) both_sides
            GROUP BY id ORDER BY min(place)"
        )
    };
}

/// Of members without a limit, all.
macro_rules! insert_all {
    ($tagged:expr) => {
        insert!(
            "fresh AS (
                SELECT member.*, false AS is_fresh FROM member
            ), candidate AS (
                SELECT * FROM fresh WHERE is_active AND NOT unchecked
            )",
            month!(),
            any_slot!(),
            $tagged
        )
    };
}

/// Of members that have a limit, the first that fit. Those that would not be inserted anyway, because their key is known or
/// stands in the group already, take no place; whoever holds the month's lock has seen every key that others with a limit
/// have used.
macro_rules! insert_within {
    ($tagged:expr) => {
        insert!(
            "fresh AS (
                SELECT member.*, is_active AND NOT unchecked AND (
                    idempotency_key IS NULL
                    OR row_number() OVER (PARTITION BY idempotency_key, is_active AND NOT unchecked ORDER BY member.place) = 1
                    AND NOT EXISTS (
                        SELECT FROM executions e
                        WHERE e.organization_id = $1 AND e.idempotency_key = member.idempotency_key
                    )
                ) AS is_fresh
                FROM (
                    SELECT *, ($13::int8[])[place] AS monthly_limit FROM member
                ) member
            ), candidate AS (
                SELECT * FROM (
                    SELECT *, count(*) FILTER (WHERE is_fresh) OVER (ORDER BY place) AS nth FROM fresh
                ) counting
                WHERE is_fresh AND (monthly_limit IS NULL OR $14 + nth <= monthly_limit)
            )",
            "$15",
            "0",
            $tagged
        )
    };
}

const INSERT: &str = insert_all!("");
const INSERT_TAGGED: &str = insert_all!(tag_inserted!());
const INSERT_WITHIN: &str = insert_within!("");
const INSERT_WITHIN_TAGGED: &str = insert_within!(tag_inserted!());

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
    /// Whether nothing but a limit kept it out, if it was kept out.
    #[diesel(sql_type = Nullable<Bool>)]
    is_fresh: Option<bool>,
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

/// A statement with the members of a group as its first parameters; what else it takes is bound after them.
macro_rules! bind_members {
    ($statement:expr, $organization_id:expr, $members:expr, $publish_within:expr) => {{
        let members: &[Submit] = $members;
        sql_query($statement)
            .bind::<Text, _>($organization_id)
            .bind::<Array<Text>, _>(column(members, |member| member.id.as_str()))
            .bind::<Array<Text>, _>(column(members, |member| member.workflow_id.as_str()))
            .bind::<Array<Text>, _>(column(members, |member| &*member.input))
            .bind::<Array<Nullable<Text>>, _>(column(members, |member| member.idempotency_key.as_deref()))
            .bind::<Array<Text>, _>(column(members, |member| &member.request_hash))
            .bind::<Double, _>(seconds($publish_within))
            .bind::<Array<Nullable<Moment>>, _>(column(members, |member| start_at(member.start)))
            .bind::<Array<Nullable<Double>>, _>(column(members, |member| start_in(member.start)))
            .bind::<Array<Nullable<Integer>>, _>(column(members, |member| member.checked))
            .bind::<Array<Nullable<Text>>, _>(column(members, |member| member.tags.as_deref()))
            .bind::<Array<Nullable<Text>>, _>(column(members, |member| member.metadata.as_deref()))
    }};
}

pub(super) async fn submit(
    pool: &PostgresPool,
    tenant: &Tenant,
    members: &[Submit],
    publish_within: Duration,
) -> Result<Vec<Submitted>, Error> {
    let members = members.to_vec();
    if members.iter().any(|member| member.monthly_limit.is_some()) {
        return submit_within(pool, tenant, members, publish_within).await;
    }
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
                .map(|(member, row)| outcome(member, row, &known, None))
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
    let statement = if any_tagged(members) {
        INSERT_TAGGED
    } else {
        INSERT
    };
    let insert = bind_members!(statement, session.tenant.0.as_str(), members, publish_within);
    Ok(Cached(insert).load(&mut &*session.connection).await?)
}

/// With limits: what was used is locked first, and the insert's snapshot is of a time after that.
async fn submit_within(
    pool: &PostgresPool,
    tenant: &Tenant,
    members: Vec<Submit>,
    publish_within: Duration,
) -> Result<Vec<Submitted>, Error> {
    let organization_id = tenant.0.to_string();
    let transaction = pool.transaction_in(tenant, move |connection| {
        Box::pin(async move {
            let locked = lock(connection, &organization_id).await?;
            let limits = members
                .iter()
                .map(|member| member.monthly_limit.map(i64::from))
                .collect::<Vec<_>>();
            let statement = if any_tagged(&members) {
                INSERT_WITHIN_TAGGED
            } else {
                INSERT_WITHIN
            };
            let insert = bind_members!(statement, &organization_id, &members, publish_within)
                .bind::<Array<Nullable<BigInt>>, _>(limits)
                .bind::<BigInt, _>(locked.used)
                .bind::<Text, _>(&locked.month);
            let rows: Vec<Row> = Cached(insert).load(connection).await?;
            let keys = not_inserted(&members, &rows);
            let known = load_known(&mut &*connection, &organization_id, keys).await?;
            let admitted = rows.iter().filter(|row| row.created_at.is_some()).count() as i64;
            members
                .iter()
                .zip(rows)
                .map(|(member, row)| {
                    let reached = member.monthly_limit.map(|limit| locked.reached(limit, admitted));
                    outcome(member, row, &known, reached)
                })
                .collect()
        })
    });
    transaction.await
}

/// Most groups have no tags, and a statement that has no part for them costs less.
fn any_tagged(members: &[Submit]) -> bool {
    members.iter().any(|member| member.tags.is_some())
}

fn column<'a, T>(members: &'a [Submit], value: impl Fn(&'a Submit) -> T) -> Vec<T> {
    members.iter().map(value).collect()
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

/// The keys of members that were not inserted.
fn not_inserted<'m>(members: &'m [Submit], rows: &[Row]) -> Vec<&'m str> {
    members
        .iter()
        .zip(rows)
        .filter(|(_, row)| row.created_at.is_none())
        .filter_map(|(member, _)| member.idempotency_key.as_deref())
        .collect()
}

/// The executions behind the keys of members that were not inserted.
async fn known(
    session: Session<'_>,
    members: &[Submit],
    rows: &[Row],
) -> Result<HashMap<String, Known>, Error> {
    let keys = not_inserted(members, rows);
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let mut connection = session.connection;
    let load = load_known(&mut connection, session.tenant.0.as_str(), keys);
    session.read(load).await
}

/// The executions behind these keys, by key.
async fn load_known(
    connection: Shared<'_>,
    organization_id: &str,
    keys: Vec<&str>,
) -> Result<HashMap<String, Known>, Error> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let known = sql_query(KNOWN)
        .bind::<Text, _>(organization_id)
        .bind::<Array<Text>, _>(keys);
    let known: Vec<Known> = Cached(known).load(connection).await?;
    Ok(known
        .into_iter()
        .map(|known| (known.idempotency_key.clone(), known))
        .collect())
}

/// The execution behind a key, and the hash of the request that made it.
pub(super) async fn known_by_key(
    connection: Shared<'_>,
    organization_id: &str,
    key: &str,
) -> Result<Option<(ExecutionId, String)>, Error> {
    let known = load_known(connection, organization_id, vec![key])
        .await?
        .remove(key);
    known
        .map(|known| Ok((parse("execution id", &known.id)?, known.request_hash)))
        .transpose()
}

fn outcome(
    member: &Submit,
    row: Row,
    known: &HashMap<String, Known>,
    reached: Option<Reached>,
) -> Result<Submitted, Error> {
    if let (Some(revision), Some(lane), Some(created_at)) = (row.revision, row.lane, row.created_at) {
        let created_at: DateTime<Utc> = created_at.into();
        return Ok(Submitted::Accepted(Accepted {
            id: member.id.clone(),
            revision,
            lane,
            created_at,
            paused: row.paused == Some(true) && row.later.is_none(),
            starts_at: row.later.map(Into::into),
        }));
    }
    // A known key is answered whatever has become of the workflow since.
    if let Some(known) = member.idempotency_key.as_ref().and_then(|key| known.get(key)) {
        return Ok(member.repeats(parse("execution id", &known.id)?, &known.request_hash));
    }
    match (row.is_active, row.revision, reached) {
        (None, ..) | (_, None, _) => Ok(Submitted::UnknownWorkflow),
        (Some(false), ..) => Ok(Submitted::InactiveWorkflow),
        (Some(true), Some(revision), _) if row.unchecked == Some(true) => {
            Ok(Submitted::Unchecked { revision })
        }
        // Of equal keys in one group only the first is fresh. When that one found no room, its key is known to nobody, and
        // the others find none either.
        (Some(true), Some(_), Some(reached))
            if row.is_fresh == Some(true) || reached.used >= i64::from(reached.limit) =>
        {
            Ok(Submitted::LimitReached(reached))
        }
        // The execution behind the key was deleted between the two statements: the key is free again.
        (Some(true), Some(_), _) => Err(Error::Busy(Failure::NotFound)),
    }
}
