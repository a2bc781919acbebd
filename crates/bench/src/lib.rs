//! The load generator behind `gristmill bench`: a whole system over HTTP, as a producer meets it.
//!
//! [`system::run`] answers with a report that is printed as one line of JSON. Progress goes through [`Show`]. What else is
//! public is for benchmarks of other kinds, which measure with the same meters.

mod error;
mod http;
mod latency;
mod machine;
mod meter;
mod process;
mod round;
mod show;
mod spawn;
pub mod system;
mod workflow;

pub use error::Error;
pub use http::{Connection, Target};
pub use latency::Latency;
pub use machine::{Machine, VERSION};
pub use meter::{ByProcess, Meter};
pub use process::Growth;
pub use round::round;
pub use show::Show;
pub use spawn::{LANE, Site, SpawnOptions};
