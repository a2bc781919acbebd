//! Client: a client of Gristmill's API, for producers.
//!
//! ```no_run
//! # async fn run(workflow: gristmill_client::WorkflowId) -> Result<(), gristmill_client::Error> {
//! use gristmill_client::{Client, Submit};
//!
//! let client = Client::new("https://mill.example", "gm_…")?;
//! let submit = Submit::new(workflow, &serde_json::json!({"order": 4711}))?.key("order-4711");
//! let accepted = client.submit(&submit).await?;
//! let ended = client.wait(&accepted.id).await?;
//! println!("{}: {:?}", ended.status, ended.output);
//! # Ok(())
//! # }
//! ```
//!
//! A submit carries an idempotency key, its own or one that is made for it, so the client repeats it whatever went wrong: no
//! answer, a connection that broke, a 503. Everything else is repeated only where that cannot do something twice.

mod call;
mod client;
mod error;
mod events;
mod execution;
mod executions;
mod journal;
mod problem;
mod retry;
mod submit;
mod workflow;
mod workflows;

pub use call::Call;
pub use client::Client;
pub use error::Error;
pub use events::{Event, Events};
pub use execution::{Child, Execution, LogEntry, Parent};
pub use executions::Revision;
pub use journal::{JournalEntry, JournalPage};
pub use problem::{Fault, Problem};
pub use retry::Retry;
pub use submit::Submit;
pub use workflow::Workflow;

pub use gristmill_core::journal::Entry;
pub use gristmill_core::{ExecutionError, ExecutionId, ExecutionStatus, WorkflowId};
pub use reqwest::Method;
