//! Tenancy: transactions that name a tenant, which is what row-level security goes by.
//!
//! The tenant is named in the transaction and for the transaction, in the message that begins it, and what follows is sent
//! without waiting for an answer. So tenancy costs the server two tiny statements and the caller no round trip. Should the
//! beginning fail, what was sent behind it names no tenant, and is shown nothing and let write nothing.

use std::future::Future;

use diesel::sql_query;
use diesel_async::{
    AnsiTransactionManager, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection, TransactionManager,
};
use futures_util::FutureExt;
use futures_util::future::{join, join3};

use crate::connection::cached::Cached;
use crate::connection::erased::Work;
use crate::{Error, Tenant};

/// A connection on which other statements may be under way, as Diesel takes it.
pub(crate) type Shared<'c> = &'c mut &'c AsyncPgConnection;

/// A connection that acts for a tenant.
#[derive(Clone, Copy)]
pub(crate) struct Session<'c> {
    /// For the one statement, or the reads, that are handed back to this session.
    pub(crate) connection: &'c AsyncPgConnection,
    /// Whose rows it sees and changes.
    pub(crate) tenant: &'c Tenant,
}

impl Session<'_> {
    /// Carries out `reads`, and nothing that writes.
    pub(crate) async fn read<T>(self, reads: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let begin = begin("BEGIN READ ONLY", self.tenant);
        let (mut first, mut last) = (self.connection, self.connection);
        let (begun, result) = join(first.batch_execute(&begin), reads).await;
        // It is on its way, ahead of whatever the next borrower sends: nothing is committed that anybody had to wait for.
        last.batch_execute("COMMIT").now_or_never().transpose()?;
        begun?;
        result
    }

    /// Carries out `statement`, which is one and no more, and commits it: a second one would come after the commit.
    pub(crate) async fn statement<T>(
        self,
        statement: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let begin = begin("BEGIN", self.tenant);
        let (mut first, mut last) = (self.connection, self.connection);
        // Prepared as well: where the statement has to be prepared first, its commit waits for its turn behind it.
        let commit = Cached(sql_query("COMMIT"));
        let (begun, result, committed) =
            join3(first.batch_execute(&begin), statement, commit.execute(&mut last)).await;
        begun?;
        // After a failure the commit was a rollback.
        let answer = result?;
        committed.map_err(|error| Error::from(error).into_unknown())?;
        Ok(answer)
    }
}

/// Runs `work` in a transaction, committed when it ends with `Ok`.
pub(super) async fn transaction(
    connection: &mut AsyncPgConnection,
    tenant: &Tenant,
    work: Work<AsyncPgConnection>,
) -> Result<(), Error> {
    AnsiTransactionManager::begin_transaction_sql(connection, &begin("BEGIN", tenant)).await?;
    let Err(error) = work(connection).await else {
        return Ok(AnsiTransactionManager::commit_transaction(connection).await?);
    };
    if let Err(failure) = AnsiTransactionManager::rollback_transaction(connection).await {
        // The pool drops a connection whose transaction did not end.
        tracing::debug!(
            error = &failure as &dyn std::error::Error,
            "a transaction was not rolled back"
        );
    }
    Err(error)
}

/// An id is letters and digits, so that it may stand in a statement as it is.
fn begin(begin: &str, Tenant(organization_id): &Tenant) -> String {
    format!("{begin}; SELECT set_config('gristmill.organization_id', '{organization_id}', true)")
}
