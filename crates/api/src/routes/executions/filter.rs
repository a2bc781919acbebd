//! Filter: the filter of executions, in a query or in a body.

use std::collections::HashSet;
use std::hash::Hash;

use gristmill_core::{ExecutionStatus, Path, Problem};
use gristmill_store::ExecutionFilter;
use serde_json::{Map, Value};

use crate::http::extract::{Filters, time};
use crate::routes::unknown_keys::UnknownKeys;

/// How many tags may be asked for at once: each is read for itself.
const MAX_TAGS: usize = 10;

/// How many statuses may be named: there are six.
const MAX_STATUSES: usize = 10;

/// The longest lane and the longest tag, in characters.
const MAX_LANE: usize = 100;
const MAX_TAG: usize = 50;

const STATUSES: &str = "one or several of PENDING, RUNNING, WAITING, COMPLETED, FAILED and CANCELLED";
const TIME: &str = "a time such as 2030-01-31T12:00:00Z";

/// Reads `workflow`, `status`, `createdFrom`, `createdTo`, `lane` and `tags`.
pub(super) fn from_query(filters: &mut Filters) -> ExecutionFilter {
    ExecutionFilter {
        workflow_id: filters.take("workflow", "a workflow's id"),
        statuses: unique(filters.take_all("status", STATUSES, MAX_STATUSES, |text| text.parse().ok())),
        created_from: filters.take_time("createdFrom"),
        created_to: filters.take_time("createdTo"),
        lane: filters.take_with("lane", "a lane's name", |text| named(text, MAX_LANE)),
        tags: unique(filters.take_all("tags", "one or several tags", MAX_TAGS, |text| {
            named(text, MAX_TAG)
        })),
    }
}

/// Reads the same from an object at `path`, where the workflow is called `workflowId`, and `status` and `tags` may be
/// arrays.
pub(super) fn from_json(
    object: &Map<String, Value>,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> ExecutionFilter {
    const KNOWN: [&str; 6] = ["workflowId", "status", "createdFrom", "createdTo", "lane", "tags"];
    let mut unknown = UnknownKeys::default();
    let keys = object.keys().filter(|key| !KNOWN.contains(&key.as_str()));
    keys.for_each(|key| unknown.add(key));
    problems.extend(unknown.problems(path, &KNOWN));
    let mut object = Object {
        object,
        path,
        problems,
    };
    ExecutionFilter {
        workflow_id: object.one("workflowId", "a workflow's id", |text| text.parse().ok()),
        statuses: object.several("status", STATUSES, MAX_STATUSES, |text| text.parse().ok()),
        created_from: object.one("createdFrom", TIME, time),
        created_to: object.one("createdTo", TIME, time),
        lane: object.one("lane", "a lane's name", |text| named(text, MAX_LANE)),
        tags: object.several("tags", "a tag, or an array of tags", MAX_TAGS, |text| {
            named(text, MAX_TAG)
        }),
    }
}

struct Object<'a> {
    object: &'a Map<String, Value>,
    path: &'a Path,
    problems: &'a mut Vec<Problem>,
}

impl Object<'_> {
    fn one<T>(&mut self, key: &str, expected: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        match self.object.get(key)? {
            Value::Null => None,
            Value::String(text) => read(text).or_else(|| self.refuse(key, expected)),
            _ => self.refuse(key, expected),
        }
    }

    /// Values that are refused by their number before any of them is looked at.
    fn several<T: Hash + Eq + Clone>(
        &mut self,
        key: &str,
        expected: &str,
        most: usize,
        read: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let values = match self.object.get(key) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(values)) => values.as_slice(),
            Some(value) => std::slice::from_ref(value),
        };
        if values.len() > most {
            let message = format!(
                "`{key}` has {} values, and at most {most} are allowed",
                values.len()
            );
            self.problems
                .push(Problem::new(self.path.key(key), "out_of_range", message));
            return Vec::new();
        }
        let values = values.iter().map(|value| value.as_str().and_then(&read));
        unique(
            values
                .collect::<Option<Vec<_>>>()
                .or_else(|| self.refuse(key, expected))
                .unwrap_or_default(),
        )
    }

    fn refuse<T>(&mut self, key: &str, expected: &str) -> Option<T> {
        self.problems.push(Problem::new(
            self.path.key(key),
            "invalid_value",
            format!("`{key}` is {expected}"),
        ));
        None
    }
}

/// A name that the database can hold: PostgreSQL has no NUL in a text.
fn named(text: &str, longest: usize) -> Option<String> {
    let length = text.chars().count();
    ((1..=longest).contains(&length) && !text.contains('\0')).then(|| text.to_owned())
}

/// Each value once: each is a stretch of an index.
fn unique<T: Hash + Eq + Clone>(mut values: Vec<T>) -> Vec<T> {
    let mut known = HashSet::with_capacity(values.len());
    values.retain(|value| known.insert(value.clone()));
    values
}

/// Statuses out of which something can be done.
pub(super) fn narrow(
    filter: &mut ExecutionFilter,
    possible: &[ExecutionStatus],
    path: &Path,
    problems: &mut Vec<Problem>,
) {
    if filter.statuses.is_empty() {
        filter.statuses = possible.to_vec();
    }
    if let Some(other) = filter.statuses.iter().find(|status| !possible.contains(status)) {
        let names: Vec<_> = possible.iter().map(|status| status.as_str()).collect();
        let message = format!(
            "nothing can be done to what is {other}; possible are {}",
            names.join(", ")
        );
        problems.push(Problem::new(path.key("status"), "unknown_value", message));
    }
}
