//! Statements: the three statements of an execution, each committed before it is answered.

use super::groups::Groups;
use super::lines::Lines;
use super::{Options, Tables};
use crate::bench::Error;

/// One by one, or many executions at a time.
pub(super) enum Statements {
    OneByOne(Lines),
    Grouped(Groups),
}

impl Statements {
    pub(super) async fn prepare(options: &Options, tables: &Tables) -> Result<Self, Error> {
        Ok(if options.grouped {
            Self::Grouped(Groups::prepare(options, tables).await?)
        } else {
            Self::OneByOne(Lines::prepare(options, tables).await?)
        })
    }

    /// Records it as PENDING.
    pub(super) async fn insert(&self, id: &str) -> Result<(), Error> {
        match self {
            Self::OneByOne(lines) => lines.insert(id).await,
            Self::Grouped(groups) => groups.insert.call(id).await,
        }
    }

    /// PENDING → RUNNING.
    pub(super) async fn start(&self, id: &str) -> Result<(), Error> {
        match self {
            Self::OneByOne(lines) => lines.start(id).await,
            Self::Grouped(groups) => groups.start.call(id).await,
        }
    }

    /// RUNNING → COMPLETED, with its journal.
    pub(super) async fn complete(&self, id: &str) -> Result<(), Error> {
        match self {
            Self::OneByOne(lines) => lines.complete(id).await,
            Self::Grouped(groups) => groups.complete.call(id).await,
        }
    }
}

pub(super) fn failed(source: tokio_postgres::Error) -> Error {
    Error::Statement {
        doing: "a statement",
        source,
    }
}
