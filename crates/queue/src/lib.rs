//! Jobs on their way to workers: [`Broker`] with two implementations, [`RabbitMq`] for deployments and [`InProcess`] for
//! the embedded default, and one contract suite that both pass.
//!
//! A job is a hint that lives for milliseconds; the database is the truth. So nothing here is stored twice: a publish
//! whose outcome is unknown is reported as such, and the relay publishes again.
//!
//! ```text
//! exchange gristmill.jobs ──lane──▶ queue gristmill.jobs.<lane> ──reject, delivery limit──▶ gristmill.dead
//!                                                                 gristmill.dead ──reject──▶ gristmill.parked
//! ```

mod backoff;
mod broker;
mod delivery;
mod error;
mod in_process;
mod options;
mod rabbitmq;

pub use broker::{Broker, Lane, Outgoing, Published, PublisherLink, PublisherState, Subscription};
pub use delivery::{DeadLetter, Delivery};
pub use error::Error;
pub use in_process::InProcess;
pub use options::{InProcessOptions, RabbitMqOptions};
pub use rabbitmq::RabbitMq;
