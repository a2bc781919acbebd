//! The bulk request: `{"filter": {…}, "all": …, "dryRun": …, "limit": …, "cursor": …}`.

use gristmill_core::{ExecutionId, Path, Problem};

use gristmill_store::{Cursor, ExecutionFilter};
use serde_json::Value;

use super::super::filter;
use super::order::Order;
use crate::http::cursor;
use crate::http::extract::Document;
use crate::routes::fields::Fields;

/// How many executions are ordered unless asked otherwise, and at most.
const LIMITS: (usize, usize) = (1_000, 10_000);

pub(super) struct Request {
    /// With those statuses only out of which the order is possible.
    pub(super) filter: ExecutionFilter,
    pub(super) dry_run: bool,
    pub(super) limit: usize,
    pub(super) after: Option<Cursor<ExecutionId>>,
}

impl Request {
    /// Every problem at once.
    pub(super) fn read(document: &Document, order: Order) -> Result<Self, Vec<Problem>> {
        let mut fields = Fields::of(document);
        fields.refuse_unknown(&["filter", "all", "dryRun", "limit", "cursor"]);
        let mut wanted = filter_of(&mut fields);
        let all = fields.flag("all", false);
        if wanted.is_empty() && !all && fields.problems.is_empty() {
            let message = "an empty filter finds every execution; say `\"all\": true` if that is meant";
            fields.add("filter", "empty_filter", message.to_owned());
        }
        if all && !wanted.is_empty() {
            let message = "`all` is for an empty filter, and `filter` narrows";
            fields.add("all", "contradiction", message.to_owned());
        }
        let path = Path::root().key("filter");
        filter::narrow(&mut wanted, order.possible(), &path, &mut fields.problems);
        let request = Self {
            filter: wanted,
            dry_run: fields.flag("dryRun", false),
            limit: limit_of(&mut fields),
            after: cursor_of(&mut fields),
        };
        if fields.problems.is_empty() {
            Ok(request)
        } else {
            Err(fields.problems)
        }
    }
}

fn filter_of(fields: &mut Fields<'_>) -> ExecutionFilter {
    match fields.value("filter") {
        None => ExecutionFilter::default(),
        Some(Value::Object(object)) => {
            filter::from_json(object, &Path::root().key("filter"), &mut fields.problems)
        }
        Some(_) => {
            fields.add("filter", "wrong_type", "`filter` is an object".to_owned());
            ExecutionFilter::default()
        }
    }
}

fn limit_of(fields: &mut Fields<'_>) -> usize {
    let (usual, most) = LIMITS;
    let Some(value) = fields.value("limit") else {
        return usual;
    };
    let limit = value.as_u64().and_then(|limit| usize::try_from(limit).ok());
    limit
        .filter(|limit| (1..=most).contains(limit))
        .unwrap_or_else(|| {
            fields.add(
                "limit",
                "out_of_range",
                format!("`limit` is a number from 1 to {most}"),
            );
            usual
        })
}

fn cursor_of(fields: &mut Fields<'_>) -> Option<Cursor<ExecutionId>> {
    let value = fields.value("cursor")?;
    let cursor = value.as_str().and_then(cursor::read);
    if cursor.is_none() {
        let message = "`cursor` is the `nextCursor` of an earlier answer";
        fields.add("cursor", "invalid_value", message.to_owned());
    }
    cursor
}
