//! `/api/v1/ai-hub/templates`

mod delete;
mod get;
mod instantiate;
mod list;
pub(crate) mod view;

pub(crate) use delete::delete;
pub(crate) use get::get;
pub(crate) use instantiate::instantiate;
pub(crate) use list::list;
