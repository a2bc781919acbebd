//! An execution's journal for people: one line for each entry.

use gristmill_client::{Entry, JournalEntry};
use gristmill_core::journal::{Output, WaitsFor};

/// How much of an output is shown, in characters.
const SHOWN: usize = 72;

/// The lines; times count from the first entry.
pub fn readable(entries: &[JournalEntry]) -> String {
    let entries: Vec<_> = entries.iter().map(|numbered| &numbered.entry).collect();
    let first = entries.first().map(|entry| entry.at()).unwrap_or_default();
    let width = entries
        .iter()
        .map(|entry| entry.path().unwrap_or_default().chars().count())
        .max()
        .unwrap_or_default();
    let line = |entry: &Entry| {
        format!(
            "  {:>6} ms  {:<width$}  {}\n",
            entry.at() - first,
            entry.path().unwrap_or_default(),
            what(entry)
        )
    };
    entries.into_iter().map(line).collect()
}

fn what(entry: &Entry) -> String {
    match entry {
        Entry::Started { attempt, .. } => format!("started, attempt {attempt}"),
        Entry::Completed {
            handle: Some(handle), ..
        } => format!("chose `{handle}`"),
        Entry::Completed {
            output, duration_ms, ..
        } => {
            format!("completed in {duration_ms} ms{}", shortened(output))
        }
        Entry::Retrying {
            attempt,
            error,
            retry_at,
            ..
        } => {
            let wait = retry_at.saturating_sub(entry.at());
            format!("attempt {attempt} failed: {}; next in {wait} ms", error.message)
        }
        Entry::Failed { attempts, error, .. } => {
            format!("failed after {attempts} attempt(s): {}", error.message)
        }
        Entry::Waiting {
            on: WaitsFor::Timer, ..
        } => "waits".to_owned(),
        Entry::Waiting {
            on: WaitsFor::Signal { name },
            ..
        } => format!("waits for the signal `{name}`"),
        Entry::Waiting {
            on: WaitsFor::Child { execution_id },
            ..
        } => format!("waits for {execution_id}"),
        Entry::Expanded { items, .. } => format!("runs its body for {} items", items.len()),
        Entry::Reopened { .. } => "goes on after its failure".to_owned(),
        Entry::Skipped { .. } => "skipped".to_owned(),
        Entry::Disabled { .. } => "disabled, passed through".to_owned(),
        Entry::Aborted { reason, .. } => format!("aborted: {reason}"),
    }
}

fn shortened(output: &Output) -> String {
    if output.is_empty() {
        return String::new();
    }
    let text = serde_json::to_string(output).unwrap_or_default();
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("  {}…", &text[..end]),
        None => format!("  {text}"),
    }
}
