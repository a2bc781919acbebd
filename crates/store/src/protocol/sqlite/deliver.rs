//! Deliver: a message into an inbox.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};
use diesel::{OptionalExtension, QueryableByName, RunQueryDsl, SqliteConnection};
use gristmill_core::{ExecutionStatus, OrganizationId};
use serde_json::json;

use crate::connection::cached::Cached;
use crate::connection::cached::sqlite::sql_query;
use crate::connection::parse::parse;
use crate::connection::sqlite::SqlitePool;
use crate::protocol::facts::wakes_by_message;
use crate::tables::audit;
use crate::{Action, Actor, Delivered, Error, InboxMessage, Tenant};

const EXECUTION: &str = "
    SELECT status, CASE WHEN inbox < ?4 THEN 0 ELSE (
            SELECT count(*) FROM execution_inbox WHERE execution_id = ?2 AND name NOT LIKE 'child:%'
        ) END AS signals, (
            SELECT name = ?5 AND body = ?6 FROM execution_inbox WHERE execution_id = ?2 AND key = ?3
        ) AS same
    FROM executions
    WHERE organization_id = ?1 AND id = ?2";

/// RUNNING stays RUNNING: the higher `inbox` keeps the holder from suspending before it has folded this message. What waits
/// for its start, for its workflow, or after lost workers, keeps its messages until then.
const ARRIVE: &str = concat!(
    "UPDATE executions SET
         inbox = inbox + 1,
         wake_at = CASE WHEN ",
    wakes_by_message!(""),
    " THEN ",
    now!(),
    " ELSE wake_at END,
         status = CASE WHEN ",
    wakes_by_message!(""),
    " THEN 'PENDING' ELSE status END
     WHERE id = ?1
     RETURNING inbox AS seq"
);

const INSERT: &str = "
    INSERT INTO execution_inbox (organization_id, execution_id, seq, key, name, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

pub(super) async fn deliver(
    pool: &SqlitePool,
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
    let organization_id = tenant.0.clone();
    let message = message.clone();
    pool.transaction_blocking(move |connection| {
        let delivered = deliver_one(connection, &organization_id, &message, limit)?;
        if delivered == Delivered::Yes {
            entry.execute(connection)?;
        }
        Ok(delivered)
    })
    .await
}

fn deliver_one(
    connection: &mut SqliteConnection,
    organization_id: &OrganizationId,
    message: &InboxMessage,
    limit: i32,
) -> Result<Delivered, Error> {
    let query = sql_query(EXECUTION)
        .bind::<Text, _>(organization_id.as_str())
        .bind::<Text, _>(message.execution_id.as_str())
        .bind::<Text, _>(&message.key)
        .bind::<Integer, _>(limit)
        .bind::<Text, _>(&message.name)
        .bind::<Text, _>(&message.body);
    let execution: Option<Execution> = Cached(query).get_result(connection).optional()?;
    let Some(execution) = execution else {
        return Ok(Delivered::UnknownExecution);
    };
    // Before the status: a sender that asks again because the answer was lost hears that its message arrived, even when
    // the execution has read it and ended.
    match execution.same {
        Some(true) => return Ok(Delivered::Known),
        Some(false) => return Ok(Delivered::KeyReused),
        None => {}
    }
    if parse::<ExecutionStatus>("execution status", &execution.status)?.is_terminal() {
        return Ok(Delivered::Ended);
    }
    if execution.signals >= i64::from(limit) {
        return Ok(Delivered::Full);
    }
    put(connection, organization_id, message)?;
    Ok(Delivered::Yes)
}

/// Puts a message that is not there yet into an inbox, and wakes whoever waits for it.
pub(super) fn put(
    connection: &mut SqliteConnection,
    organization_id: &OrganizationId,
    message: &InboxMessage,
) -> Result<(), Error> {
    let rung: Rung =
        Cached(sql_query(ARRIVE).bind::<Text, _>(message.execution_id.as_str())).get_result(connection)?;
    let insert = sql_query(INSERT)
        .bind::<Text, _>(organization_id.as_str())
        .bind::<Text, _>(message.execution_id.as_str())
        .bind::<BigInt, _>(rung.seq)
        .bind::<Text, _>(&message.key)
        .bind::<Text, _>(&message.name)
        .bind::<Text, _>(&message.body);
    Cached(insert).execute(connection)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Execution {
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = BigInt)]
    signals: i64,
    /// Whether the message under this key is this one; `None` = there is none.
    #[diesel(sql_type = Nullable<Bool>)]
    same: Option<bool>,
}

#[derive(QueryableByName)]
struct Rung {
    #[diesel(sql_type = BigInt)]
    seq: i64,
}
