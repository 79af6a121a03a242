//! Every form that the documentation of compatibility lists, in its words.

use serde_json::Value;
use store::testing::on_both;

use crate::flow::{tell, vendor};

const DOCUMENT: &str = include_str!("../../../../docs/compatibility.md");
const FLOW: &str = include_str!("compatibility.jsonl");

/// Forms that no flow can send, with the test that does.
const ELSEWHERE: [(&str, &str); 3] = [
    ("`Content-Type: application/json`, with or without `charset=utf-8`", "fn media_types"),
    ("`authorization: bearer …`", "fn what_is_answered_without_a_valid_token"),
    ("the same JSON key twice, in any case", "fn sj_08_one_attribute_in_two_spellings_is_refused"),
];
const TESTS: [&str; 3] =
    [include_str!("../scim/malformed.rs"), include_str!("../scim/access.rs"), include_str!("../attack/twice.rs")];

/// The first column of every row of every table.
fn forms() -> impl Iterator<Item = &'static str> {
    let rows = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | ")).map(|(form, _)| form);
    rows.filter(|form| *form != "Form")
}

#[test]
fn every_listed_form_is_told() {
    let told: Vec<String> = FLOW
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| serde_json::from_str::<Vec<Value>>(line).unwrap()[0].as_str().unwrap().to_owned())
        .collect();
    let untold: Vec<&str> = forms()
        .filter(|form| !told.iter().any(|habit| habit.starts_with(form)))
        .filter(|form| {
            let test = ELSEWHERE.iter().find(|(listed, _)| listed == form).map(|(_, test)| test);
            !test.is_some_and(|test| TESTS.iter().any(|text| text.contains(test)))
        })
        .collect();
    assert!(untold.is_empty(), "put a line into compatibility.jsonl that begins with each of {untold:#?}");
    assert!(forms().count() > 30, "the tables are read");
}

#[test]
fn each_form_is_taken_as_the_document_says() {
    on_both(|store| async { tell(&vendor(store).await, FLOW).await });
}
