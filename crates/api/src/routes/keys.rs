//! `/api/v1/ai-hub/keys`

mod create;
mod list;
mod revoke;
mod submission;
mod view;

pub(crate) use create::create;
pub(crate) use list::list;
pub(crate) use revoke::revoke;
