//! Pages: long lists, read to their end.

use gristmill_store::Error as StoreError;

use super::open::failed;
use crate::error::Error;

/// How many are read at a time.
pub(super) const PAGE: i64 = 500;

/// Reads page after page, each behind the last one's last thing.
///
/// # Errors
/// When the database says no.
pub(super) async fn all<T, I>(
    page: impl AsyncFn(Option<&I>) -> Result<Vec<T>, StoreError>,
    id: impl Fn(&T) -> I,
) -> Result<Vec<T>, Error> {
    let mut found = Vec::new();
    loop {
        let last = found.last().map(&id);
        let more = page(last.as_ref()).await.map_err(failed)?;
        if more.is_empty() {
            return Ok(found);
        }
        found.extend(more);
    }
}
