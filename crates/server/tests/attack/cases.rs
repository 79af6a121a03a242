//! The list of cases, and whether each is borne by a test.

use std::collections::BTreeSet;
use std::path::Path;

/// The numbers of the cases that tests of the workspace bear, one a line.
const CASES: &str = include_str!("cases.txt");

/// Collects the text of every test of a crate: its `tests` folder, and its sources.
fn collect(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_case_is_borne_by_a_test() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut text = String::new();
    for name in ["scim", "store", "provider", "server", "lockstep"] {
        collect(&crates.join(name), &mut text);
    }
    let names = text.lines().filter_map(|line| line.trim_start().split_once("fn ")).map(|(_, name)| name);
    let borne: BTreeSet<String> = names
        .filter_map(|name| {
            Some(format!("{}-{}", name.get(..2)?.to_uppercase(), name.get(2..)?.strip_prefix('_')?.get(..2)?))
        })
        .collect();
    let listed: BTreeSet<String> = CASES.lines().map(str::to_owned).collect();
    let missing: Vec<&String> = listed.iter().filter(|case| !borne.contains(*case)).collect();
    assert!(missing.is_empty(), "no test is named after {missing:?}; its name begins like sj_08_");
    assert!(CASES.lines().is_sorted(), "the list is sorted");
}
