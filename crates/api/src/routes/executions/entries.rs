//! A stretch of a journal, out of the chunks that it is stored in.

use gristmill_core::ExecutionId;
use gristmill_core::journal::{Entry, read_chunk};
use gristmill_store::{Store, Tenant};
use serde::Serialize;

use crate::error::Error;

/// A journal entry and its number; the first of all is 0.
#[derive(Serialize)]
pub(crate) struct Numbered {
    pub(crate) seq: i32,
    #[serde(flatten)]
    pub(crate) entry: Entry,
}

/// Up to `limit` entries, from number `first` on.
///
/// # Errors
/// The database's failure, or a chunk that cannot be read.
pub(crate) async fn read_entries(
    store: &Store,
    tenant: &Tenant,
    id: &ExecutionId,
    first: i32,
    limit: i32,
) -> Result<Vec<Numbered>, Error> {
    let end = first.saturating_add(limit);
    let mut list = Vec::new();
    for chunk in store.journal_chunks(tenant, id, first, end).await? {
        let entries = read_chunk(chunk.format, &chunk.body).map_err(Error::internal)?;
        let numbered = (chunk.seq..)
            .zip(entries)
            .map(|(seq, entry)| Numbered { seq, entry });
        // A chunk is one commit: the first and the last one may stick out of the stretch.
        list.extend(numbered.filter(|numbered| (first..end).contains(&numbered.seq)));
    }
    Ok(list)
}
