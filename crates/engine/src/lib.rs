//! The engine: what a definition means, and how it is run.
//!
//! ```text
//! Definition ──compile──▶ Plan ──┐
//!                                ▼
//! journal ──entries──▶ State ──decisions──▶ driver ──▶ effects
//!    ▲                                        │
//!    └────────────────entries─────────────────┘
//! ```
//!
//! - [`compile`] makes a dense [`Plan`] of a definition, or names every problem that it has.
//! - [`State`] is pure: journal entries in, decisions out. A first run and a run after a crash are the same code.
//! - [`run`] carries the decisions out: it evaluates pure nodes inline, starts effects, waits, and commits to the
//!   [`Journal`] in the order that the rules ask for.
//! - A node kind is one file: it implements [`Kind`] and stands in one list ([`builtin`] here, and another in the crate
//!   of the kinds with I/O), from which a [`Registry`] is made.
//!
//! No database, no broker and no HTTP in here: what the engine needs of the world are a [`Journal`] and a [`Clock`]. Its
//! rules, by number, are in `docs/engine-semantics.md`; the tests bear the numbers in their names.

mod allowance;
mod clock;
mod common;
mod compile;
mod delay;
mod document;
mod driver;
mod expression;
mod failure;
mod fields;
mod journal;
mod kind;
mod kinds;
mod memory;
mod panics;
mod plan;
mod registry;
mod retry;
mod run;
mod schema;
mod scope;
mod size;
mod state;
mod template;
mod value;

pub use allowance::Allowance;
pub use clock::{Clock, ManualClock};
pub use compile::{compile, compile_json};
pub use driver::{Command, Options, Orders, Outcome, run};
pub use expression::{Expression, ExpressionError};
pub use failure::{FailureClass, NodeFailure};
pub use fields::Fields;
pub use journal::{ChildRequest, Journal, LeaseLost, Mail, MemoryJournal, Suspension};
pub use kind::{
    Behaviour, Call, Child, Compiled, Each, Effect, EffectOutput, Kind, Pause, Pure, PureOutcome, Wait,
};
pub use kinds::builtin;
pub use plan::Plan;
pub use registry::{DuplicateKind, Registry};
pub use retry::RetryPolicy;
pub use run::Run;
pub use schema::InputSchema;
pub use scope::Scope;
pub use state::{ForeignEntry, Inline, State};
pub use template::{Template, Text};
