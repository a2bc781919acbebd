//! Journal: everything that happened inside an execution, a page at a time.

use gristmill_core::journal::Entry;
use gristmill_testkit::TestDatabase;
use serde_json::{Value, json};

use crate::world::{BASE, World, completed};

fn skipped(numbers: std::ops::Range<i64>) -> Vec<Entry> {
    numbers
        .map(|at| Entry::Skipped {
            path: "shape".to_owned(),
            at,
        })
        .collect()
}

fn seqs(body: &Value) -> Vec<i64> {
    body["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["seq"].as_i64().unwrap())
        .collect()
}

pub(crate) async fn a_journal_is_read_page_by_page(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    let path = format!("{BASE}/executions/{id}/journal");
    assert_eq!(
        world.get(&path).await.json(),
        json!({"entries": [], "next": null})
    );

    // Chunks of 1, 4 and 3 entries, and pages that begin and end inside of them.
    world.claim(&id).await;
    world.append(&id, &skipped(0..1)).await;
    world.append(&id, &skipped(1..5)).await;
    world.settle(&id, &skipped(5..8), completed()).await;
    let mut next = None;
    for (expected, follows) in [(0..3, Some(2)), (3..6, Some(5)), (6..8, None)] {
        let after = next.map_or_else(String::new, |next| format!("&after={next}"));
        let page = world.get(&format!("{path}?limit=3{after}")).await.json();
        assert_eq!(seqs(&page), expected.collect::<Vec<i64>>());
        assert_eq!(page["next"].as_i64(), follows);
        next = page["next"].as_i64();
    }
    let whole = world.get(&path).await.json();
    assert_eq!((seqs(&whole).len(), &whole["next"]), (8, &json!(null)));
    assert_eq!(
        whole["entries"][7],
        json!({"seq": 7, "type": "skipped", "path": "shape", "at": 7})
    );
    for past in ["7", "8", "4294967295"] {
        let page = world.get(&format!("{path}?after={past}")).await.json();
        assert_eq!(page, json!({"entries": [], "next": null}));
    }
}

pub(crate) async fn a_page_of_large_entries_ends_early(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    world.claim(&id).await;
    for at in 0..3 {
        let large = Entry::Skipped {
            path: "x".repeat(3 * 1024 * 1024),
            at,
        };
        world.append(&id, &[large]).await;
    }
    let path = format!("{BASE}/executions/{id}/journal");
    let page = world.get(&format!("{path}?limit=1000")).await.json();
    assert_eq!((seqs(&page), &page["next"]), (vec![0, 1], &json!(1)));
    let page = world.get(&format!("{path}?after=1")).await.json();
    assert_eq!((seqs(&page), &page["next"]), (vec![2], &json!(null)));

    // Nor does the log of the execution take in all of it.
    let execution = &world.get(&format!("{BASE}/executions/{id}")).await.json()["execution"];
    assert_eq!(execution["logs"].as_array().unwrap().len(), 2);
    assert_eq!(execution["logsTruncated"], true);
}

pub(crate) async fn a_long_journals_log_is_cut_and_says_so(database: TestDatabase) {
    let world = World::on(database).await;
    let id = world.execution().await;
    world.claim(&id).await;
    world.append(&id, &skipped(0..999)).await;
    world.append(&id, &skipped(999..1_000)).await;
    let path = format!("{BASE}/executions/{id}");
    let whole = world.get(&path).await.json();
    assert_eq!(whole["execution"]["logs"].as_array().unwrap().len(), 1_000);
    assert_eq!(whole["execution"]["logsTruncated"], false);
    world.append(&id, &skipped(1_000..1_002)).await;
    let cut = world.get(&path).await.json();
    assert_eq!(cut["execution"]["logs"].as_array().unwrap().len(), 1_000);
    assert_eq!(cut["execution"]["logsTruncated"], true);
}
