//! Replay: an earlier execution's input, once more.

use diesel::sql_types::{Bool, Integer, Nullable, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl};
use serde_json::json;

use super::parts::tags::tag;
use super::parts::usage::Tally;
use super::submit::known_by_key;
use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::sql_types::{Moment, Timestamp};
use crate::connection::sqlite::SqlitePool;
use crate::tables::audit;
use crate::{Accepted, Action, Actor, Error, Replay, Replayed, Tenant};

/// The caller checked the input against a revision: if that is not the newest any more, it has to check again.
const ORIGINAL: &str = "
    SELECT w.is_active, w.paused_at IS NOT NULL AS paused, w.deleted_at IS NOT NULL AS is_deleted, ?3 IS NOT NULL AND ?3 <> w.revision AS is_other,
        CASE WHEN ?3 IS NULL THEN e.revision ELSE w.revision END AS revision,
        CASE WHEN ?3 IS NULL THEN e.lane ELSE w.lane END AS lane
    FROM executions AS e JOIN workflows AS w ON w.organization_id = e.organization_id AND w.id = e.workflow_id
    WHERE e.organization_id = ?1 AND e.id = ?2";

/// A replay has no parent, since nobody waits for it; what handled a failure handles the same failure again.
const REPLAY: &str = concat!(
    "INSERT INTO executions (id, organization_id, workflow_id, revision, lane, timeout_ms, request_hash, input,
         idempotency_key, replay_of, on_failure_of, depth, tags, metadata, status, waits_for, wake_at)
     SELECT ?2, e.organization_id, e.workflow_id, ?3, ?4,
         CASE WHEN ?5 IS NULL THEN e.timeout_ms ELSE w.timeout_ms END, ?6, e.input, ?7, e.id, e.on_failure_of, e.depth,
         e.tags, e.metadata, ",
    due_unless_paused!("w"),
    " FROM executions AS e JOIN workflows AS w ON w.organization_id = e.organization_id AND w.id = e.workflow_id
     WHERE e.id = ?1
     RETURNING created_at"
);

pub(super) async fn replay(
    pool: &SqlitePool,
    tenant: &Tenant,
    actor: &Actor,
    replay: &Replay,
) -> Result<Replayed, Error> {
    let detail = json!({"original": replay.original});
    let entry = audit::insert(tenant, actor, Action::ExecutionReplay, &replay.id, &detail);
    let (organization_id, replay) = (tenant.0.clone(), replay.clone());
    pool.transaction_blocking(move |connection| {
        if let Some(key) = &replay.idempotency_key
            && let Some((id, hash)) = known_by_key(connection, &organization_id, key)?
        {
            return Ok(if hash == replay.request_hash {
                Replayed::Known(id)
            } else {
                Replayed::KeyReused(id)
            });
        }
        let query = sql_query(ORIGINAL)
            .bind::<Text, _>(organization_id.as_str())
            .bind::<Text, _>(replay.original.as_str())
            .bind::<Nullable<Integer>, _>(replay.newest);
        let original: Option<Original> = Cached(query).get_result(connection).optional()?;
        let Some(original) = original else {
            return Ok(Replayed::Unknown);
        };
        if original.is_deleted {
            return Ok(Replayed::DeletedWorkflow);
        }
        if !original.is_active {
            return Ok(Replayed::InactiveWorkflow);
        }
        if original.is_other {
            return Ok(Replayed::OtherRevision);
        }
        let mut tally = Tally::read(connection, organization_id.as_str())?;
        if let Some(reached) = tally.reached(replay.monthly_limit) {
            return Ok(Replayed::LimitReached(reached));
        }
        let query = sql_query(REPLAY)
            .bind::<Text, _>(replay.original.as_str())
            .bind::<Text, _>(replay.id.as_str())
            .bind::<Integer, _>(original.revision)
            .bind::<Text, _>(&original.lane)
            .bind::<Nullable<Integer>, _>(replay.newest)
            .bind::<Text, _>(&replay.request_hash)
            .bind::<Nullable<Text>, _>(replay.idempotency_key.as_deref());
        let inserted: Inserted = Cached(query).get_result(connection)?;
        tag(connection, replay.id.as_str())?;
        tally.add();
        tally.save(connection, organization_id.as_str())?;
        entry.execute(connection)?;
        Ok(Replayed::Accepted(Accepted {
            id: replay.id,
            revision: original.revision,
            lane: original.lane,
            created_at: inserted.created_at.into(),
            paused: original.paused,
            starts_at: None,
        }))
    })
    .await
}

#[derive(QueryableByName)]
struct Original {
    #[diesel(sql_type = Bool)]
    is_active: bool,
    #[diesel(sql_type = Bool)]
    paused: bool,
    #[diesel(sql_type = Bool)]
    is_deleted: bool,
    #[diesel(sql_type = Bool)]
    is_other: bool,
    #[diesel(sql_type = Integer)]
    revision: i32,
    #[diesel(sql_type = Text)]
    lane: String,
}

#[derive(QueryableByName)]
struct Inserted {
    #[diesel(sql_type = Moment)]
    created_at: Timestamp,
}
