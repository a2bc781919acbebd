use diesel::QueryableByName;
use diesel::sql_types::{Bool, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;

use super::parts::tags::tag_inserted;
use super::parts::usage::{Locked, any_slot, count_inserted, lock, month};
use super::submit::known_by_key;
use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::postgres::PostgresPool;
use crate::connection::sql_types::{Moment, Timestamp};
use crate::protocol::facts::reason;
use crate::protocol::{Accepted, Replay, Replayed};
use crate::tables::audit;
use crate::{Action, Actor, Error, Tenant};

/// A replay has no parent, since nobody waits for it; what handled a failure handles the same failure again. Of two
/// replays with one key at once, the second waits for the first one's commit and then does nothing. The caller checked
/// the input against a revision: if that is not the newest any more, it has to check again.
///
/// `$7` is the month that is locked and `$8` whether it has room; where neither is there, there is no limit.
const REPLAY: &str = concat!(
    "WITH original AS (
        SELECT e.organization_id, e.id, e.workflow_id, e.input, e.on_failure_of, e.depth, e.tags, e.metadata, w.is_active,
            w.paused_at IS NOT NULL AS paused, w.deleted_at IS NOT NULL AS is_deleted,
            $4::int IS NOT NULL AND $4 <> w.revision AS is_other,
            CASE WHEN $4 IS NULL THEN e.revision ELSE w.revision END AS revision,
            CASE WHEN $4 IS NULL THEN e.lane ELSE w.lane END AS lane,
            CASE WHEN $4 IS NULL THEN e.timeout_ms ELSE w.timeout_ms END AS timeout_ms
        FROM executions e JOIN workflows w ON w.organization_id = e.organization_id AND w.id = e.workflow_id
        WHERE e.organization_id = $1 AND e.id = $2
    ), inserted AS (
        INSERT INTO executions (id, organization_id, workflow_id, revision, lane, timeout_ms, status, waits_for, wake_at,
            request_hash, input, idempotency_key, replay_of, on_failure_of, depth, tags, metadata)
        SELECT $3, organization_id, workflow_id, revision, lane, timeout_ms,
            CASE WHEN paused THEN 'WAITING' ELSE 'PENDING' END, CASE WHEN paused THEN ",
    reason!(Paused),
    " END,
            CASE WHEN NOT paused THEN clock_timestamp() END, $6, input, $5, id, on_failure_of, depth, tags, metadata
        FROM original WHERE is_active AND NOT is_deleted AND NOT is_other AND $8 IS NOT FALSE
        ON CONFLICT (organization_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
        RETURNING id, created_at, tags
    ), ",
    tag_inserted!(),
    count_inserted!("$1", concat!("coalesce($7, ", month!(), ")"), concat!("CASE WHEN $7 IS NULL THEN ", any_slot!(), " ELSE 0 END")),
    "SELECT revision, lane, is_active, is_other, is_deleted, paused, (SELECT created_at FROM inserted) AS created_at
    FROM original"
);

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    revision: i32,
    #[diesel(sql_type = Text)]
    lane: String,
    #[diesel(sql_type = Bool)]
    is_active: bool,
    #[diesel(sql_type = Bool)]
    is_other: bool,
    #[diesel(sql_type = Bool)]
    is_deleted: bool,
    #[diesel(sql_type = Bool)]
    paused: bool,
    #[diesel(sql_type = Nullable<Moment>)]
    created_at: Option<Timestamp>,
}

pub(super) async fn replay(
    pool: &PostgresPool,
    tenant: &Tenant,
    actor: &Actor,
    replay: &Replay,
) -> Result<Replayed, Error> {
    let detail = json!({"original": replay.original});
    let entry = audit::insert(tenant, actor, Action::ExecutionReplay, &replay.id, &detail);
    let (organization_id, replay) = (tenant.0.to_string(), replay.clone());
    pool.transaction_in(tenant, move |connection| {
        Box::pin(async move {
            let limit = match replay.monthly_limit {
                Some(limit) => Some((limit, lock(connection, &organization_id).await?)),
                None => None,
            };
            let replayed = replay_once(connection, &organization_id, replay, limit).await?;
            if let Replayed::Accepted(_) = replayed {
                entry.execute(connection).await?;
            }
            Ok(replayed)
        })
    })
    .await
}

async fn replay_once(
    connection: &mut AsyncPgConnection,
    organization_id: &str,
    replay: Replay,
    limit: Option<(u32, Locked)>,
) -> Result<Replayed, Error> {
    let row = insert(connection, organization_id, &replay, limit.as_ref()).await?;
    if let Some(Row {
        revision,
        lane,
        paused,
        created_at: Some(created_at),
        ..
    }) = row
    {
        return Ok(Replayed::Accepted(Accepted {
            id: replay.id,
            revision,
            lane,
            created_at: created_at.into(),
            paused,
            starts_at: None,
        }));
    }
    // A statement of its own: the insert's snapshot does not see the row that it had to wait for.
    if let Some(key) = &replay.idempotency_key
        && let Some((id, hash)) = known_by_key(&mut &*connection, organization_id, key).await?
    {
        return Ok(if hash == replay.request_hash {
            Replayed::Known(id)
        } else {
            Replayed::KeyReused(id)
        });
    }
    Ok(match (row, limit) {
        (None, _) => Replayed::Unknown,
        (Some(row), _) if row.is_deleted => Replayed::DeletedWorkflow,
        (Some(row), _) if !row.is_active => Replayed::InactiveWorkflow,
        (Some(row), _) if row.is_other => Replayed::OtherRevision,
        (Some(_), Some((limit, locked))) if !locked.has_room(limit) => {
            Replayed::LimitReached(locked.reached(limit, 0))
        }
        // The execution behind the key was deleted between the two statements: the key is free again.
        (Some(_), _) => return Err(Error::Busy(diesel::result::Error::NotFound)),
    })
}

async fn insert(
    connection: &mut AsyncPgConnection,
    organization_id: &str,
    replay: &Replay,
    limit: Option<&(u32, Locked)>,
) -> Result<Option<Row>, Error> {
    let insert = sql_query(REPLAY)
        .bind::<Text, _>(organization_id)
        .bind::<Text, _>(replay.original.as_str())
        .bind::<Text, _>(replay.id.as_str())
        .bind::<Nullable<Integer>, _>(replay.newest)
        .bind::<Nullable<Text>, _>(replay.idempotency_key.as_deref())
        .bind::<Text, _>(&replay.request_hash)
        .bind::<Nullable<Text>, _>(limit.map(|(_, locked)| locked.month.as_str()))
        .bind::<Nullable<Bool>, _>(limit.map(|(limit, locked)| locked.has_room(*limit)));
    Ok(Cached(insert).load(connection).await?.pop())
}
