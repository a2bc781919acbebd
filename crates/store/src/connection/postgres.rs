//! Connections to PostgreSQL: pooled, bounded in time, each with the rights that its work needs, and given back clean.

mod connect;
mod lender;
mod role;
mod tenancy;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use diesel_async::{AsyncConnection, AsyncPgConnection};
use futures_util::future::BoxFuture;

use crate::connection::erased::{Work, erase, place};
use crate::connection::scope::Scope;
use crate::{Error, Options, System, Tenant};
use connect::Connector;
use lender::Lender;
use role::Role;

pub use connect::connect_postgres;
pub(crate) use role::ADVICE as ROLES_ADVICE;
pub(crate) use tenancy::{Session, Shared};

/// Reads whose answer stands elsewhere, as [`Work`]'s does.
type Reads = Box<dyn for<'c> FnOnce(Shared<'c>) -> BoxFuture<'c, Result<(), Error>> + Send>;

/// Pools of PostgreSQL connections, one for each role; a role that is never needed has no connections.
#[derive(Clone)]
pub(crate) struct PostgresPool {
    /// As `gristmill_api`.
    tenants: Lender,
    /// As `gristmill_worker`.
    system: Lender,
    /// As the URL's user.
    administration: Lender,
    connector: Arc<Connector>,
}

impl PostgresPool {
    /// Pools that connect on first use.
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        Ok(Self {
            tenants: Lender::new(options, Some(Role::Api))?,
            system: Lender::new(options, Some(Role::Worker))?,
            administration: Lender::new(options, None)?,
            connector: Arc::new(Connector::new(options, None)?),
        })
    }

    /// A connection outside of the pools, without their statement limits: for migrations.
    pub(crate) async fn connect_unlimited(&self) -> Result<AsyncPgConnection, Error> {
        self.connector
            .without_limits()
            .connect()
            .await
            .map_err(|error| Error::Connect(error.into()))
    }

    /// Runs `body` across tenants; it only reads, or is one statement that commits by itself.
    pub(crate) async fn run_as_system<T, F>(&self, body: F) -> Result<T, Error>
    where
        F: for<'c> FnOnce(&'c mut AsyncPgConnection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        let (work, answer) = erase(body);
        self.system.run(work).await?;
        answer.take()
    }

    /// Runs `body` across tenants in a transaction, committed when it answers with `Ok`.
    pub(crate) async fn transaction_as_system<T, F>(&self, body: F) -> Result<T, Error>
    where
        F: for<'c> FnOnce(&'c mut AsyncPgConnection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        self.transaction_in(System, body).await
    }

    /// Runs `body`, which only reads, within `scope`.
    pub(crate) async fn read_in<T, F>(&self, scope: impl Into<Scope>, body: F) -> Result<T, Error>
    where
        F: for<'c> FnOnce(Shared<'c>) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        let (place, answer) = place();
        let reads: Reads = Box::new(move |connection| {
            let body = body(connection);
            Box::pin(async move { place.put(body.await) })
        });
        self.read(scope.into(), reads).await?;
        answer.take()
    }

    /// Runs `body` within `scope`, in a transaction that is committed when it answers with `Ok`.
    pub(crate) async fn transaction_in<T, F>(&self, scope: impl Into<Scope>, body: F) -> Result<T, Error>
    where
        F: for<'c> FnOnce(&'c mut AsyncPgConnection) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        let (work, answer) = erase(body);
        self.transact(scope.into(), work).await?;
        answer.take()
    }

    /// Runs `body`, which begins and commits for itself, on one connection of a tenant's.
    pub(crate) async fn session<T, F>(&self, tenant: &Tenant, body: F) -> Result<T, Error>
    where
        F: for<'c> FnOnce(Session<'c>) -> BoxFuture<'c, Result<T, Error>> + Send + 'static,
        T: Send + 'static,
    {
        let tenant = tenant.clone();
        let (work, answer) = erase(move |connection: &mut AsyncPgConnection| {
            Box::pin(async move {
                body(Session {
                    connection,
                    tenant: &tenant,
                })
                .await
            })
        });
        self.tenants.run(work).await?;
        answer.take()
    }

    async fn read(&self, scope: Scope, reads: Reads) -> Result<(), Error> {
        let (lender, tenant) = self.lender(scope);
        let work: Work<AsyncPgConnection> = Box::new(move |connection| {
            Box::pin(async move {
                match tenant {
                    Some(tenant) => {
                        let session = Session {
                            connection,
                            tenant: &tenant,
                        };
                        session.read(reads(&mut &*session.connection)).await
                    }
                    None => reads(&mut &*connection).await,
                }
            })
        });
        lender.run(work).await
    }

    async fn transact(&self, scope: Scope, work: Work<AsyncPgConnection>) -> Result<(), Error> {
        let (lender, tenant) = self.lender(scope);
        let transaction: Work<AsyncPgConnection> = Box::new(move |connection| {
            Box::pin(async move {
                match tenant {
                    Some(tenant) => tenancy::transaction(connection, &tenant, work).await,
                    None => {
                        connection
                            .transaction::<(), Error, _>(async move |connection| work(connection).await)
                            .await
                    }
                }
            })
        });
        lender.run(transaction).await
    }

    fn lender(&self, scope: Scope) -> (&Lender, Option<Tenant>) {
        match scope {
            Scope::Tenant(tenant) => (&self.tenants, Some(tenant)),
            Scope::System => (&self.system, None),
            Scope::Administration => (&self.administration, None),
        }
    }
}
