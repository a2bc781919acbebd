//! The checker finds what it is there for: each of these changes one thing in a story in which all is well.

use std::time::{Duration, SystemTime};

use gristmill_core::journal::Entry;

use super::*;
use crate::database::Chunk;

const SECOND: i64 = 1_000_000;

fn started(path: &str) -> Entry {
    Entry::Started {
        path: path.into(),
        at: 0,
        attempt: 1,
    }
}

fn completed(path: &str) -> Entry {
    Entry::Completed {
        path: path.into(),
        at: 0,
        duration_ms: 0,
        output: serde_json::Map::new().into(),
        handle: None,
        usage: None,
        mail: None,
    }
}

fn chunk(seq: i32, written_at: i64) -> Chunk {
    Chunk {
        seq,
        entries: 1,
        written_at,
        organization: "org".into(),
    }
}

/// Called after one second, completed after two.
fn story() -> Evidence {
    let row = Row {
        id: "e".into(),
        organization: "org".into(),
        workflow: "w".into(),
        key: Some("k".into()),
        status: "COMPLETED".into(),
        attempt: 1,
        losses: 0,
        published: false,
        wake_at: None,
        journal_len: 2,
        nodes_executed: 1,
        output: Some("{}".into()),
        error: None,
        journal: vec![started("call"), completed("call")],
        chunks: vec![chunk(0, SECOND), chunk(1, 2 * SECOND)],
    };
    Evidence {
        accepted: vec![Accepted {
            key: Some("k".into()),
            organization: Some("org".into()),
            ended: Some(("COMPLETED".into(), serde_json::json!({}))),
            ..Accepted::from(&"e".to_owned())
        }],
        rows: vec![row],
        calls: vec![call(SECOND)],
        calls_allowed: Calls::AtLeastOnce,
        failing: BTreeSet::new(),
        thaws: Vec::new(),
    }
}

fn call(at: i64) -> RecordedCall {
    RecordedCall {
        at: SystemTime::UNIX_EPOCH + Duration::from_micros(at as u64),
        method: "POST".into(),
        path: "/call".into(),
        query: String::new(),
        headers: vec![("idempotency-key".into(), "e:call".into())],
        body: br#"{"organization":"org"}"#.to_vec(),
    }
}

/// What is found after this change.
fn found(change: impl FnOnce(&mut Evidence)) -> Vec<Invariant> {
    let mut evidence = story();
    change(&mut evidence);
    let violations = evidence.violations();
    violations.iter().map(|violation| violation.invariant).collect()
}

#[test]
fn nothing_is_found_where_all_is_well() {
    assert_eq!(story().violations(), []);
}

#[test]
fn a_lost_an_unknown_and_a_doubled_execution_are_found() {
    let lost = |evidence: &mut Evidence| {
        evidence.rows.clear();
        evidence.calls.clear();
    };
    assert_eq!(found(lost), [Invariant::Acceptance]);
    assert_eq!(
        found(|evidence| evidence.accepted.clear()),
        [Invariant::Acceptance]
    );
    let doubled = |evidence: &mut Evidence| evidence.accepted.push(evidence.accepted[0].clone());
    assert_eq!(found(doubled), [Invariant::Acceptance]);
    let other_key = |evidence: &mut Evidence| evidence.rows[0].key = Some("other".into());
    assert_eq!(found(other_key), [Invariant::Acceptance]);
}

#[test]
fn an_execution_that_ends_wrongly_is_found() {
    let waits = |evidence: &mut Evidence| {
        evidence.rows[0].status = "RUNNING".into();
        evidence.accepted[0].ended = None;
    };
    assert_eq!(found(waits), [Invariant::Ends]);
    let completes = |evidence: &mut Evidence| evidence.failing = BTreeSet::from(["w".into()]);
    assert_eq!(found(completes), [Invariant::Ends]);
    let changed = |evidence: &mut Evidence| evidence.rows[0].output = Some(r#"{"a":1}"#.into());
    assert_eq!(found(changed), [Invariant::Forward]);
}

#[test]
fn a_journal_with_a_gap_or_a_second_end_is_found() {
    assert_eq!(
        found(|evidence| evidence.rows[0].chunks[1].seq = 2),
        [Invariant::Forward; 2]
    );
    let again = |evidence: &mut Evidence| {
        let row = &mut evidence.rows[0];
        row.journal.push(completed("call"));
        row.chunks.push(chunk(2, 3 * SECOND));
        (row.journal_len, row.nodes_executed) = (3, 2);
    };
    assert_eq!(found(again), [Invariant::EffectsOnce]);
    assert_eq!(
        found(|evidence| evidence.rows[0].nodes_executed = 3),
        [Invariant::Forward]
    );
}

#[test]
fn a_call_too_many_or_too_late_is_found_and_one_of_a_thawed_worker_is_excused() {
    let twice = |evidence: &mut Evidence| evidence.calls.push(call(SECOND));
    assert_eq!(found(twice), [Invariant::EffectsOnce]);
    let late = |evidence: &mut Evidence| evidence.calls[0] = call(5 * SECOND);
    assert_eq!(found(late), [Invariant::EffectsOnce]);
    let thawed = |evidence: &mut Evidence| {
        evidence.calls[0] = call(5 * SECOND);
        evidence.thaws = vec![5 * SECOND - 1];
    };
    assert_eq!(found(thawed), []);
    assert_eq!(found(|evidence| evidence.calls.clear()), [Invariant::EffectsOnce]);
}

#[test]
fn what_belongs_to_another_organization_is_found() {
    let row = |evidence: &mut Evidence| evidence.rows[0].chunks[0].organization = "other".into();
    assert_eq!(found(row), [Invariant::Tenants]);
    let call = |evidence: &mut Evidence| evidence.calls[0].body = br#"{"organization":"other"}"#.to_vec();
    assert_eq!(found(call), [Invariant::Tenants]);
    let accepted = |evidence: &mut Evidence| evidence.accepted[0].organization = Some("other".into());
    assert_eq!(found(accepted), [Invariant::Tenants]);
}

#[test]
fn a_step_backwards_is_found() {
    let sample = |status: &str, attempt, journal_len| Sample {
        id: "e".into(),
        status: status.into(),
        attempt,
        journal_len,
    };
    let steps = |samples: &[Sample]| {
        let mut history = History::default();
        history.see(samples.iter().cloned());
        history.violations.len()
    };
    let forward = [
        sample("PENDING", 0, 0),
        sample("RUNNING", 1, 1),
        sample("WAITING", 1, 2),
        sample("PENDING", 1, 2),
        sample("RUNNING", 2, 4),
        sample("COMPLETED", 2, 5),
    ];
    assert_eq!(steps(&forward), 0);
    for (earlier, later) in [
        (sample("COMPLETED", 1, 2), sample("RUNNING", 2, 2)),
        (sample("PENDING", 1, 2), sample("RUNNING", 1, 2)),
        (sample("WAITING", 1, 2), sample("PENDING", 1, 3)),
        (sample("RUNNING", 2, 2), sample("RUNNING", 1, 2)),
        (sample("RUNNING", 2, 2), sample("RUNNING", 3, 1)),
    ] {
        assert_eq!(
            steps(&[earlier.clone(), later.clone()]),
            1,
            "{earlier:?} {later:?}"
        );
    }
}
