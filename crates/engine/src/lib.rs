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

mod failure;
mod graph;
mod kinds;
mod language;
mod run;

pub use failure::{FailureClass, NodeFailure};
pub use graph::{
    Behaviour, Call, Child, Compiled, DuplicateKind, Each, Effect, EffectOutput, Fields, InputSchema, Kind,
    Pause, Plan, Pure, PureOutcome, Registry, RetryPolicy, Wait, compile, compile_json,
};
pub use kinds::builtin;
pub use language::{Allowance, Expression, ExpressionError, Scope, Template, Text};
pub use run::{
    ChildRequest, Clock, Command, Control, ForeignEntry, InboxMessage, Inline, Journal, LeaseLost,
    ManualClock, MemoryJournal, Options, Outcome, Run, State, Suspension, run,
};
