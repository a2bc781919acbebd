//! What background tasks have in common.

mod pace;

pub(crate) use pace::paced;
