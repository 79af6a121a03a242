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

/// The cases that a line names: `sj_08` in the name of a function, `SJ-08` in a comment on a test or in a text. The heads of files
/// only say what to look for in them.
fn named(line: &str) -> impl Iterator<Item = String> {
    let is_head = line.starts_with("//!");
    let mark = if line.trim_start().contains("fn ") { '_' } else { '-' };
    line.char_indices().filter(move |(_, c)| *c == mark && !is_head).filter_map(move |(at, _)| {
        let (area, number) = (line.get(at.checked_sub(2)?..at)?, line.get(at + 1..at + 3)?);
        let is_case = area.bytes().all(|b| b.is_ascii_alphabetic()) && number.bytes().all(|b| b.is_ascii_digit());
        is_case.then(|| format!("{}-{number}", area.to_uppercase()))
    })
}

#[test]
fn every_case_is_borne_by_a_test() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut text = String::new();
    for name in ["scim", "store", "provider", "server", "lockstep"] {
        collect(&crates.join(name), &mut text);
    }
    let borne: BTreeSet<String> = text.lines().flat_map(named).collect();
    let missing: Vec<&str> = CASES.lines().filter(|case| !borne.contains(*case)).collect();
    assert!(missing.is_empty(), "no test is named after {missing:?}; its name begins like sj_08_");
    assert!(CASES.lines().is_sorted(), "the list is sorted");
}

#[test]
fn cases_are_known_by_name_and_by_comment() {
    for (line, expected) in [
        ("fn sj_08_one_attribute() {", vec!["SJ-08"]),
        ("    fn au_09_at_rest_and_au_13_in_log() {", vec!["AU-09", "AU-13"]),
        ("/// SF-07, SF-09: texts are texts.", vec!["SF-07", "SF-09"]),
        ("//! SF-07 is in here.", vec![]),
        ("let x = a - 12; // 2026-11-21, é-08", vec![]),
    ] {
        assert_eq!(named(line).collect::<Vec<_>>(), expected, "{line}");
    }
}
