//! Journal: journals as their owners see them, a stretch at a time. Holders write them through the protocol.

use diesel::dsl::max;
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::RunQueryDsl;
use gristmill_core::{ExecutionId, boxed};

use crate::connection::pool::read;
use crate::schema::execution_journal;
use crate::{Chunk, Error, Store, Tenant};

impl Store {
    /// The chunks that hold the entries number `first` up to but without `end`, in order, of an execution of the
    /// tenant's. The first and the last chunk may hold others besides.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn journal_chunks(
        &self,
        tenant: &Tenant,
        id: &ExecutionId,
        first: i32,
        end: i32,
    ) -> Result<Vec<Chunk>, Error> {
        let (organization_id, id) = (tenant.0.to_string(), id.to_string());
        let rows = read!(self, tenant, |connection| {
            let mine = execution_journal::table
                .filter(execution_journal::organization_id.eq(&organization_id))
                .filter(execution_journal::execution_id.eq(&id));
            // A chunk goes by the number of its first entry: `first` is in the last one that does not begin after it.
            let begins = mine
                .filter(execution_journal::seq.le(first))
                .select(max(execution_journal::seq));
            let begins = begins.first::<Option<i32>>(connection).await?.unwrap_or(first);
            let chunks = mine
                .filter(execution_journal::seq.ge(begins))
                .filter(execution_journal::seq.lt(end))
                .order(execution_journal::seq)
                .select((
                    execution_journal::seq,
                    execution_journal::format,
                    execution_journal::body,
                ));
            Ok(chunks.load::<(i32, i32, String)>(connection).await?)
        })?;
        Ok(rows
            .into_iter()
            .map(|(seq, format, body)| Chunk { seq, format, body })
            .collect())
    }
}
