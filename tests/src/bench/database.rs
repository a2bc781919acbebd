//! Database: connections past all that is measured.

use gristmill_store::{Options, connect_postgres};
use tokio_postgres::Client;

use super::Error;

/// One to this database.
pub(crate) async fn connect(url: &str) -> Result<Client, Error> {
    let options = Options {
        application_name: "gristmill-bench".to_owned(),
        ..Options::new(url)
    };
    connect_postgres(&options).await.map_err(Error::Database)
}
