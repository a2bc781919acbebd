//! Distributed: what the commands for several processes have in common.

use secrecy::ExposeSecret;

use crate::config::Config;
use crate::error::Error;

/// Makes sure that there is a database and a broker that other processes can reach, too. With an embedded one, whatever
/// this process accepted would be seen by nobody else.
///
/// # Errors
/// [`Error::Usage`], which says what to set or to run instead.
pub fn require_services(config: &Config, command: &str) -> Result<(), Error> {
    let mut missing = Vec::new();
    let database = config.database.url.expose_secret();
    if database.is_empty() || database.starts_with("sqlite:") {
        missing.push("a PostgreSQL database (DATABASE_URL=postgres://…)");
    }
    if config.broker.url.expose_secret().is_empty() {
        missing.push("a RabbitMQ broker (AMQP_URL=amqp://…)");
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "`gristmill {command}` is one of several processes, and they meet in {}.\n\
         Set what is missing, or run everything in one process with `gristmill dev`.",
        missing.join(" and ")
    )))
}

/// Makes sure that there is a database server: for commands that only change what is kept.
///
/// # Errors
/// [`Error::Usage`], which says what to set or to run instead.
pub fn require_database(config: &Config, command: &str) -> Result<(), Error> {
    let database = config.database.url.expose_secret();
    if !database.is_empty() && !database.starts_with("sqlite:") {
        return Ok(());
    }
    let embedded = if command.starts_with("admin") {
        "The embedded database of `gristmill dev` has one organization, whose key it prints at start."
    } else {
        "The embedded database needs no such step: `gristmill dev` does it at start."
    };
    Err(Error::Usage(format!(
        "`gristmill {command}` needs to know the PostgreSQL database: set DATABASE_URL=postgres://…\n{embedded}"
    )))
}
