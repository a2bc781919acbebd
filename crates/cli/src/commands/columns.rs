//! Columns: tables for people.

use std::borrow::Cow;

use crate::printable::line;

/// A line for each row, columns beside each other. All rows have as many cells as the first.
pub fn columns<R: AsRef<[String]>>(rows: &[R]) -> String {
    let rows: Vec<Vec<Cow<'_, str>>> = rows
        .iter()
        .map(|row| row.as_ref().iter().map(|cell| line(cell)).collect())
        .collect();
    let count = rows.first().map_or(0, Vec::len);
    let widths: Vec<_> = (0..count)
        .map(|column| {
            let widths = rows.iter().map(|row| row[column].chars().count());
            widths.max().unwrap_or_default()
        })
        .collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths);
        let cells: Vec<_> = cells.map(|(cell, &width)| format!("{cell:<width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}
