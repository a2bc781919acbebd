//! Statement: the statement behind a page.
//!
//! The indexes keep the executions of an organization, and those of a workflow, by status and then by time; one pair those
//! that have ended, one pair the others. So each wanted status is one stretch that is read backwards, and a page is the
//! merge of the stretches: PostgreSQL reads each only as far as the merge asks for it, since each is ordered and limited
//! for itself.

use gristmill_core::{ExecutionId, ExecutionStatus};

use super::list::ExecutionFilter;
use super::row::COLUMNS;
use crate::connection::sql_types::Timestamp;
use crate::{Cursor, Tenant};

/// Whose SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Postgres,
    Sqlite,
}

/// A value of a statement's.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Bind {
    Text(String),
    Moment(Timestamp),
    Number(i64),
}

/// A text and the values of its parameters.
pub(super) struct Statement {
    pub(super) sql: String,
    pub(super) binds: Vec<Bind>,
}

/// Newest first.
const ORDER: &str = "ORDER BY created_at DESC, id DESC LIMIT";

/// Reads up to `count` executions, newest first, by whatever of the filter an index knows.
pub(super) fn listing(
    dialect: Dialect,
    tenant: &Tenant,
    filter: &ExecutionFilter,
    after: Option<&Cursor<ExecutionId>>,
    count: usize,
) -> Statement {
    let mut builder = Builder {
        dialect,
        binds: Vec::new(),
    };
    let bounds = Bounds {
        organization: builder.text(tenant.0.as_str()),
        from: filter.created_from.map(|from| builder.moment(Timestamp(from))),
        older: builder.older(filter, after),
        count: builder.number(count),
    };
    let sql = if filter.tags.is_empty() {
        by_status(&mut builder, filter, &bounds)
    } else {
        by_tag(&mut builder, filter, &bounds)
    };
    Statement {
        sql,
        binds: builder.binds,
    }
}

/// What every stretch has in common, as SQL.
struct Bounds {
    organization: String,
    /// No older than this.
    from: Option<String>,
    /// Only what is older than this.
    older: Option<Older>,
    /// How many.
    count: String,
}

/// Where a stretch begins.
enum Older {
    /// A moment that belongs to it.
    Until(String),
    /// An execution that does not: its moment and its id.
    Than(String, String),
}

/// The stretches of the statuses.
///
/// What was PENDING or RUNNING once has left its entry in the index until the next vacuum, and whoever looks for the newest
/// of the few that are still unfinished reads all those entries. So the ended ones are read first, and of the others only
/// what is newer than the last of those: an entry that is left over belongs to an execution that has ended since, and of
/// these there are no more than are on the page.
fn by_status(builder: &mut Builder, filter: &ExecutionFilter, bounds: &Bounds) -> String {
    let wanted = |status: &ExecutionStatus| filter.statuses.is_empty() || filter.statuses.contains(status);
    let wanted = ExecutionStatus::ALL.into_iter().filter(wanted);
    let (ended, unfinished): (Vec<_>, Vec<_>) = wanted.partition(|status| status.is_terminal());
    let owner = match &filter.workflow_id {
        // The organization has been compared by then, too: see `stretch`.
        Some(id) => format!("e.workflow_id = {}", builder.text(id.as_str())),
        None => String::new(),
    };
    let from = bounds.from.as_deref();
    let count = &bounds.count;
    if ended.is_empty() || unfinished.is_empty() {
        let statuses = [ended, unfinished].concat();
        let all = union(
            statuses
                .into_iter()
                .map(|status| stretch(status, &owner, bounds, from)),
        );
        return format!("{all} {ORDER} {count}");
    }
    let ended = union(
        ended
            .into_iter()
            .map(|status| stretch(status, &owner, bounds, from)),
    );
    let whole_range = from.unwrap_or(builder.beginning());
    let floor = format!(
        "(SELECT CASE WHEN count(*) = {count} THEN min(created_at) ELSE {whole_range} END FROM ended)"
    );
    let unfinished = unfinished.into_iter();
    let unfinished = union(unfinished.map(|status| stretch(status, &owner, bounds, Some(&floor))));
    format!(
        "WITH ended AS MATERIALIZED ({ended} {ORDER} {count}), \
         unfinished AS MATERIALIZED ({unfinished} {ORDER} {count}) \
         SELECT * FROM ended UNION ALL SELECT * FROM unfinished {ORDER} {count}"
    )
}

/// One stretch of an index, read backwards.
fn stretch(status: ExecutionStatus, owner: &str, bounds: &Bounds, from: Option<&str>) -> String {
    let mut conditions = vec![
        format!("e.organization_id = {}", bounds.organization),
        // No parameter: PostgreSQL sees how much there is of it.
        format!("e.status = '{status}'"),
        // What the status says already, in the words of the indexes' conditions.
        format!(
            "e.completed_at IS {}NULL",
            if status.is_terminal() { "NOT " } else { "" }
        ),
    ];
    conditions.extend(Some(owner.to_owned()).filter(|owner| !owner.is_empty()));
    conditions.extend(from.map(|from| format!("e.created_at >= {from}")));
    conditions.extend(older(bounds, "e.created_at", "e.id"));
    format!(
        "SELECT * FROM (SELECT {COLUMNS} FROM executions e WHERE {} \
         ORDER BY e.created_at DESC, e.id DESC LIMIT {}) AS stretch",
        conditions.join(" AND "),
        bounds.count,
    )
}

/// The stretches of the tags, and the executions behind them: as often as they have a wanted tag.
fn by_tag(builder: &mut Builder, filter: &ExecutionFilter, bounds: &Bounds) -> String {
    let count = &bounds.count;
    let tags = filter.tags.iter().map(|tag| {
        let mut conditions = vec![
            format!("organization_id = {}", bounds.organization),
            format!("tag = {}", builder.text(tag)),
        ];
        conditions.extend(bounds.from.as_ref().map(|from| format!("created_at >= {from}")));
        conditions.extend(older(bounds, "created_at", "execution_id"));
        format!(
            "SELECT * FROM (SELECT created_at, execution_id AS id FROM execution_tags WHERE {} \
             ORDER BY created_at DESC, execution_id DESC LIMIT {count}) AS stretch",
            conditions.join(" AND "),
        )
    });
    let tagged = union(tags);
    format!(
        "WITH tagged AS MATERIALIZED ({tagged} {ORDER} {count}) \
         SELECT {COLUMNS} FROM tagged JOIN executions e ON e.id = tagged.id \
         WHERE e.organization_id = {} ORDER BY tagged.created_at DESC, tagged.id DESC",
        bounds.organization,
    )
}

fn union(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(" UNION ALL ")
}

fn older(bounds: &Bounds, created_at: &str, id: &str) -> Option<String> {
    bounds.older.as_ref().map(|older| match older {
        Older::Until(moment) => format!("{created_at} <= {moment}"),
        Older::Than(moment, last) => format!("({created_at}, {id}) < ({moment}, {last})"),
    })
}

struct Builder {
    dialect: Dialect,
    binds: Vec<Bind>,
}

impl Builder {
    fn text(&mut self, text: &str) -> String {
        self.bind(Bind::Text(text.to_owned()))
    }

    fn moment(&mut self, moment: Timestamp) -> String {
        self.bind(Bind::Moment(moment))
    }

    fn number(&mut self, number: usize) -> String {
        self.bind(Bind::Number(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    /// Takes a value, and answers with its place in the text.
    fn bind(&mut self, bind: Bind) -> String {
        self.binds.push(bind);
        let mark = match self.dialect {
            Dialect::Postgres => '$',
            Dialect::Sqlite => '?',
        };
        format!("{mark}{}", self.binds.len())
    }

    /// Before everything.
    fn beginning(&self) -> &'static str {
        match self.dialect {
            Dialect::Postgres => "'-infinity'::timestamptz",
            Dialect::Sqlite => "-9223372036854775807",
        }
    }

    /// The one bound that counts: of two, an index begins at the first, and reads on until it has come to the second.
    fn older(&mut self, filter: &ExecutionFilter, after: Option<&Cursor<ExecutionId>>) -> Option<Older> {
        match (after, filter.created_to) {
            (Some(after), to) if to.is_none_or(|to| after.created_at <= to) => {
                let moment = self.moment(Timestamp(after.created_at));
                Some(Older::Than(moment, self.text(after.id.as_str())))
            }
            (_, Some(to)) => Some(Older::Until(self.moment(Timestamp(to)))),
            (_, None) => None,
        }
    }
}
