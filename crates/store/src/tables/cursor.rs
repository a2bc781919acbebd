//! The cursor: where a list goes on.

use chrono::{DateTime, Utc};

/// A place in a list that begins with the newest: behind this item, and before all that are older.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor<Id> {
    /// When the item was recorded.
    pub created_at: DateTime<Utc>,
    /// Which of those recorded at the same moment.
    pub id: Id,
}
