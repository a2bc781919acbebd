//! Publishing: jobs on their way to the broker, and those that came back dead.

mod dead_letters;
mod publisher;

pub use dead_letters::DeadLetters;
pub use publisher::Publisher;
