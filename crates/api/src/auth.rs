//! Authentication: keys and tokens, whose they are, and how fast their callers may go.

pub(crate) mod cache;
pub(crate) mod key;
pub(crate) mod principal;
pub(crate) mod rates;
pub(crate) mod tokens;
