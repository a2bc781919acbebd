//! What handlers read from a request. Whatever cannot be read becomes an [`crate::error::Error`], never axum's own text.

mod document;
mod id;
mod idempotency_key;
mod page;
mod prefer;
mod signal_path;

pub(crate) use document::Document;
pub(crate) use id::Id;
pub(crate) use idempotency_key::IdempotencyKey;
pub(crate) use page::Page;
pub(crate) use prefer::{PREFERENCE_APPLIED, Prefer, Return};
pub(crate) use signal_path::SignalPath;
