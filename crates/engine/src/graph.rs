//! The graph: reads a definition's nodes and edges by their kinds, and compiles them to a plan.

mod common;
pub(crate) mod compile;
mod fields;
mod kind;
pub(crate) mod plan;
mod registry;
mod retry;
mod schema;

pub use compile::{compile, compile_json};
pub use fields::Fields;
pub use kind::{
    Behaviour, Call, Child, Compiled, Each, Effect, EffectOutput, Kind, Pause, Pure, PureOutcome, Wait,
};
pub use plan::Plan;
pub use registry::{DuplicateKind, Registry};
pub use retry::RetryPolicy;
pub use schema::InputSchema;
