//! Calls: what the endpoint saw, against what the journals say.
//!
//! Three rules. The first two are exact:
//!
//! - Each call belongs to an attempt that was committed as begun: there are at most as many calls under a key as the
//!   journal has `Started` entries for its path. (And a path that completed is never begun again: `journal.rs`.)
//! - A path that began and completed was called.
//! - No call arrives after its completion was committed. The commit's time is the one that the database wrote into the
//!   chunk, which is a little before the commit and never after it; the call's is taken by the endpoint. Both are this
//!   machine's clock. A call needs some time from its sender to the endpoint, which gets [`ON_THE_WAY`].

use std::collections::BTreeMap;

use gristmill_core::journal::Entry;
use gristmill_testkit::RecordedCall;

use super::{Calls, Evidence, Findings, Invariant};
use crate::database::Row;

/// How long after its sending a call may be seen, in microseconds, on a busy machine.
const ON_THE_WAY: i64 = 1_000_000;

/// What the journal says about the node run of one key.
#[derive(Default)]
struct Run<'a> {
    organization: &'a str,
    started: usize,
    /// When its completion was written.
    completed: Option<i64>,
}

pub(super) fn check(evidence: &Evidence, found: &mut Findings) {
    let runs = runs(&evidence.rows, found);
    let mut calls = BTreeMap::<&str, Vec<&RecordedCall>>::new();
    for call in &evidence.calls {
        match call.header("idempotency-key") {
            Some(key) => calls.entry(key).or_default().push(call),
            None => found.add(
                Invariant::EffectsOnce,
                format!("a call of {} without a key", call.path),
            ),
        }
    }
    for (key, calls) in &calls {
        match runs.get(*key) {
            Some(run) => compare(key, run, calls, evidence, found),
            None => found.add(
                Invariant::EffectsOnce,
                format!("{key} was called and never began"),
            ),
        }
    }
    for (key, run) in &runs {
        found.expect(
            run.completed.is_none() || calls.contains_key(&**key),
            Invariant::EffectsOnce,
            || format!("{key} completed and was never called"),
        );
    }
}

/// The node runs that are effects, by idempotency key.
fn runs<'a>(rows: &'a [Row], found: &mut Findings) -> BTreeMap<String, Run<'a>> {
    let mut runs = BTreeMap::<String, Run>::new();
    for row in rows {
        let key = |path: &str| format!("{}:{path}", row.id);
        let mut entries = row.journal.iter();
        for chunk in &row.chunks {
            for entry in entries.by_ref().take(chunk.entries as usize) {
                match entry {
                    Entry::Started { path, .. } => {
                        let run = runs.entry(key(path)).or_default();
                        run.organization = &row.organization;
                        run.started += 1;
                    }
                    Entry::Completed { path, output, .. } => {
                        let key = key(path);
                        let Some(run) = runs.get_mut(&key) else { continue };
                        run.completed = Some(chunk.written_at);
                        // An endpoint that tells the caller its key shows whether the answer was meant for it.
                        let echo = output.get("body").and_then(|body| body["key"].as_str());
                        found.expect(
                            echo.is_none_or(|echo| echo == key),
                            Invariant::EffectsOnce,
                            || format!("{key} completed with the answer to {echo:?}"),
                        );
                    }
                    _ => {}
                }
            }
        }
    }
    runs
}

fn compare(key: &str, run: &Run, calls: &[&RecordedCall], evidence: &Evidence, found: &mut Findings) {
    let allowed = match evidence.calls_allowed {
        Calls::Once => 1,
        Calls::AtLeastOnce => run.started,
    };
    found.expect(calls.len() <= allowed, Invariant::EffectsOnce, || {
        format!(
            "{key} was called {} times, and {allowed} were allowed; it began {} times",
            calls.len(),
            run.started
        )
    });
    for call in calls {
        let late = run.completed.map_or(0, |completed| call.at_micros() - completed);
        // Seen again within a moment after a thaw: see `Evidence::thaws`.
        let excused = || {
            let since_thaw = evidence.thaws.iter().map(|thaw| call.at_micros() - thaw);
            since_thaw
                .into_iter()
                .any(|since| (0..=ON_THE_WAY).contains(&since))
        };
        found.expect(late <= ON_THE_WAY || excused(), Invariant::EffectsOnce, || {
            format!(
                "{key} was called {} ms after its completion was written",
                late / 1_000
            )
        });
        if let Some(owner) = owner(call) {
            found.expect(owner == run.organization, Invariant::Tenants, || {
                format!(
                    "{key} of {} was called with the data of {owner}",
                    run.organization
                )
            });
        }
    }
}

/// The organization that the body names, where it names one.
fn owner(call: &RecordedCall) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&call.body).ok()?;
    body["organization"].as_str().map(ToOwned::to_owned)
}
