//! Entries: a stretch of a journal, out of the chunks that it is stored in.

use std::ops::Range;

use gristmill_core::ExecutionId;
use gristmill_core::journal::{Entry, read_chunk};
use gristmill_store::{Chunk, Store, Tenant};
use serde::Serialize;

use crate::http::error::Error;

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
    let stretch = first..first.saturating_add(limit);
    let mut list = Vec::new();
    for chunk in store
        .journal_chunks(tenant, id, stretch.start, stretch.end)
        .await?
    {
        list.extend(entries_of(&chunk, &stretch)?);
    }
    Ok(list)
}

/// The first `limit` entries; fewer where they are large: up to the end of the commit with which their text comes to more
/// than `bytes`.
///
/// # Errors
/// As for [`read_entries`].
pub(crate) async fn read_first(
    store: &Store,
    tenant: &Tenant,
    id: &ExecutionId,
    limit: i32,
    bytes: usize,
) -> Result<Vec<Numbered>, Error> {
    let (mut list, mut read) = (Vec::new(), 0);
    let mut stretch = 0..STRETCH.min(limit);
    while !stretch.is_empty() {
        let chunks = store
            .journal_chunks(tenant, id, stretch.start, stretch.end)
            .await?;
        for chunk in &chunks {
            list.extend(entries_of(chunk, &stretch)?);
            read += chunk.body.len();
            if read > bytes {
                return Ok(list);
            }
        }
        if list.len() < stretch.end as usize {
            break;
        }
        stretch = stretch.end..limit.min(stretch.end + STRETCH);
    }
    Ok(list)
}

/// How many entries are read at a time where they may turn out to be large.
const STRETCH: i32 = 50;

/// A chunk is one commit: the first and the last one may stick out of the stretch.
fn entries_of(chunk: &Chunk, stretch: &Range<i32>) -> Result<Vec<Numbered>, Error> {
    let entries = read_chunk(chunk.format, &chunk.body).map_err(Error::internal)?;
    Ok((chunk.seq..)
        .zip(entries)
        .map(|(seq, entry)| Numbered { seq, entry })
        .filter(|numbered| stretch.contains(&numbered.seq))
        .collect())
}
