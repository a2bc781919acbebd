use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::RunQueryDsl;
use gristmill_core::{ExecutionId, ExecutionStatus};

use super::parts::jobs::texts;
use crate::Error;
use crate::connection::postgres::PostgresPool;
use crate::protocol::Ended;
use crate::protocol::rows::ended_row::EndedRow;
use crate::schema::executions::dsl;

/// By status, and not by `completed_at IS NOT NULL`: that is the condition of retention's index, which a statement that was
/// planned while it was empty would go on to read from end to end, for every look.
pub(super) async fn ended(pool: &PostgresPool, ids: &[ExecutionId]) -> Result<Vec<Ended>, Error> {
    let wanted = texts(ids);
    let terminal: Vec<_> = ExecutionStatus::ALL
        .into_iter()
        .filter(|status| status.is_terminal())
        .map(ExecutionStatus::as_str)
        .collect();
    let rows = pool.run_as_system(move |connection| {
        Box::pin(async move {
            let ended = dsl::executions
                .filter(dsl::id.eq_any(wanted))
                .filter(dsl::status.eq_any(terminal))
                .select(EndedRow::as_select());
            Ok(ended.load(connection).await?)
        })
    });
    rows.await?.into_iter().map(EndedRow::into_ended).collect()
}
