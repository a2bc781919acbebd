//! Page: the rules as they are written, and the tests that bear their numbers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[test]
fn every_rule_of_the_page_has_a_test_that_bears_its_number() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = std::fs::read_to_string(root.join("docs/engine-semantics.md")).unwrap();
    let rules: BTreeSet<u32> = page
        .lines()
        .filter_map(|line| line.split_once(". ")?.0.parse().ok())
        .collect();
    assert_eq!(rules, (1..=31).collect());
    let mut sources = Vec::new();
    for directory in ["crates", "tests"] {
        collect(&root.join(directory), &mut sources);
    }
    let shown: BTreeSet<u32> = sources
        .iter()
        .flat_map(|source| {
            let text = std::fs::read_to_string(source).unwrap();
            let numbers = text
                .split("fn rule_")
                .skip(1)
                .filter_map(|name| name.get(..2)?.parse().ok());
            numbers.collect::<Vec<u32>>()
        })
        .collect();
    let missing: Vec<_> = rules.difference(&shown).collect();
    assert!(missing.is_empty(), "no test bears the number of {missing:?}");
}

fn collect(directory: &Path, sources: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}
