//! One file, one process: the lock, and connections with their settings.

use std::fs::{File, TryLockError};
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, ConnectionError, ConnectionResult, SqliteConnection};

use crate::Error;

/// The writer creates the file, so its settings are the database's. A commit is on the disk before it is answered:
/// `synchronous = FULL` makes the write-ahead log as durable as PostgreSQL's. The timeout bridges checkpoints and an
/// operator's `sqlite3` shell; inside of the process writers queue for their one connection.
pub(super) const WRITER: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                      PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;";
pub(super) const READER: &str =
    "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;";

/// Takes the directory for this process. Two processes on one file would each believe to be the only worker, and each
/// take the other's executions for lost when it starts.
pub(super) fn lock(directory: &Path) -> Result<File, Error> {
    let path = directory.join("lock");
    let opened = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path);
    let file = opened.map_err(|error| unusable(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Options(format!(
            "{} is in use by another gristmill process",
            directory.display()
        ))),
        Err(TryLockError::Error(error)) => Err(unusable(&path, &error)),
    }
}

pub(super) fn unusable(path: &Path, error: &std::io::Error) -> Error {
    Error::Options(format!("{} cannot be used: {error}", path.display()))
}

/// The file as SQLite's kind of URL, where `?` and `#` would end the path and `%` begin an escape. With the plain path,
/// a file called `:memory:` or `file:…` would be something else.
pub(super) fn file_url(path: &Path) -> Result<String, Error> {
    let path = std::path::absolute(path).map_err(|error| unusable(path, &error))?;
    let text = path
        .to_str()
        .ok_or_else(|| Error::Options(format!("{} is not Unicode", path.display())))?;
    Ok(format!(
        "file:{}",
        text.replace('%', "%25").replace('?', "%3f").replace('#', "%23")
    ))
}

pub(super) fn connect(url: &str, settings: &str) -> ConnectionResult<SqliteConnection> {
    let mut connection = SqliteConnection::establish(url)?;
    connection
        .batch_execute(settings)
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}
