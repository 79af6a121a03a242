//! The document for administrators says of each operator what the code does.

use std::collections::BTreeMap;

use mapping::{Clause, FilterGroup, FilterOperator, Quantifier, RegexMode, ScopingFilters, Value};

const DOCUMENT: &str = include_str!("../../../docs/scoping-filters.md");

/// The rows of the table below a heading: operator, what it takes, whether it holds for an empty attribute.
fn table(heading: &str) -> Vec<(String, String, String)> {
    let section = DOCUMENT.split(&format!("\n{heading}\n")).nth(1).expect("the document has the heading");
    let rows = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    rows.skip(2)
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
            let [operator, value, _, empty] = cells[..] else { panic!("four cells, not {row}") };
            (operator.trim_matches('`').to_owned(), value.to_owned(), empty.to_owned())
        })
        .collect()
}

/// A value that an operator takes, by the word for it in the document.
fn example(kind: &str) -> Option<String> {
    let text = match kind {
        "none" => return None,
        "text" | "pattern" => "x",
        "whole number" => "1",
        "date" => "today+14d",
        "group" => "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        other => panic!("no operator takes {other}"),
    };
    Some(text.to_owned())
}

#[test]
fn the_tables_hold_every_operator_as_it_is() {
    for (heading, is_extension) in [("## Entra's operators", false), ("## Our operators", true)] {
        let rows = table(heading);
        let names: Vec<String> = rows.iter().map(|(name, ..)| name.clone()).collect();
        let all = FilterOperator::all().filter(|operator| operator.is_extension() == is_extension);
        assert_eq!(names, all.map(|operator| operator.to_string()).collect::<Vec<_>>(), "{heading}");
        for (name, kind, on_empty) in rows {
            let operator: FilterOperator = name.parse().expect("it is listed");
            assert_eq!(operator.takes_value(), kind != "none", "{name}");
            let clause = Clause::new("memberOf", operator, example(&kind), RegexMode::Search);
            let clause = clause.unwrap_or_else(|error| panic!("{name} takes {kind}: {error}"));
            let filters = ScopingFilters(vec![FilterGroup { name: "F".into(), clauses: vec![clause] }]);
            let nothing: BTreeMap<String, Value> = BTreeMap::new();
            let verdict = filters.evaluate(&nothing, jiff::Timestamp::UNIX_EPOCH).expect("it is decided");
            assert_eq!(verdict.in_scope.to_string(), on_empty, "{name}");
        }
    }
    for quantifier in Quantifier::ALL {
        assert!(DOCUMENT.contains(&format!("`{} EQUALS`", quantifier.name())));
    }
}

#[test]
fn the_examples_are_filters() {
    let examples: Vec<&str> = DOCUMENT.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 5);
    for example in examples {
        let filters: ScopingFilters =
            serde_json::from_str(example).unwrap_or_else(|error| panic!("{error} in {example}"));
        let file = serde_json::to_string(&filters).expect("filters can be written");
        assert_eq!(serde_json::from_str::<ScopingFilters>(&file).expect("and read"), filters);
    }
}
