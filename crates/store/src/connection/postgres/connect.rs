//! One connection to PostgreSQL: TLS by `sslmode`, limits on whatever could hang.

use gristmill_core::boxed;
use std::time::Duration;

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::AsyncPgConnection;
use rustls::crypto::{CryptoProvider, ring};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::{MakeTlsConnect, NoTlsStream};
use tokio_postgres::{Client, Config, Connection, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::role::{ADVICE, Role};
use crate::{Error, Options};

/// How long sent bytes may stay unacknowledged: without it a query into a dead network hangs for a quarter of an hour.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be silent before the kernel asks whether the other side is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Knows how to connect.
#[derive(Clone)]
pub(crate) struct Connector {
    config: Config,
    limits: String,
    role: Option<Role>,
    tls: Option<MakeRustlsConnect>,
}

impl Connector {
    /// Connections take `role`; without one they stay the URL's user.
    pub(crate) fn new(options: &Options, role: Option<Role>) -> Result<Self, Error> {
        let mut config: Config = options
            .url
            .parse()
            // The cause names the offending key, never the password.
            .map_err(|error: tokio_postgres::Error| {
                Error::Options(format!("the database URL is not valid: {error}"))
            })?;
        config
            .connect_timeout(options.connect_timeout)
            .tcp_user_timeout(TCP_USER_TIMEOUT)
            .keepalives_idle(KEEPALIVE)
            .application_name(&options.application_name);
        let tls = if config.get_ssl_mode() == SslMode::Disable {
            None
        } else {
            Some(native_tls())
        };
        Ok(Self {
            config,
            limits: limits(options),
            role,
            tls,
        })
    }

    /// The same, for statements that may take as long as they need.
    pub(crate) fn without_limits(&self) -> Self {
        Self {
            limits: String::new(),
            ..self.clone()
        }
    }

    pub(crate) async fn connect(self) -> ConnectionResult<AsyncPgConnection> {
        let role = self.role;
        match self.open().await.map_err(|error| refused(role, error))? {
            Opened::Plain(client, connection) => {
                AsyncPgConnection::try_from_client_and_connection(client, *connection).await
            }
            Opened::Tls(client, connection) => {
                AsyncPgConnection::try_from_client_and_connection(client, *connection).await
            }
        }
    }

    async fn open(self) -> Result<Opened, tokio_postgres::Error> {
        let mut config = self.config;
        // What the URL itself sets comes after the limits and wins over them, but not over the role.
        let set = config.get_options().unwrap_or_default();
        let role = self
            .role
            .map(|role| format!("-c role={}", role.name()))
            .unwrap_or_default();
        config.options(format!("{} {set} {role}", self.limits).trim());
        let Some(tls) = self.tls else {
            return open_plain(&config).await;
        };
        match config.connect(tls).await {
            Ok((client, connection)) => Ok(Opened::Tls(client, Box::new(connection))),
            // As libpq does it: `prefer` takes what it gets, such as a server whose certificate nobody vouches for.
            // An answer of the server itself (a wrong password) would be the same again.
            Err(error) if config.get_ssl_mode() == SslMode::Prefer && error.code().is_none() => {
                open_plain(config.ssl_mode(SslMode::Disable)).await
            }
            Err(error) => Err(error),
        }
    }
}

/// A connection that nobody drives yet.
enum Opened {
    Plain(Client, Box<Connection<Socket, NoTlsStream>>),
    Tls(
        Client,
        Box<Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>>,
    ),
}

async fn open_plain(config: &Config) -> Result<Opened, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    Ok(Opened::Plain(client, Box::new(connection)))
}

/// One connection outside of any pool, and past Diesel, with the same TLS and timeouts and without the limits on
/// statements: for tools that bring their own SQL. It lasts as long as its client.
///
/// # Errors
/// [`Error::Options`] when the URL makes no sense, [`Error::Connect`] when there is no connection.
#[boxed]
pub async fn connect_postgres(options: &Options) -> Result<Client, Error> {
    let opened = Connector::new(options, None)?.without_limits().open().await;
    match opened.map_err(|error| Error::Connect(failed(error).into()))? {
        Opened::Plain(client, connection) => {
            tokio::spawn(async move { note_end(connection.await) });
            Ok(client)
        }
        Opened::Tls(client, connection) => {
            tokio::spawn(async move { note_end(connection.await) });
            Ok(client)
        }
    }
}

/// Whoever uses the client hears of it, too.
fn note_end(ended: Result<(), tokio_postgres::Error>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to PostgreSQL ended");
    }
}

/// A role that is not there, or that the user may not take, is for the operator to put right.
fn refused(role: Option<Role>, error: tokio_postgres::Error) -> ConnectionError {
    let states = [
        SqlState::INVALID_PARAMETER_VALUE,
        SqlState::INSUFFICIENT_PRIVILEGE,
        SqlState::UNDEFINED_OBJECT,
    ];
    let told = role.filter(|_| error.code().is_some_and(|code| states.contains(code)));
    match (told, failed(error)) {
        (Some(_), ConnectionError::BadConnection(message)) => {
            ConnectionError::BadConnection(format!("{message}; {ADVICE}"))
        }
        (_, error) => error,
    }
}

/// tokio-postgres says only "error connecting to server"; the reason is in the sources.
fn failed(error: tokio_postgres::Error) -> ConnectionError {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    ConnectionError::BadConnection(message)
}

/// Every statement finds its rows by an index, and is prepared once. PostgreSQL plans it for the tables as they are then:
/// in a new database they are empty, and the plan that is kept would scan them, whole, from then on. The price: what has no
/// index, such as the rows of a `WITH`, must not be joined with each other.
///
/// Nor are rows collected from an index in the order in which they lie: what was taken for a few, because the table has
/// grown since it was last looked at, would be collected whole before the first of a page is known.
///
/// And no statement is compiled: one that has to scan after all, such as a look into a table without an index, is given a
/// cost beyond everything, and compiling it took 60 to 600 ms of each run.
const INDEXES_ONLY: &str = "-c enable_seqscan=off -c enable_bitmapscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off";

fn limits(options: &Options) -> String {
    format!(
        "{INDEXES_ONLY} -c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout={}",
        options.statement_timeout.as_millis(),
        options.lock_timeout.as_millis(),
        options.idle_in_transaction_timeout.as_millis(),
    )
}

fn native_tls() -> MakeRustlsConnect {
    if CryptoProvider::get_default().is_none() && ring::default_provider().install_default().is_err() {
        tracing::debug!("another TLS provider was installed at the same moment");
    }
    match MakeRustlsConnect::with_native_certs() {
        Ok((tls, unreadable)) => {
            for error in unreadable {
                tracing::debug!(%error, "a certificate of this machine cannot be read");
            }
            tls
        }
        // A machine without certificates trusts nobody: `require` is refused at the handshake, `prefer` does without TLS.
        Err(_) => MakeRustlsConnect::new(
            rustls::ClientConfig::builder()
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth(),
        ),
    }
}
