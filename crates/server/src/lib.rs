//! One process, wired: the parts of API, worker and embedded system, started and stopped in their order.

mod account;
mod embedded;
mod error;
pub mod metrics;
mod options;
mod system;

pub use account::{Account, KEY_FILE, create_account};
pub use embedded::{Access, Embedded};
pub use error::Error;
pub use options::{BrokerOptions, DatabaseOptions, Options};
pub use system::{System, listen, open_store};
