//! A run: the state that a journal comes to, and the driver that carries its decisions out.

mod clock;
mod delay;
mod driver;
mod execution;
mod journal;
mod memory;
mod panics;
mod state;

pub use clock::{Clock, ManualClock};
pub use driver::{Command, Control, Options, Outcome, run};
pub use execution::Run;
pub use journal::{ChildRequest, InboxMessage, Journal, LeaseLost, MemoryJournal, Suspension};
pub use state::{ForeignEntry, Inline, State};
