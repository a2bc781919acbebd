//! Key file: the file that keeps an API key between two runs of `gristmill dev`.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::Error;

/// For the owner's eyes only.
const MODE: u32 = 0o600;

/// The key in the file; `None` when there is no file.
///
/// # Errors
/// When the file cannot be read.
pub(super) fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::File {
            what: "cannot read the API key in",
            path: path.to_owned(),
            source,
        }),
    }
}

/// Writes the key, whole or not at all.
///
/// # Errors
/// When the directory cannot be written to.
pub(super) fn write(path: &Path, key: &str) -> Result<(), Error> {
    // Written aside and moved: a file that is there is complete, and was never readable to others.
    let new = path.with_extension("new");
    let write = || {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        if let Err(error) = fs::remove_file(&new)
            && error.kind() != ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(MODE)
            .open(&new)?;
        writeln!(file, "{key}")?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().map_err(|source| Error::File {
        what: "cannot keep the API key in",
        path: path.to_owned(),
        source,
    })
}
