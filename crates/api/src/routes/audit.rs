//! `/api/v1/ai-hub/audit`

mod list;
mod place;

pub(crate) use list::list;
