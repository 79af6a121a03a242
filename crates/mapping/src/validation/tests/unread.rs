//! Tests of mappings of which something could not be read: all that is wrong with the rest is told, and nothing that only seems so.

use super::*;
use crate::{AttributeMapping, MappingSource};

type Lacking = fn(&mut Unread);

fn with(mapping: &ObjectMapping, lacking: Lacking) -> Vec<String> {
    let (list, mut unread) = (target(), Unread::default());
    lacking(&mut unread);
    let mut told = told(&validate(&[(mapping, Known { unread: &unread, ..known(&list) })]));
    told.retain(|one| one.starts_with("P "));
    told
}

/// Mappings that are wrong beside what could not be read, with how often anything is said when all is there, and when it is not.
fn table(rows: &[(serde_json::Value, Lacking, usize, usize)]) {
    for (mappings, lacking, whole, part) in rows {
        let mapping = users(mappings);
        let (before, after) = (with(&mapping, |_| {}), with(&mapping, *lacking));
        assert_eq!((before.len(), after.len()), (*whole, *part), "{mappings}: {before:?} {after:?}");
        assert!(after.iter().all(|one| before.contains(one)), "{after:?}");
    }
}

#[test]
fn the_value_of_a_mapping_that_cannot_be_read_may_be_any() {
    let no_source: Lacking = |unread| unread.add_source(" USERNAME ");
    let of_title: Lacking = |unread| unread.add_source("title");
    table(&[
        // It matches objects without a source, and is required.
        (json!([{"target": "userName", "matchingPriority": 1}]), no_source, 2, 0),
        (json!([{"target": "userName", "matchingPriority": 1}]), of_title, 2, 2),
        // What is wrong whatever its source is, and what is wrong with the others.
        (json!([{"target": "id"}]), |unread| unread.add_source("id"), 1, 1),
        (json!([{"target": "active", "matchingPriority": 2}]), |unread| unread.add_source("active"), 2, 1),
        (json!([{"target": "active", "source": "Now()"}, {"target": "title"}]), of_title, 1, 1),
    ]);
    let twice = |target: &str| {
        let mut mapping = users(&json!([{"target": "title", "source": "[jobTitle]"}]));
        mapping.attributes.push(AttributeMapping::new(target, MappingSource::None));
        with(&mapping, |unread| unread.add_source("title"))
    };
    assert_eq!((twice("TITLE").len(), twice("nickName").len()), (1, 0));
}

#[test]
fn what_else_of_a_mapping_cannot_be_read_is_not_held_against_it() {
    let of = |target: &'static str| -> Lacking {
        match target {
            "userName" => |unread| unread.add_mapping("userName"),
            _ => |unread| unread.add_mapping("title"),
        }
    };
    table(&[
        // The number may be there, the flow type may be another, and there may be a default value.
        (json!([{"target": "userName", "source": "[userPrincipalName]"}]), of("userName"), 1, 0),
        (json!([{"target": "userName", "source": "[userPrincipalName]"}]), of("title"), 1, 0),
        (json!([{"target": "title", "source": "SelectUniqueValue([a], [b])"}]), of("title"), 1, 0),
        (json!([{"target": "title", "source": "IIF([a] = \"x\", \"\", \"\")"}]), of("title"), 1, 0),
        (json!([{"target": "active", "source": "Now()"}]), of("title"), 1, 1),
    ]);
}

#[test]
fn what_is_missing_may_be_among_what_cannot_be_read() {
    let mut without = users(&json!([]));
    without.attributes.retain(|one| one.target != "userName");
    assert_eq!(with(&without, |_| {}).len(), 2);
    assert_eq!(with(&without, |unread| unread.more_mappings = true), [""; 0]);
    assert_eq!(with(&without, |unread| unread.add_definition("userName")).len(), 1, "nothing matches all the same");
    assert_eq!(with(&without, |unread| unread.settings = true).len(), 1);
    let clash = users(&json!([{"target": "active", "source": "Now()"}]));
    assert_eq!(with(&clash, |_| {}).len(), 1);
    assert_eq!(with(&clash, |unread| unread.add_definition("ACTIVE")), [""; 0]);
    assert_eq!(with(&clash, |unread| unread.more_definitions = true), [""; 0]);
    assert_eq!(with(&clash, |unread| unread.add_definition("title")).len(), 1);
}

#[test]
fn a_filter_without_a_clause_that_cannot_be_read_is_not_empty() {
    let filtered = |filters: serde_json::Value| {
        let mut mapping = users(&json!([]));
        mapping.scoping = serde_json::from_value(filters).unwrap();
        mapping
    };
    let partial: Lacking = |unread| unread.add_filter(FilterKind::Scoping, "F");
    let more: Lacking = |unread| _ = unread.more_filters.insert(FilterKind::Scoping);
    let empty = filtered(json!([{"name": "F", "clauses": []}]));
    assert_eq!((with(&empty, |_| {}).len(), with(&empty, partial).len(), with(&empty, more).len()), (1, 0, 1));
    let closed = filtered(json!([{"name": "F", "clauses": [
        {"attribute": "department", "operator": "IS NULL"},
        {"attribute": "department", "operator": "EQUALS", "value": "x"},
    ]}]));
    assert_eq!(with(&closed, partial), with(&closed, |_| {}), "another clause lets nobody in");
    assert_eq!((with(&closed, |_| {}).len(), with(&closed, more).len()), (1, 0), "another filter may");
}

#[test]
fn of_what_is_not_whole_no_warnings_are_told() {
    let list = target();
    let mut unread = Unread::default();
    let mapping = users(&json!([{"target": "active", "source": "[accountEnabled]"}]));
    assert_eq!(findings_of(&mapping).len(), 1);
    unread.add_source("title");
    assert_eq!(validate(&[(&mapping, Known { unread: &unread, ..known(&list) })]), []);
}
