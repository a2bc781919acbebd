//! Output: what a command did, as text for people or JSON for programs.

use std::io::Write;

use serde_json::{Value, json};

use crate::commands::columns::columns as beside_each_other;
use crate::error::Error;
use crate::printable::lines;

/// What a command answers with.
pub(super) enum Output {
    /// Something was done.
    Done {
        /// For people.
        text: String,
        /// For programs.
        value: Value,
    },
    /// What there is.
    List {
        /// The key of the array, for programs.
        name: &'static str,
        /// For people: each column's heading, and its key in the rows.
        columns: &'static [(&'static str, &'static str)],
        /// One object for each thing.
        rows: Vec<Value>,
    },
}

impl Output {
    /// # Errors
    /// When standard output is gone.
    pub(super) fn print(self, as_json: bool) -> Result<(), Error> {
        let text = match self {
            Self::Done { value, .. } if as_json => value.to_string(),
            Self::Done { text, .. } => lines(&text).into_owned(),
            Self::List { name, rows, .. } if as_json => json!({name: rows}).to_string(),
            Self::List { columns, rows, .. } => table(columns, &rows),
        };
        writeln!(std::io::stdout(), "{}", text.trim_end())
            .map_err(|source| Error::Pipe("cannot write the answer", source))
    }
}

fn table(columns: &[(&str, &str)], rows: &[Value]) -> String {
    let mut lines = vec![
        columns
            .iter()
            .map(|(heading, _)| (*heading).to_owned())
            .collect::<Vec<_>>(),
    ];
    lines.extend(
        rows.iter()
            .map(|row| columns.iter().map(|(_, key)| cell(&row[*key])).collect()),
    );
    beside_each_other(&lines)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "all".to_owned(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [
            json!({"name": "Ada", "scopes": [], "end": null}),
            json!({"name": "Grace Hopper", "scopes": ["a", "b"], "end": "soon"}),
        ];
        let columns = [("NAME", "name"), ("SCOPES", "scopes"), ("END", "end")];
        assert_eq!(
            table(&columns, &rows),
            "NAME          SCOPES  END\nAda           all     -\nGrace Hopper  a,b     soon\n"
        );
    }
}
