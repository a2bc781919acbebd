use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use gristmill_core::ExecutionId;

use crate::Error;
use crate::connection::postgres::PostgresPool;
use crate::protocol::Received;
use crate::schema::execution_inbox::dsl;

pub(super) async fn inbox(pool: &PostgresPool, id: &ExecutionId, after: i64) -> Result<Vec<Received>, Error> {
    let id = id.to_string();
    let rows = pool.run_as_system(move |connection| {
        Box::pin(async move {
            let inbox = dsl::execution_inbox
                .filter(dsl::execution_id.eq(id))
                .filter(dsl::seq.gt(after))
                .order(dsl::seq)
                .select((dsl::seq, dsl::name, dsl::body));
            Ok(inbox.load::<(i64, String, String)>(connection).await?)
        })
    });
    Ok(rows
        .await?
        .into_iter()
        .map(|(seq, name, body)| Received { seq, name, body })
        .collect())
}
