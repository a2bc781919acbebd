//! Extractors: what handlers read from a request. Whatever cannot be read becomes an [`crate::http::error::Error`], never
//! axum's own text.

mod batch;
mod document;
mod filters;
mod id;
mod idempotency_key;
mod if_match;
mod page;
mod params;
mod prefer;
mod signal_path;

pub(crate) use batch::Batch;
pub(crate) use document::Document;
pub(crate) use filters::{Filters, time};
pub(crate) use id::Id;
pub(crate) use idempotency_key::IdempotencyKey;
pub(crate) use if_match::IfMatch;
pub(crate) use page::Page;
pub(crate) use params::Params;
pub(crate) use prefer::{PREFERENCE_APPLIED, Prefer, Return};
pub(crate) use signal_path::SignalPath;
