use diesel::sql_types::{Integer, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use gristmill_core::{ExecutionId, ExecutionStatus, journal};

use crate::cached::Cached;
use crate::hot::reopened::reopened;
use crate::parse::parse;
use crate::postgres_pool::PostgresPool;
use crate::protocol::Retried;
use crate::sql_types::{Moment, Timestamp};
use crate::{Error, Tenant};

/// Two operators press the button at once: the second waits for the first one's lock, and then finds an execution that is
/// no longer FAILED.
const TARGET: &str = "
    SELECT status, clock_timestamp() AS now FROM executions
    WHERE organization_id = $1 AND id = $2 FOR UPDATE";

/// Whatever ended the execution counts anew: its losses, and the time that it may take.
const RETRY: &str = "
    WITH changed AS (
        UPDATE executions SET
            status = 'PENDING', error = NULL, completed_at = NULL, wake_at = clock_timestamp(), published_at = NULL,
            publishes = 0, losses = 0, deadline = NULL, operator_retries = operator_retries + 1,
            journal_len = journal_len + 1
        WHERE id = $2
        RETURNING organization_id, id, journal_len - 1 AS seq
    )
    INSERT INTO execution_journal (organization_id, execution_id, seq, format, body)
    SELECT organization_id, id, seq, $1, $3 FROM changed";

#[derive(QueryableByName)]
struct Target {
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Moment)]
    now: Timestamp,
}

pub(super) async fn retry(pool: &PostgresPool, tenant: &Tenant, id: &ExecutionId) -> Result<Retried, Error> {
    let (organization_id, id) = (tenant.0.to_string(), id.to_string());
    pool.transaction_in(tenant, move |connection| {
        Box::pin(async move {
            let target = sql_query(TARGET)
                .bind::<Text, _>(organization_id)
                .bind::<Text, _>(&id);
            let Some(target) = Cached(target).load::<Target>(connection).await?.pop() else {
                return Ok(Retried::Unknown);
            };
            match parse("execution status", &target.status)? {
                ExecutionStatus::Failed => {}
                status => return Ok(Retried::NotFailed(status)),
            }
            let retry = sql_query(RETRY)
                .bind::<Integer, _>(journal::FORMAT)
                .bind::<Text, _>(&id)
                .bind::<Text, _>(reopened(target.now)?);
            Cached(retry).execute(connection).await?;
            Ok(Retried::Yes)
        })
    })
    .await
}
