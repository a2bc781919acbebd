use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::result::Error as Failure;
use diesel::sql_types::{Array, Bool, Double, Integer, Nullable, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::jobs::seconds;
use crate::cached::Cached;
use crate::parse::parse;
use crate::postgres_pool::PostgresPool;
use crate::protocol::{Accepted, Submit, Submitted};
use crate::sql_types::{Moment, Timestamp};
use crate::{Error, Tenant};

/// Two producers, or one that retries, send the same key at the same moment: the unique index lets one row in, and makes
/// the other insert wait for that row's commit before it does nothing. Inserting in the order of the keys keeps two
/// groups that share several keys from waiting for each other.
///
/// Members and what was inserted are brought together by grouping: a join of the two would compare each with each, for
/// neither has an index.
const INSERT: &str = "
    WITH member AS (
        SELECT member.*, w.revision, w.lane, w.is_active
        FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) WITH ORDINALITY
            AS member (id, workflow_id, input, idempotency_key, request_hash, place)
        LEFT JOIN workflows w ON w.organization_id = $1 AND w.id = member.workflow_id
    ), inserted AS (
        INSERT INTO executions
            (id, organization_id, workflow_id, revision, lane, wake_at, idempotency_key, request_hash, input)
        SELECT id, $1, workflow_id, revision, lane, clock_timestamp() + make_interval(secs => $7),
            idempotency_key, request_hash, input
        FROM member WHERE is_active ORDER BY idempotency_key, place
        ON CONFLICT (organization_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
        RETURNING id, created_at
    )
    SELECT max(revision) AS revision, max(lane) AS lane, bool_and(is_active) AS is_active,
        max(created_at) AS created_at
    FROM (
        SELECT id, place, revision, lane, is_active, NULL::timestamptz AS created_at FROM member
        UNION ALL SELECT id, NULL, NULL, NULL, NULL, created_at FROM inserted
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
    let organization_id = tenant.0.to_string();
    let members = members.to_vec();
    pool.run(move |connection| {
        Box::pin(async move {
            let rows = insert(connection, &organization_id, &members, publish_within).await?;
            // A statement of its own: the insert's snapshot does not see the row that it had to wait for.
            // What was inserted is committed by now, so a failure here leaves the outcome unknown, and is none to redo after.
            let known = known(connection, organization_id, &members, &rows)
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
    connection: &mut AsyncPgConnection,
    organization_id: &str,
    members: &[Submit],
    publish_within: Duration,
) -> Result<Vec<Row>, Error> {
    let insert = sql_query(INSERT)
        .bind::<Text, _>(organization_id)
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
        .bind::<Double, _>(seconds(publish_within));
    Ok(Cached(insert).load(connection).await?)
}

/// The executions behind the keys of members that were not inserted.
async fn known(
    connection: &mut AsyncPgConnection,
    organization_id: String,
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
    let known = sql_query(KNOWN)
        .bind::<Text, _>(organization_id)
        .bind::<Array<Text>, _>(keys);
    let known: Vec<Known> = Cached(known).load(connection).await?;
    Ok(known
        .into_iter()
        .map(|known| (known.idempotency_key.clone(), known))
        .collect())
}

fn outcome(member: &Submit, row: Row, known: &HashMap<String, Known>) -> Result<Submitted, Error> {
    if let (Some(revision), Some(lane), Some(created_at)) = (row.revision, row.lane, row.created_at) {
        let created_at: DateTime<Utc> = created_at.into();
        return Ok(Submitted::Accepted(Accepted {
            id: member.id.clone(),
            revision,
            lane,
            created_at,
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
    match row.is_active {
        None => Ok(Submitted::UnknownWorkflow),
        Some(false) => Ok(Submitted::InactiveWorkflow),
        // The execution behind the key was deleted between the two statements: the key is free again.
        Some(true) => Err(Error::Busy(Failure::NotFound)),
    }
}
