//! PENDING: recorded, never lost again.

use std::time::Duration;

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, SqliteConnection};
use gristmill_core::{ExecutionId, OrganizationId, WaitReason};

use super::parts::tags::tag;
use super::parts::usage::Tally;
use super::parts::values::micros;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::parse::parse;
use crate::connection::sql_types::{Moment, Timestamp};
use crate::connection::sqlite::SqlitePool;
use crate::protocol::facts::reason;
use crate::{Accepted, Error, Start, Submit, Submitted, Tenant};

const KNOWN: &str = "
    SELECT id, request_hash FROM executions
    WHERE organization_id = ?1 AND idempotency_key = ?2";

const WORKFLOW: &str = "
    SELECT revision, lane, timeout_ms, is_active, checks_input, paused_at IS NOT NULL AS paused FROM workflows
    WHERE organization_id = ?1 AND id = ?2 AND deleted_at IS NULL";

/// What is submitted to a paused workflow waits for it: WAITING, without a clock.
const INSERT: &str = concat!(
    "INSERT INTO executions
         (id, organization_id, workflow_id, revision, lane, idempotency_key, request_hash, input, timeout_ms, tags, metadata,
         status, waits_for, wake_at)
     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?12, ?14, ?15,
         CASE WHEN start.at > start.now OR ?13 THEN 'WAITING' ELSE 'PENDING' END,
         CASE WHEN start.at > start.now THEN ",
    reason!(Start),
    " WHEN ?13 THEN ",
    reason!(Paused),
    " END,
         CASE WHEN start.at > start.now THEN start.at WHEN NOT ?13 THEN start.now + ?9 END
     FROM (SELECT now, coalesce(?10, now + ?11) AS at FROM (SELECT ",
    now!(),
    " AS now)) AS start
     RETURNING created_at, waits_for, wake_at"
);

pub(super) async fn submit(
    pool: &SqlitePool,
    tenant: &Tenant,
    members: &[Submit],
    publish_within: Duration,
) -> Result<Vec<Submitted>, Error> {
    let (organization_id, members) = (tenant.0.clone(), members.to_vec());
    let publish_within = micros(publish_within);
    pool.transaction_blocking(move |connection| {
        let mut tally = Tally::read(connection, organization_id.as_str())?;
        let answers = members
            .iter()
            .map(|member| submit_one(connection, &organization_id, member, publish_within, &mut tally))
            .collect::<Result<_, _>>()?;
        tally.save(connection, organization_id.as_str())?;
        Ok(answers)
    })
    .await
}

fn submit_one(
    connection: &mut SqliteConnection,
    organization_id: &OrganizationId,
    member: &Submit,
    publish_within: i64,
    tally: &mut Tally,
) -> Result<Submitted, Error> {
    // The key before the workflow: a producer that asks again gets its execution even when the workflow was switched
    // off in the meantime. Members before this one in the group are seen as well.
    if let Some(key) = &member.idempotency_key
        && let Some((id, hash)) = known_by_key(connection, organization_id, key)?
    {
        return Ok(member.repeats(id, &hash));
    }
    let query = sql_query(WORKFLOW)
        .bind::<Text, _>(organization_id.as_str())
        .bind::<Text, _>(member.workflow_id.as_str());
    let workflow: Option<Workflow> = Cached(query).get_result(connection).optional()?;
    let Some(workflow) = workflow else {
        return Ok(Submitted::UnknownWorkflow);
    };
    if !workflow.is_active {
        return Ok(Submitted::InactiveWorkflow);
    }
    // The workflow may have been saved with another input schema since the caller checked.
    if workflow.checks_input && member.checked != Some(workflow.revision) {
        return Ok(Submitted::Unchecked {
            revision: workflow.revision,
        });
    }
    if let Some(reached) = tally.reached(member.monthly_limit) {
        return Ok(Submitted::LimitReached(reached));
    }
    let (start_at, start_in) = match member.start {
        Start::Now => (None, None),
        Start::At(time) => (Some(Timestamp(time)), None),
        Start::In(delay) => (None, Some(micros(delay))),
    };
    let query = sql_query(INSERT)
        .bind::<Text, _>(member.id.as_str())
        .bind::<Text, _>(organization_id.as_str())
        .bind::<Text, _>(member.workflow_id.as_str())
        .bind::<Integer, _>(workflow.revision)
        .bind::<Text, _>(&workflow.lane)
        .bind::<Nullable<Text>, _>(member.idempotency_key.as_deref())
        .bind::<Text, _>(&member.request_hash)
        .bind::<Text, _>(&*member.input)
        .bind::<BigInt, _>(publish_within)
        .bind::<Nullable<Moment>, _>(start_at)
        .bind::<Nullable<BigInt>, _>(start_in)
        .bind::<Nullable<BigInt>, _>(workflow.timeout_ms)
        .bind::<Bool, _>(workflow.paused)
        .bind::<Nullable<Text>, _>(member.tags.as_deref())
        .bind::<Nullable<Text>, _>(member.metadata.as_deref());
    let inserted: Inserted = Cached(query).get_result(connection)?;
    let waits_for = inserted.waits_for.map(WaitReason::from);
    if member.tags.is_some() {
        tag(connection, member.id.as_str())?;
    }
    tally.add();
    Ok(Submitted::Accepted(Accepted {
        id: member.id.clone(),
        revision: workflow.revision,
        lane: workflow.lane,
        created_at: inserted.created_at.into(),
        paused: waits_for == Some(WaitReason::Paused),
        starts_at: inserted
            .wake_at
            .filter(|_| waits_for == Some(WaitReason::Start))
            .map(Into::into),
    }))
}

/// The execution behind a key, and the hash of the request that made it.
pub(super) fn known_by_key(
    connection: &mut SqliteConnection,
    organization_id: &OrganizationId,
    key: &str,
) -> Result<Option<(ExecutionId, String)>, Error> {
    let query = sql_query(KNOWN)
        .bind::<Text, _>(organization_id.as_str())
        .bind::<Text, _>(key);
    let known: Option<Known> = Cached(query).get_result(connection).optional()?;
    known
        .map(|known| Ok((parse("execution id", &known.id)?, known.request_hash)))
        .transpose()
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    request_hash: String,
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
    #[diesel(sql_type = Bool)]
    paused: bool,
}

#[derive(QueryableByName)]
struct Inserted {
    #[diesel(sql_type = Moment)]
    created_at: Timestamp,
    #[diesel(sql_type = Nullable<Text>)]
    waits_for: Option<String>,
    #[diesel(sql_type = Nullable<Moment>)]
    wake_at: Option<Timestamp>,
}
