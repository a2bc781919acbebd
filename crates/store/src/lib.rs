//! Store: everything that Gristmill keeps, through Diesel, in PostgreSQL or SQLite.
//!
//! A [`Store`] is opened from [`Options`]. Whatever moves an execution is one of the verbs of [`Protocol`], written once
//! for each database in `protocol/postgres/<verb>.rs` and `protocol/sqlite/<verb>.rs`. Everything else is a plain function of the
//! store, in a file for each table, with one portable body. The first argument says on whose behalf: a [`Tenant`], or
//! the [`System`].
//!
//! Whatever runs on a connection runs in a task of its own: a caller that goes away leaves nothing half done.

mod connection;
mod error;
mod group;
mod protocol;
mod schema;
mod store;
mod tables;

pub use connection::postgres::connect_postgres;
pub use connection::scope::{System, Tenant};
pub use error::Error;
pub use group::{Error as GroupError, Group, one_by_one};
pub use protocol::{
    Accepted, Answer, Append, Backlog, Cancelled, ChildStarted, Chunk, Claim, ClaimAnswer, Claimed,
    DeadLetter, Decide, Deleted, Delivered, Due, Ended, Ending, Held, InboxMessage, Keep, NewChunk, Protocol,
    Received, Repeat, Replay, Replayed, Retention, Retried, Settle, Start, StartChild, Submit, Submitted,
    Suspend, Suspended, Sweep, Wake, Watched,
};
pub use store::{Options, Store};
pub use tables::api_keys::{KeyOwner, KeyRecord, NewApiKey, Revoked};
pub use tables::audit::{Action, Actor, AuditEntry, AuditFilter, AuditPage, ObjectKind, ParseActionError};
pub use tables::cursor::Cursor;
pub use tables::executions::{Child, Execution, ExecutionFilter, ExecutionPage, ExecutionSummary};
pub use tables::members::{Admitted, Member};
pub use tables::organizations::{NewOrganization, NewUser, Organization, Owner};
pub use tables::stats::{Stats, StatsRange};
pub use tables::templates::{NewTemplate, Template, TemplateFilter, TemplateSummary};
pub use tables::usage::{Reached, Usage};
pub use tables::users::User;
pub use tables::workflows::revisions::Revision;
pub use tables::workflows::{
    DefinitionFacts, Deletion, ListedWorkflow, NewWorkflow, Workflow, WorkflowChange, WorkflowChanged,
    WorkflowCreator, WorkflowDetails, WorkflowFilter, WorkflowOrigin, WorkflowPage, WorkflowSort,
    WorkflowSwitch,
};
