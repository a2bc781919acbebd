use diesel::QueryableByName;
use diesel::sql_types::{Bool, Integer, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;

use crate::connection::cached::Cached;
use crate::connection::cached::postgres::sql_query;
use crate::connection::postgres::PostgresPool;
use crate::protocol::facts::wakes_by_message;
use crate::protocol::{Delivered, InboxMessage};
use crate::tables::audit;
use crate::{Action, Actor, Error, Tenant};

/// The row's lock puts deliveries and the holder's suspend in an order. Before the suspend: `inbox` has moved, and the
/// suspend is refused. After it: the row is WAITING, and is woken here. The same message sent again, because an answer was
/// lost, meets its own key and wakes nobody a second time. What waits for its start,
/// for its workflow, or after lost workers, keeps its messages until then.
const DELIVER: &str = concat!(
    "WITH target AS (
        SELECT organization_id, id, inbox,
            inbox >= $6 AND (
                SELECT count(*) FROM execution_inbox m WHERE m.execution_id = executions.id AND m.name NOT LIKE 'child:%'
            ) >= $6 AS full_up,
            status IN ('COMPLETED', 'FAILED', 'CANCELLED') AS ended
        FROM executions WHERE organization_id = $1 AND id = $2 FOR UPDATE
    ), message AS (
        INSERT INTO execution_inbox (organization_id, execution_id, seq, key, name, body)
        SELECT organization_id, id, inbox + 1, $3, $4, $5 FROM target WHERE NOT ended AND NOT full_up
        ON CONFLICT (execution_id, key) DO NOTHING
        RETURNING execution_id
    ), woken AS (
        UPDATE executions e SET
            inbox = e.inbox + 1,
            status = CASE WHEN ",
    wakes_by_message!("e."),
    " THEN 'PENDING' ELSE e.status END,
            wake_at = CASE WHEN ",
    wakes_by_message!("e."),
    " THEN clock_timestamp() ELSE e.wake_at END
        FROM message WHERE e.id = message.execution_id
    )
    SELECT ended, full_up, EXISTS (SELECT FROM message) AS delivered FROM target"
);

/// A statement of its own: what was delivered while the first one waited for the row's lock is not in its snapshot.
const KNOWN: &str = "
    SELECT name = $3 AND body = $4 AS same FROM execution_inbox WHERE execution_id = $1 AND key = $2";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Bool)]
    ended: bool,
    #[diesel(sql_type = Bool)]
    full_up: bool,
    #[diesel(sql_type = Bool)]
    delivered: bool,
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Bool)]
    same: bool,
}

pub(super) async fn deliver(
    pool: &PostgresPool,
    tenant: &Tenant,
    actor: &Actor,
    message: &InboxMessage,
    limit: i32,
) -> Result<Delivered, Error> {
    let detail = json!({"name": message.signal()});
    let entry = audit::insert(
        tenant,
        actor,
        Action::ExecutionSignal,
        &message.execution_id,
        &detail,
    );
    let organization_id = tenant.0.to_string();
    let message = message.clone();
    pool.transaction_in(tenant, move |connection| {
        Box::pin(async move {
            let deliver = sql_query(DELIVER)
                .bind::<Text, _>(organization_id)
                .bind::<Text, _>(message.execution_id.as_str())
                .bind::<Text, _>(&message.key)
                .bind::<Text, _>(&message.name)
                .bind::<Text, _>(&message.body)
                .bind::<Integer, _>(limit);
            // Read to the end: an error that comes after the row is an error all the same.
            let Some(row) = Cached(deliver).load::<Row>(connection).await?.pop() else {
                return Ok(Delivered::UnknownExecution);
            };
            if row.delivered {
                entry.execute(connection).await?;
                return Ok(Delivered::Yes);
            }
            Ok(match known(connection, &message).await? {
                Some(Known { same: true }) => Delivered::Known,
                Some(Known { same: false }) => Delivered::KeyReused,
                None if row.ended => Delivered::Ended,
                None if row.full_up => Delivered::Full,
                // The row is locked, so nobody has taken the message away that the key was found in.
                None => return Err(Error::Busy(diesel::result::Error::NotFound)),
            })
        })
    })
    .await
}

async fn known(connection: &mut AsyncPgConnection, message: &InboxMessage) -> Result<Option<Known>, Error> {
    let known = sql_query(KNOWN)
        .bind::<Text, _>(message.execution_id.as_str())
        .bind::<Text, _>(&message.key)
        .bind::<Text, _>(&message.name)
        .bind::<Text, _>(&message.body);
    Ok(Cached(known).load(connection).await?.pop())
}
