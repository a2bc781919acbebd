//! The store: one handle for everything that is kept.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use diesel::IntoSql;
use diesel_async::RunQueryDsl;
use gristmill_core::{OrganizationId, boxed};

use crate::connection::migrate;
use crate::connection::pool::{Pools, read};
use crate::connection::postgres::PostgresPool;
use crate::connection::roles;
use crate::connection::scope::Scope;
use crate::connection::sql_types::{Moment, Timestamp};
use crate::connection::sqlite::SqlitePool;
use crate::{Error, Protocol, System, Tenant};

/// Where the database is, and how long to wait for it. Not `Debug`: the URL holds a password.
#[derive(Clone)]
pub struct Options {
    /// `postgres://…` or `sqlite:PATH`. Of PostgreSQL, `sslmode` is `disable`, `prefer` (TLS if that works, as libpq does
    /// it) or `require`, which also verifies the server's certificate by the certificates of this machine.
    pub url: String,
    /// How many connections at most for each of the services' two roles; for SQLite the readers.
    pub pool_size: usize,
    /// How long to wait for a new connection.
    pub connect_timeout: Duration,
    /// How long to wait for a connection of the pool, a new one included.
    pub acquire_timeout: Duration,
    /// How long one statement may take.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock.
    pub lock_timeout: Duration,
    /// How long a transaction may stay open with nothing happening.
    pub idle_in_transaction_timeout: Duration,
    /// What the server's own views call these connections.
    pub application_name: String,
}

impl Options {
    /// The defaults, for a database.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            pool_size: 8,
            connect_timeout: Duration::from_secs(3),
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(5),
            idle_in_transaction_timeout: Duration::from_secs(10),
            application_name: "gristmill".to_owned(),
        }
    }
}

/// How long a renewal may take.
const RENEWAL: Duration = Duration::from_secs(2);

/// Everything that Gristmill keeps. Clones share their connections.
#[derive(Clone)]
pub struct Store {
    pub(crate) pools: Pools,
    protocol: Arc<dyn Protocol>,
    renewals: Arc<dyn Protocol>,
}

impl Store {
    /// Opens the database; PostgreSQL is connected to on first use, so that a process can start before it.
    ///
    /// # Errors
    /// [`Error::Options`] when the URL is none of the two kinds, or the SQLite file is in use by another process.
    pub fn open(options: Options) -> Result<Self, Error> {
        if let Some(path) = options.url.strip_prefix("sqlite:") {
            let pool = SqlitePool::open(path, &options)?;
            let protocol: Arc<dyn Protocol> = Arc::new(pool.clone());
            // Writers queue for the one connection that writes, so a renewal's turn comes without a connection of its
            // own.
            return Ok(Self {
                pools: Pools::Sqlite(pool),
                renewals: protocol.clone(),
                protocol,
            });
        }
        if !options.url.starts_with("postgres://") && !options.url.starts_with("postgresql://") {
            return Err(Error::Options(
                "the database URL begins with neither `postgres://` nor `sqlite:`".to_owned(),
            ));
        }
        let pool = PostgresPool::new(&options)?;
        // Two, so that one which is silently dead does not take the other's turn; and a renewal that took longer would come
        // too late anyway.
        let renewals = PostgresPool::new(&Options {
            pool_size: 2,
            statement_timeout: options.statement_timeout.min(RENEWAL),
            lock_timeout: options.lock_timeout.min(RENEWAL),
            ..options
        })?;
        Ok(Self {
            pools: Pools::Postgres(pool.clone()),
            protocol: Arc::new(pool),
            renewals: Arc::new(renewals),
        })
    }

    /// The statements that move executions.
    pub fn protocol(&self) -> Arc<dyn Protocol> {
        self.protocol.clone()
    }

    /// The same on a connection of their own: a lease must be renewed, and its state watched, even while every
    /// connection of the pool is taken.
    pub fn renewals(&self) -> Arc<dyn Protocol> {
        self.renewals.clone()
    }

    /// The database's clock.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn now(&self) -> Result<DateTime<Utc>, Error> {
        match &self.pools {
            Pools::Postgres(pool) => {
                pool.read_in(System, |connection| {
                    Box::pin(async move {
                        let now = diesel::dsl::sql::<Moment>("clock_timestamp()");
                        Ok(diesel::select(now).get_result::<Timestamp>(connection).await?.0)
                    })
                })
                .await
            }
            // One machine, one clock; microseconds are what is kept.
            Pools::Sqlite(_) => Ok(Utc::now().trunc_subsecs(6)),
        }
    }

    /// The database's clock as SQL, for statements that both databases share.
    pub(crate) fn clock(&self) -> &'static str {
        match &self.pools {
            Pools::Postgres(_) => "clock_timestamp()",
            Pools::Sqlite(_) => "(CAST(round(unixepoch('subsec') * 1000) AS integer) * 1000)",
        }
    }

    /// Asks the database for a sign of life, as each of the services' roles.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn ping(&self) -> Result<(), Error> {
        self.answers(Scope::System).await?;
        // Nobody's organization: it is the role that matters, which the database may refuse.
        self.answers(Scope::Tenant(Tenant(OrganizationId::new()))).await
    }

    async fn answers(&self, scope: Scope) -> Result<(), Error> {
        read!(self, scope, |connection| {
            let one = 1_i32.into_sql::<diesel::sql_types::Integer>();
            diesel::select(one).get_result::<i32>(connection).await?;
            Ok(())
        })
    }

    /// Runs the migrations that the database lacks. Any number of processes may do so at the same time.
    ///
    /// # Errors
    /// When one of them fails; those before it stay.
    #[boxed]
    pub async fn migrate(&self) -> Result<(), Error> {
        migrate::run(&self.pools).await
    }

    /// The names of the migrations that the database lacks, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn pending_migrations(&self) -> Result<Vec<String>, Error> {
        migrate::pending(&self.pools).await
    }

    /// Makes sure that the database has every migration of this version, and lets its user be what a service must be.
    ///
    /// # Errors
    /// [`Error::Unmigrated`] or [`Error::NoMember`], which tell the operator what to do, or the database does not answer.
    #[boxed]
    pub async fn check_schema(&self) -> Result<(), Error> {
        let pending = match self.pending_migrations().await {
            Ok(pending) => pending.len(),
            // Whoever is no member of anything may not even look.
            Err(error @ Error::Statement(_)) => return roles::check(&self.pools).await.and(Err(error)),
            Err(error) => return Err(error),
        };
        match pending {
            0 => roles::check(&self.pools).await,
            pending => Err(Error::Unmigrated { pending }),
        }
    }
}
