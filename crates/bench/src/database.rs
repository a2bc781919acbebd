//! Connections and databases of the benchmark's own.

use gristmill_store::{Options, connect_postgres};
use tokio_postgres::Client;
use url::Url;

use crate::Error;

/// A connection past all that is measured.
pub(crate) async fn connect(url: &str) -> Result<Client, Error> {
    let options = Options {
        application_name: "gristmill-bench".to_owned(),
        ..Options::new(url)
    };
    connect_postgres(&options).await.map_err(Error::Database)
}

/// A new database on the server of `url`; answers with its URL.
pub(crate) async fn create(url: &str, name: &str) -> Result<String, Error> {
    let mut own = Url::parse(url).map_err(Error::DatabaseUrl)?;
    own.set_path(name);
    execute(
        url,
        "making a database (the role needs CREATEDB)",
        &format!("CREATE DATABASE {name}"),
    )
    .await?;
    Ok(own.into())
}

/// Drops it, and whatever connections it still has.
pub(crate) async fn drop_database(url: &str, name: &str) -> Result<(), Error> {
    execute(
        url,
        "dropping the database",
        &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
    )
    .await
}

async fn execute(url: &str, doing: &'static str, sql: &str) -> Result<(), Error> {
    let client = connect(url).await?;
    client
        .batch_execute(sql)
        .await
        .map_err(|source| Error::Statement { doing, source })
}
