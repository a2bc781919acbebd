//! Properties: what holds for every recipe.

use std::collections::{BTreeMap, BTreeSet};

use gristmill_core::journal::{AfterFailure, Entry};
use gristmill_engine::Outcome;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::engine::{Ended, run};
use crate::recipe::{Make, Recipe, document, recipes};
use crate::reference::{Expected, expect, plain};

fn input() -> Map<String, Value> {
    json!({"k0": 1, "k1": 2, "other": [1]})
        .as_object()
        .unwrap()
        .clone()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    /// Rules 1 to 5, 8, 9, 11, 15, 16, 18 and 21 to 23: whatever the timing and `maxParallel`, the engine comes to what the
    /// reference does, and its journal respects the edges.
    #[test]
    fn rule_11_the_engine_agrees_with_the_reference(recipe in recipes(), seed in any::<u64>()) {
        let expected = expect(&recipe, &input());
        for max_parallel in [1, 2, 16] {
            let ended = run(&document(&recipe, max_parallel), &input(), seed ^ max_parallel as u64, &[]);
            agrees(&ended, &expected)?;
            respects_edges(&ended.journal, &recipe, "")?;
        }
    }

    /// Rule 28: from every prefix of the journal the execution comes to the same result, and no effect that the prefix shows
    /// completed is called again.
    #[test]
    fn rule_28_a_crash_at_any_entry_changes_nothing(recipe in recipes(), seed in any::<u64>()) {
        let expected = expect(&recipe, &input());
        let document = document(&recipe, 1 + (seed % 4) as usize);
        let first = run(&document, &input(), seed, &[]);
        for length in 0..=first.journal.len() {
            let prefix = &first.journal[..length];
            let again = run(&document, &input(), seed.rotate_left(length as u32), prefix);
            agrees(&again, &expected)?;
            let done: BTreeSet<String> = prefix
                .iter()
                .filter(|entry| matches!(entry, Entry::Completed { .. } | Entry::Failed { .. }))
                .filter_map(|entry| Some(format!("wf_exec_1:{}", entry.path()?)))
                .collect();
            let repeated = again.calls.iter().find(|call| done.contains(*call));
            prop_assert_eq!(repeated, None, "from {}", length);
        }
    }
}

fn agrees(ended: &Ended, expected: &Expected) -> Result<(), TestCaseError> {
    match &ended.outcome {
        Outcome::Completed { output, totals, .. } => {
            prop_assert_eq!(&expected.failures, &BTreeSet::new(), "it should have failed");
            prop_assert_eq!(
                plain(&Value::Object(output.clone())),
                Value::Object(expected.output.clone())
            );
            let ends = ends(&ended.journal);
            let settled = |path: &&String| !expected.open.iter().any(|open| path.starts_with(open.as_str()));
            let of = |ends: &BTreeMap<String, &'static str>| -> BTreeMap<String, &'static str> {
                let kept = ends.iter().filter(|(path, _)| settled(path));
                kept.map(|(path, end)| (path.clone(), *end)).collect()
            };
            let mut own = of(&ends);
            own.remove("t");
            prop_assert_eq!(own, of(&expected.ends));
            let completed = ends.values().filter(|end| **end == "completed").count();
            prop_assert_eq!(totals.nodes_executed as usize, completed);
        }
        Outcome::Failed { error, .. } => {
            let path = error.path.clone().unwrap_or_default();
            prop_assert!(
                expected.failures.contains(&path),
                "{path} is none of {:?}",
                expected.failures
            );
        }
        other => prop_assert!(false, "{other:?}"),
    }
    Ok(())
}

/// How each node run ended.
fn ends(journal: &[Entry]) -> BTreeMap<String, &'static str> {
    let end = |entry: &Entry| {
        let end = match entry {
            Entry::Completed { .. } => "completed",
            Entry::Failed { then, .. } if *then != AfterFailure::Fail => "failed",
            Entry::Skipped { .. } => "skipped",
            Entry::Disabled { .. } => "disabled",
            _ => return None,
        };
        Some((entry.path()?.to_owned(), end))
    };
    journal.iter().filter_map(end).collect()
}

/// Rule 26: nothing about a node run stands before the ends of those that lead to it, nor before the items that it is for, and
/// a `forEach` completes after its items.
fn respects_edges(journal: &[Entry], recipe: &Recipe, prefix: &str) -> Result<(), TestCaseError> {
    let first = |path: &str| journal.iter().position(|entry| entry.path() == Some(path));
    let end = |path: &str| {
        let is_end = |entry: &Entry| match entry {
            Entry::Completed { .. } | Entry::Skipped { .. } | Entry::Disabled { .. } => true,
            Entry::Failed { then, .. } => *then != AfterFailure::Fail,
            _ => false,
        };
        journal
            .iter()
            .position(|entry| entry.path() == Some(path) && is_end(entry))
    };
    for spec in recipe {
        let path = format!("{prefix}{}", spec.id);
        let Some(began) = first(&path) else { continue };
        for (source, _) in &spec.edges {
            let before = end(&format!("{prefix}{}", recipe[*source].id));
            prop_assert!(before.is_some_and(|at| at < began), "{path} began too early");
        }
        if let Make::Each { count, body, .. } = &spec.make {
            let expanded = journal
                .iter()
                .position(|entry| entry.path() == Some(&path) && matches!(entry, Entry::Expanded { .. }));
            for item in 0..*count {
                let inside = format!("{path}[{item}]/");
                let of_item = |entry: &Entry| entry.path().is_some_and(|path| path.starts_with(&inside));
                if let Some(at) = journal.iter().position(of_item) {
                    prop_assert!(
                        expanded.is_some_and(|expanded| expanded < at),
                        "{inside} began too early"
                    );
                }
                respects_edges(journal, body, &inside)?;
            }
            if let Some(end) = end(&path) {
                let later = &journal[end..];
                let inside = format!("{path}[");
                let is_late = |entry: &&Entry| {
                    entry.path().is_some_and(|path| path.starts_with(&inside))
                        && !matches!(entry, Entry::Aborted { .. })
                };
                prop_assert!(later.iter().find(is_late).is_none(), "{path} ended too early");
            }
        }
    }
    Ok(())
}
