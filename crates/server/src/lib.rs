//! One process, wired: the parts of API, worker and embedded system, started and stopped in their order.

mod error;
mod options;

pub use error::Error;
pub use options::{BrokerOptions, DatabaseOptions, Options};
