//! Everything that Gristmill keeps, through Diesel, in PostgreSQL or SQLite.
//!
//! A [`Store`] is opened from [`Options`]. Whatever moves an execution is one of the verbs of [`Protocol`], written once
//! for each database in `hot/postgres/<verb>.rs` and `hot/sqlite/<verb>.rs`. Everything else is a plain function of the
//! store, in a file for each table, with one portable body. The first argument says on whose behalf: a [`Tenant`], or
//! the [`System`].
//!
//! Whatever runs on a connection runs in a task of its own: a caller that goes away leaves nothing half done.

mod api_keys;
mod audit;
mod cached;
mod error;
mod executions;
mod hot;
mod journal;
mod listing;
mod members;
mod migrate;
mod organizations;
mod parse;
mod pool;
mod postgres_pool;
mod protocol;
mod revisions;
mod roles;
mod schema;
mod scope;
mod sql_types;
mod sqlite_pool;
mod stats;
mod store;
mod task;
mod templates;
mod usage;
mod users;
mod workflows;

pub use api_keys::{KeyOwner, KeyRecord, NewApiKey, Revoked};
pub use audit::{
    Action, Actor, AuditEntry, AuditFilter, AuditPage, AuditPlace, ObjectKind, ParseActionError,
};
pub use error::Error;
pub use executions::{Child, Execution};
pub use listing::{ExecutionFilter, ExecutionPage, ExecutionSummary, Position};
pub use members::{Admitted, Member};
pub use organizations::{NewOrganization, NewUser, Organization, Owner};
pub use postgres_pool::connect_postgres;
pub use protocol::{
    Accepted, Answer, Append, Backlog, Cancelled, ChildStarted, Chunk, Claim, ClaimAnswer, Claimed,
    DeadLetter, Decide, Deleted, Delivered, Due, Ended, Ending, Held, Keep, Mail, NewChunk, Protocol,
    Received, Replay, Replayed, Retention, Retried, Settle, Start, StartChild, Submit, Submitted, Suspend,
    Suspended, Sweep, Wake, Watched,
};
pub use revisions::Revision;
pub use scope::{System, Tenant};
pub use stats::{Stats, StatsRange};
pub use store::{Options, Store};
pub use templates::{NewTemplate, Template, TemplateFilter, TemplateSummary};
pub use usage::{Reached, Usage};
pub use users::User;
pub use workflows::{
    About, Changed, Creator, Deletion, Facts, Listed, NewWorkflow, Origin, Page, Sort, Switch, Workflow,
    WorkflowChange, WorkflowFilter,
};
