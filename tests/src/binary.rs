//! Binary: where the one under test is.

use std::path::{Path, PathBuf};

use crate::bench::Error;

/// The directory that this workspace is built into.
pub(crate) fn target_directory() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => workspace.join(directory),
        None => workspace.join("target"),
    }
}

/// The binary `gristmill`: `GRISTMILL_BIN`, or what a debug build leaves behind.
///
/// # Panics
/// When there is none. A test cannot have it built: the test runner may hold cargo's lock.
pub fn gristmill() -> PathBuf {
    let path = match std::env::var_os("GRISTMILL_BIN") {
        Some(path) => PathBuf::from(path),
        None => target_directory().join("debug/gristmill"),
    };
    assert!(
        path.is_file(),
        "there is no {}: run ./scripts/test, or first `cargo build -p gristmill-cli --features failpoints`, or set GRISTMILL_BIN",
        path.display()
    );
    path
}

/// The binary `gristmill`: `GRISTMILL_BIN`, or what was built beside this program, with the same profile.
pub(crate) fn beside() -> Result<PathBuf, Error> {
    let path = match std::env::var_os("GRISTMILL_BIN") {
        Some(path) => PathBuf::from(path),
        None => std::env::current_exe()
            .map_err(Error::Runtime)?
            .with_file_name("gristmill"),
    };
    if path.is_file() {
        Ok(path)
    } else {
        Err(Error::NoBinary(path))
    }
}
