//! Leaving RUNNING: it has one place for each database, where whatever must happen then is put: `leave.rs`. A statement
//! that sets a status by itself is noticed here, unless what it moves was not RUNNING before, or becomes it.

use std::fs;
use std::path::Path;

/// Who else sets a status, and why that leaves nothing RUNNING.
const OTHERS: [(&str, &str); 10] = [
    ("postgres", "claim.rs"),         // becomes RUNNING
    ("postgres", "deliver.rs"),       // WAITING, woken by a message
    ("postgres", "finish.rs"),        // WAITING: the parent of what ends, woken by a message
    ("postgres", "resume_paused.rs"), // WAITING
    ("postgres", "retry.rs"),         // FAILED
    ("sqlite", "claim.rs"),
    ("sqlite", "deliver.rs"),
    ("sqlite", "resume_paused.rs"),
    ("sqlite", "retry.rs"),
    ("sqlite", "leave.rs"),
];

#[test]
fn what_leaves_running_goes_through_the_one_part_for_it() {
    let mut setting = Vec::new();
    find(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut |path, text| {
            let count = text
                .split("UPDATE executions")
                .skip(1)
                .filter(|rest| sets_status(rest))
                .count();
            let database = if path.iter().any(|part| part == "sqlite") {
                "sqlite"
            } else {
                "postgres"
            };
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            setting.extend((0..count).map(|_| (database, name.clone())));
            assert!(
                !text.contains("update(executions"),
                "{name} is not looked through"
            );
        },
    );
    setting.sort();
    let mut expected: Vec<_> = OTHERS.map(|(database, name)| (database, name.to_owned())).into();
    expected.push(("postgres", "leave.rs".to_owned()));
    expected.sort();
    assert_eq!(
        setting, expected,
        "leave RUNNING by `leave!`, or say above why that is not what the statement does"
    );
}

/// Whether an update that goes on so assigns a status: up to its condition, or up to the next statement of the file.
fn sets_status(rest: &str) -> bool {
    let end = ["WHERE", "\";", "UPDATE", "pub("]
        .iter()
        .filter_map(|mark| rest.find(mark))
        .min();
    let list = &rest[..end.unwrap_or(rest.len())];
    list.match_indices("status =").any(|(at, _)| {
        let before = list[..at].trim_end();
        before.ends_with("SET") || before.ends_with(',')
    })
}

fn find(folder: &Path, look: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn a_statement_that_sets_a_status_is_noticed() {
    for found in [
        " SET status = 'FAILED' WHERE",
        " e SET\n    error = $1,\n    status = 'PENDING'\n",
        " SET wake_at = CASE WHEN status = 'WAITING' THEN 1 END, status = CASE WHEN",
    ] {
        assert!(sets_status(found), "{found}");
    }
    for found in [
        " SET wake_at = NULL WHERE status = 'RUNNING'",
        " e SET publishes = CASE WHEN e.status = 'PENDING' THEN 1 ELSE 0 END\",",
    ] {
        assert!(!sets_status(found), "{found}");
    }
}
