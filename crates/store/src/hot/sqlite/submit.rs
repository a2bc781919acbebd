//! PENDING: recorded, never lost again.

use std::time::Duration;

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use gristmill_core::OrganizationId;

use super::members::each;
use super::values::micros;
use crate::cached::Cached;
use crate::parse::parse;
use crate::sql_types::{Moment, Timestamp};
use crate::sqlite_pool::SqlitePool;
use crate::{Accepted, Error, Submit, Submitted, Tenant};

const KNOWN: &str = "
    SELECT id, request_hash FROM executions
    WHERE organization_id = ?1 AND idempotency_key = ?2";

const WORKFLOW: &str = "
    SELECT revision, lane, is_active FROM workflows
    WHERE organization_id = ?1 AND id = ?2";

const INSERT: &str = concat!(
    "INSERT INTO executions
         (id, organization_id, workflow_id, revision, lane, idempotency_key, request_hash, input, wake_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ",
    now!(),
    " + ?9)
     RETURNING created_at"
);

pub(super) async fn submit(
    pool: &SqlitePool,
    tenant: &Tenant,
    members: &[Submit],
    publish_within: Duration,
) -> Result<Vec<Submitted>, Error> {
    let organization_id = tenant.0.clone();
    let publish_within = micros(publish_within);
    each(pool, members, move |connection, member| {
        submit_one(connection, &organization_id, member, publish_within)
    })
    .await
}

fn submit_one(
    connection: &mut SqliteConnection,
    organization_id: &OrganizationId,
    member: &Submit,
    publish_within: i64,
) -> Result<Submitted, Error> {
    // The key before the workflow: a producer that asks again gets its execution even when the workflow was switched
    // off in the meantime. Members before this one in the group are seen as well.
    if let Some(known) = find_known(connection, organization_id, member)? {
        return Ok(known);
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
    let query = sql_query(INSERT)
        .bind::<Text, _>(member.id.as_str())
        .bind::<Text, _>(organization_id.as_str())
        .bind::<Text, _>(member.workflow_id.as_str())
        .bind::<Integer, _>(workflow.revision)
        .bind::<Text, _>(&workflow.lane)
        .bind::<Nullable<Text>, _>(member.idempotency_key.as_deref())
        .bind::<Text, _>(&member.request_hash)
        .bind::<Text, _>(&member.input)
        .bind::<BigInt, _>(publish_within);
    let inserted: Inserted = Cached(query).get_result(connection)?;
    Ok(Submitted::Accepted(Accepted {
        id: member.id.clone(),
        revision: workflow.revision,
        lane: workflow.lane,
        created_at: inserted.created_at.into(),
    }))
}

fn find_known(
    connection: &mut SqliteConnection,
    organization_id: &OrganizationId,
    member: &Submit,
) -> Result<Option<Submitted>, Error> {
    let Some(key) = &member.idempotency_key else {
        return Ok(None);
    };
    let query = sql_query(KNOWN)
        .bind::<Text, _>(organization_id.as_str())
        .bind::<Text, _>(key);
    let known: Option<Known> = Cached(query).get_result(connection).optional()?;
    let Some(known) = known else { return Ok(None) };
    let id = parse("execution id", &known.id)?;
    let same = known.request_hash == member.request_hash;
    Ok(Some(if same {
        Submitted::Known(id)
    } else {
        Submitted::KeyReused(id)
    }))
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
    #[diesel(sql_type = Bool)]
    is_active: bool,
}

#[derive(QueryableByName)]
struct Inserted {
    #[diesel(sql_type = Moment)]
    created_at: Timestamp,
}
