//! The limit of a value: what an expression that would exceed it fails with.

use minijinja::{Error, ErrorKind};

use crate::language::value::MAX_RESULT_BYTES;

/// The error of a value that would become too large.
pub(super) fn too_long() -> Error {
    let message = format!("the result is longer than {MAX_RESULT_BYTES} bytes");
    Error::new(ErrorKind::InvalidOperation, message)
}
