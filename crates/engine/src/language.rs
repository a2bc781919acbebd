//! The language of a definition: expressions and templates, the values that they come to, and what they may take.

mod allowance;
pub(crate) mod document;
mod expression;
mod scope;
pub(crate) mod size;
mod template;
pub(crate) mod value;

pub use allowance::Allowance;
pub use expression::{Expression, ExpressionError};
pub use scope::Scope;
pub use template::{Template, Text};
