//! List: lists of executions, newest first, a page at a time.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::row::NamedRow;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, deserialize, sql_query};
use diesel_async::RunQueryDsl;
use gristmill_core::{ExecutionId, ExecutionStatus, WaitReason, WorkflowId, boxed};

use super::row::Row;
use super::statement::{self, Bind, Dialect, Statement};
use crate::connection::pool::{Pools, read};
use crate::connection::sql_types::Moment;
use crate::{Cursor, Error, Store, Tenant};

/// What a list of executions is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecutionFilter {
    /// Of this workflow.
    pub workflow_id: Option<WorkflowId>,
    /// In one of these statuses; none = in any.
    pub statuses: Vec<ExecutionStatus>,
    /// Recorded then or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Recorded then or earlier.
    pub created_to: Option<DateTime<Utc>>,
    /// Whose jobs go here.
    pub lane: Option<String>,
    /// With one of these tags at least; none = with any, or without.
    pub tags: Vec<String>,
}

/// An execution without its documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionSummary {
    /// Its id.
    pub id: ExecutionId,
    /// Of which workflow.
    pub workflow_id: WorkflowId,
    /// Which revision of it.
    pub revision: i32,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// Where its jobs go.
    pub lane: String,
    /// How often a worker has claimed it.
    pub attempt: i32,
    /// When something is due: what, depends on the status.
    pub wake_at: Option<DateTime<Utc>>,
    /// What WAITING is for, if not for the graph.
    pub waits_for: Option<WaitReason>,
    /// Whose child it is.
    pub parent: Option<ExecutionId>,
    /// Why it FAILED, as serialized, where that is short: a long text is kept apart from its row, and a page would take
    /// twice as long.
    pub error: Option<String>,
    /// How often an operator had it retried.
    pub operator_retries: i32,
    /// Node runs that ended COMPLETED.
    pub nodes_executed: i32,
    /// Model tokens.
    pub tokens_used: i64,
    /// Millionths of a dollar.
    pub cost_micros: i64,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When it was first claimed.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

/// A part of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecutionPage {
    /// Newest first. There may be fewer than were asked for, or none, although the list goes on.
    pub executions: Vec<ExecutionSummary>,
    /// Where the list goes on; `None` at its end.
    pub next: Option<Cursor<ExecutionId>>,
}

/// How many executions are looked at for one page of a list that no index narrows to its lane: so many that a page never
/// costs more than some hundred blocks, however the rows lie. Those that ended and those that did not are read apart, so
/// that a list of both looks at up to so many of each.
const EXAMINED: usize = 120;

/// How many tags are looked at for one page: the execution behind each has to be found by its id, four blocks a time. Each
/// further tag that is wanted takes one off: finding the beginning of its stretch costs as much.
const EXAMINED_TAGS: usize = 51;

impl ExecutionFilter {
    /// Whether it narrows nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether nothing can be in the list.
    fn is_contradictory(&self) -> bool {
        let range = self.created_from.zip(self.created_to);
        range.is_some_and(|(from, to)| from > to)
    }

    /// How many executions are read for a page of up to `limit`: one more than that, to know whether the list goes on; or
    /// as many as may be looked at, where what is read need not be wanted.
    fn examined(&self, limit: usize) -> usize {
        if !self.tags.is_empty() {
            EXAMINED_TAGS.saturating_sub(self.tags.len()).max(1)
        } else if self.lane.is_some() {
            EXAMINED
        } else {
            limit + 1
        }
    }

    /// What the statement leaves to be looked at. Of the tags it leaves nothing.
    fn has(&self, found: &ExecutionSummary) -> bool {
        self.lane.as_ref().is_none_or(|lane| *lane == found.lane)
            && (self.tags.is_empty() || self.has_untagged(found))
    }

    /// Where the list is walked by tags, nothing else is in an index.
    fn has_untagged(&self, found: &ExecutionSummary) -> bool {
        let status = self.statuses.is_empty() || self.statuses.contains(&found.status);
        let workflow = self.workflow_id.as_ref();
        status && workflow.is_none_or(|id| *id == found.workflow_id)
    }
}

impl ExecutionSummary {
    fn cursor(&self) -> Cursor<ExecutionId> {
        Cursor {
            created_at: self.created_at,
            id: self.id.clone(),
        }
    }
}

impl Store {
    /// Up to `limit` executions of the tenant's, from the newest on, or from those behind `after`.
    ///
    /// # Errors
    /// When the database does not answer.
    #[boxed]
    pub async fn list_executions(
        &self,
        tenant: &Tenant,
        filter: &ExecutionFilter,
        after: Option<&Cursor<ExecutionId>>,
        limit: usize,
    ) -> Result<ExecutionPage, Error> {
        if filter.is_contradictory() {
            return Ok(ExecutionPage::default());
        }
        let examined = filter.examined(limit);
        let dialect = match &self.pools {
            Pools::Postgres(_) => Dialect::Postgres,
            Pools::Sqlite(_) => Dialect::Sqlite,
        };
        let Statement { sql, binds } = statement::listing(dialect, tenant, filter, after, examined);
        let rows = read!(self, tenant, |connection| {
            let mut query = sql_query(sql).into_boxed();
            for bind in binds {
                query = match bind {
                    Bind::Text(text) => query.bind::<Text, _>(text),
                    Bind::Moment(moment) => query.bind::<Moment, _>(moment),
                    Bind::Number(number) => query.bind::<BigInt, _>(number),
                };
            }
            Ok(query.load::<Row>(connection).await?)
        })?;
        let found: Result<Vec<_>, _> = rows.into_iter().map(ExecutionSummary::try_from).collect();
        Ok(page(found?, filter, limit, examined))
    }

    /// What PostgreSQL does for such a page, with the blocks that it reads, as `EXPLAIN (ANALYZE, BUFFERS)` tells it: for
    /// tests and benchmarks.
    ///
    /// # Errors
    /// When the database does not answer, or is another one.
    #[boxed]
    pub async fn explain_list_executions(
        &self,
        tenant: &Tenant,
        filter: &ExecutionFilter,
        after: Option<&Cursor<ExecutionId>>,
        limit: usize,
    ) -> Result<String, Error> {
        let Pools::Postgres(pool) = &self.pools else {
            return Err(Error::Options("only PostgreSQL tells what it reads".to_owned()));
        };
        let examined = filter.examined(limit);
        let Statement { sql, binds } = statement::listing(Dialect::Postgres, tenant, filter, after, examined);
        let lines = pool.read_in(tenant, move |connection| {
            Box::pin(async move {
                let mut query =
                    sql_query(format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {sql}")).into_boxed();
                for bind in binds {
                    query = match bind {
                        Bind::Text(text) => query.bind::<Text, _>(text),
                        Bind::Moment(moment) => query.bind::<Moment, _>(moment),
                        Bind::Number(number) => query.bind::<BigInt, _>(number),
                    };
                }
                Ok(query.load::<Line>(connection).await?)
            })
        });
        let lines: Vec<_> = lines.await?.into_iter().map(|Line(line)| line).collect();
        Ok(lines.join("\n"))
    }
}

/// What of the examined executions is wanted, and where to go on: behind the last one of a full page, or behind the last one
/// that was looked at, as long as there may be more.
fn page(
    examined: Vec<ExecutionSummary>,
    filter: &ExecutionFilter,
    limit: usize,
    at_most: usize,
) -> ExecutionPage {
    let may_go_on = examined.len() >= at_most;
    let last = examined.last().map(ExecutionSummary::cursor);
    let mut executions = examined;
    // One execution has as many of the wanted tags as it likes.
    executions.dedup_by(|next, found| next.id == found.id);
    executions.retain(|found| filter.has(found));
    let next = if executions.len() > limit {
        executions.truncate(limit);
        executions.last().map(ExecutionSummary::cursor)
    } else {
        last.filter(|_| may_go_on)
    };
    ExecutionPage { executions, next }
}

/// A line of a plan.
struct Line(String);

impl QueryableByName<Pg> for Line {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        NamedRow::get::<Text, String>(row, "QUERY PLAN").map(Self)
    }
}
