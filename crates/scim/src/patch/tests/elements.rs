//! Stories of elements: those that a path selects, and the one that is primary.

use serde_json::{Value, json};

use super::{check, patched};
use crate::ScimType;

#[test]
fn elements_below_the_name_of_their_path() {
    let with = |emails: Value| json!({"userName": "ada", "emails": emails});
    let below = |op: &str, emails: Value| json!([{"op": op, "path": "emails", "value": {"Emails": emails}}]);
    let (a, b) = (json!({"value": "a"}), json!({"value": "b"}));
    for (operations, expected) in [
        (below("add", json!([b])), with(json!([a, b]))),
        (below("add", json!({"value": "b"})), with(json!([a, b]))),
        (below("replace", json!([b])), with(json!([b]))),
        (below("remove", json!([a])), json!({"userName": "ada"})),
        (below("remove", json!([])), with(json!([a]))),
        (below("remove", json!(null)), with(json!([a]))),
        (below("add", json!([])), with(json!([a]))),
        (
            json!([{"op": "add", "path": "emails", "value": {"emails": [b], "value": "c"}}]),
            with(json!([a, {"value": "c"}])),
        ),
    ] {
        check(with(json!([a])), operations, expected);
    }
}

#[test]
fn elements_selected_by_a_filter() {
    let work = |value: &str| json!({"type": "work", "value": value});
    let with = |emails: Value| json!({"userName": "ada", "emails": emails});
    let path = r#"emails[type eq "work"].value"#;
    for op in ["Add", "Replace"] {
        check(json!({"userName": "ada"}), json!([{"op": op, "path": path, "value": "a"}]), with(json!([work("a")])));
        check(
            with(json!([{"type": "home", "value": "h"}])),
            json!([{"op": op, "path": path, "value": "a"}]),
            with(json!([{"type": "home", "value": "h"}, work("a")])),
        );
        check(
            with(json!([{"type": "WORK", "value": "a", "primary": true}])),
            json!([{"op": op, "path": path, "value": "b"}]),
            with(json!([{"type": "WORK", "value": "b", "primary": true}])),
        );
    }
    check(
        with(json!([work("a"), {"type": "home", "value": "h"}])),
        json!([{"op": "replace", "path": path, "value": ""}]),
        with(json!([{"type": "home", "value": "h"}])),
    );
    check(
        with(json!([work("a"), work("b"), {"type": "home", "value": "h"}])),
        json!([{"op": "replace", "path": path, "value": "c"}]),
        with(json!([work("c"), {"type": "home", "value": "h"}])),
    );
    check(with(json!([work("a")])), json!([{"op": "remove", "path": path}]), json!({"userName": "ada"}));
    check(
        with(json!([work("a")])),
        json!([{"op": "remove", "path": r#"emails[type eq "work"]"#}]),
        json!({"userName": "ada"}),
    );
    check(
        with(json!([work("a")])),
        json!([{"op": "remove", "path": r#"emails[type eq "home"]"#}]),
        with(json!([work("a")])),
    );
    check(
        with(json!([work("a")])),
        json!([{"op": "replace", "path": r#"emails[type eq "work"]"#, "value": {"value": "b", "nope": 1}}]),
        with(json!([work("b")])),
    );
}

#[test]
fn elements_that_a_filter_makes() {
    let path = r#"emails[type eq "work"].value"#;
    check(
        json!({"userName": "ada"}),
        json!([{"op": "add", "path": r#"emails[type eq "work"]"#, "value": "b"}]),
        json!({"userName": "ada", "emails": [{"type": "work", "value": "b"}]}),
    );
    check(
        json!({"userName": "ada"}),
        json!([{"op": "replace", "path": path, "value": ""}]),
        json!({"userName": "ada"}),
    );
    check(
        json!({"userName": "ada"}),
        json!([
            {"op": "add", "path": r#"addresses[type eq "work"].locality"#, "value": "x"},
            {"op": "add", "path": r#"addresses[type eq "work"].country"#, "value": "y"},
            {"op": "replace", "path": r#"addresses[type eq "work"].locality"#, "value": ""},
        ]),
        json!({"userName": "ada", "addresses": [{"type": "work", "country": "y"}]}),
    );
}

#[test]
fn a_filter_that_nothing_matches_has_no_target() {
    for (op, path) in [
        ("replace", r#"emails[type eq "nope"].value"#),
        ("replace", r#"roles[type eq "work"].value"#),
        ("replace", r#"emails[value eq "x"].type"#),
        ("replace", r#"emails[type co "work"].value"#),
        ("add", r#"emails[type eq "work" or type eq "home"].value"#),
        ("add", r#"emails[not (type eq "work")].value"#),
    ] {
        assert_eq!(
            patched(&json!({"userName": "ada"}), json!([{"op": op, "path": path, "value": "x"}])),
            Err(ScimType::NoTarget),
            "{path}"
        );
    }
    check(
        json!({"userName": "ada"}),
        json!([{"op": "add", "path": r#"emails[type eq "nope" and display eq "d"].value"#, "value": "x"}]),
        json!({"userName": "ada", "emails": [{"type": "nope", "display": "d", "value": "x"}]}),
    );
}

#[test]
fn an_element_replaced_as_a_whole_keeps_nothing_of_the_old_one() {
    let home = json!({"type": "home", "locality": "H"});
    let with = |address: Value| json!({"userName": "ada", "addresses": [address, home]});
    let old = json!({"type": "work", "streetAddress": "1 Old Road", "locality": "L", "country": "GB", "primary": true});
    let new = json!({"streetAddress": "2 New Road"});
    let work = r#"addresses[type eq "work"]"#;
    for (op, path, value, expected) in [
        ("replace", work, new.clone(), json!({"type": "work", "streetAddress": "2 New Road", "primary": true})),
        ("replace", work, json!([new]), json!({"type": "work", "streetAddress": "2 New Road", "primary": true})),
        (
            "Replace",
            r#"addresses[type eq "work" and country eq "gb"]"#,
            json!({"formatted": "F"}),
            json!({"type": "work", "country": "GB", "formatted": "F", "primary": true}),
        ),
        (
            "replace",
            r#"addresses[locality co "l"]"#,
            json!({"type": "other", "formatted": "F", "primary": false}),
            json!({"type": "other", "formatted": "F", "primary": false}),
        ),
        (
            "add",
            work,
            new,
            json!({"type": "work", "streetAddress": "2 New Road", "locality": "L", "country": "GB", "primary": true}),
        ),
        ("replace", work, json!({}), old.clone()),
        ("replace", work, json!({"nope": 1}), old.clone()),
    ] {
        check(with(old.clone()), json!([{"op": op, "path": path, "value": value}]), with(expected));
    }
    let email = json!({"userName": "ada", "emails": [{"type": "work", "value": "a", "display": "A"}]});
    let text = json!([{"op": "replace", "path": r#"emails[type eq "work"]"#, "value": "b"}]);
    check(email, text, json!({"userName": "ada", "emails": [{"type": "work", "value": "b", "display": "A"}]}));
}

#[test]
fn an_element_is_made_from_words_without_quotation_marks() {
    for (path, phone) in [
        ("phoneNumbers[value eq 555-1234].type", json!({"value": "555-1234", "type": "work"})),
        (
            "phoneNumbers[display eq True and primary eq true].type",
            json!({"display": "True", "primary": true, "type": "work"}),
        ),
    ] {
        let (none, made) = (json!({"userName": "ada"}), json!({"userName": "ada", "phoneNumbers": [phone]}));
        let set = json!([{"op": "add", "path": path, "value": "work"}]);
        check(none, set.clone(), made.clone());
        assert_eq!(patched(&made, set), Ok((made, false)), "{path}");
    }
}

#[test]
fn the_primary_role_by_a_quoted_true() {
    check(
        json!({"userName": "ada"}),
        json!([{"op": "Replace", "path": r#"roles[primary eq "True"].value"#, "value": "admin"}]),
        json!({"userName": "ada", "roles": [{"primary": true, "value": "admin"}]}),
    );
    let operations = json!([
        {"op": "add", "path": r#"roles[primary eq "True"].display"#, "value": "Admin"},
        {"op": "add", "path": r#"roles[primary eq "True"].value"#, "value": "admin"},
        {"op": "Replace", "path": r#"roles[primary eq "True"].type"#, "value": "app"},
    ]);
    let role =
        json!({"userName": "ada", "roles": [{"primary": true, "display": "Admin", "value": "admin", "type": "app"}]});
    check(json!({"userName": "ada"}), operations.clone(), role.clone());
    assert_eq!(patched(&role, operations), Ok((role.clone(), false)));
    let json_text = json!([{"value": "{\"id\":\"r1\"}"}]);
    check(
        json!({"userName": "ada"}),
        json!([{"op": "Add", "path": "roles", "value": json_text}]),
        json!({"userName": "ada", "roles": [{"value": "{\"id\":\"r1\"}"}]}),
    );
    check(
        role,
        json!([{"op": "replace", "path": "roles", "value": [{"primary": "False", "value": "x"}]}]),
        json!({"userName": "ada", "roles": [{"primary": false, "value": "x"}]}),
    );
}

#[test]
fn only_one_element_stays_primary() {
    let before = json!({"userName": "ada", "emails": [{"value": "a", "type": "work", "primary": true}, {"value": "b", "type": "home"}]});
    let after =
        |a: bool, b: Value| json!({"userName": "ada", "emails": [{"value": "a", "type": "work", "primary": a}, b]});
    check(
        before.clone(),
        json!([{"op": "add", "path": r#"emails[type eq "home"].primary"#, "value": "True"}]),
        after(false, json!({"value": "b", "type": "home", "primary": true})),
    );
    check(
        before.clone(),
        json!([{"op": "add", "path": "emails", "value": [{"value": "b", "type": "home", "primary": true}]}]),
        after(false, json!({"value": "b", "type": "home", "primary": true})),
    );
    check(
        before.clone(),
        json!([{"op": "replace", "path": r#"emails[type eq "work"].value"#, "value": "c"}]),
        json!({"userName": "ada", "emails": [{"value": "c", "type": "work", "primary": true}, {"value": "b", "type": "home"}]}),
    );
    assert_eq!(
        patched(&before, json!([{"op": "replace", "path": "emails.primary", "value": true}])),
        Err(ScimType::InvalidValue)
    );
    assert_eq!(
        patched(&before, json!([{"op": "replace", "path": "emails[value pr].primary", "value": true}])),
        Err(ScimType::InvalidValue)
    );
}

#[test]
fn an_element_is_replaced_where_the_object_is_one_and_else_changed() {
    let with = |emails: Value| json!({"userName": "ada", "emails": emails});
    let replace =
        |filter: &str, value: Value| json!([{"op": "replace", "path": format!("emails[{filter}]"), "value": value}]);
    let home = |value: &str| json!({"type": "home", "value": value, "display": "D"});
    let both = with(json!([home("a"), home("b")]));
    for (filter, value, expected) in [
        (r#"value eq "b""#, json!({"value": "c", "type": "work"}), json!([home("a"), {"type": "work", "value": "c"}])),
        (
            r#"type eq "home""#,
            json!({"display": "H"}),
            json!([{"type": "home", "value": "a", "display": "H"}, {"type": "home", "value": "b", "display": "H"}]),
        ),
        (
            r#"value eq "b""#,
            json!({"primary": true}),
            json!([home("a"), {"type": "home", "value": "b", "display": "D", "primary": true}]),
        ),
        (
            r#"type eq "home""#,
            json!({"type": "other", "display": ""}),
            json!([{"type": "other", "value": "a"}, {"type": "other", "value": "b"}]),
        ),
    ] {
        check(both.clone(), replace(filter, value), with(expected));
    }
    for filter in [r#"type eq "work""#, r#"value eq "x""#, "not (type pr)"] {
        let operations = replace(filter, json!({"value": "n"}));
        assert_eq!(patched(&both, operations), Err(ScimType::NoTarget), "{filter}");
    }
    // An address has no value that it could be without.
    let addresses = |address: Value| json!({"userName": "ada", "addresses": [address]});
    check(
        addresses(json!({"type": "work", "locality": "L", "region": "R"})),
        json!([{"op": "replace", "path": r#"addresses[type eq "work"]"#, "value": {"locality": "M"}}]),
        addresses(json!({"type": "work", "locality": "M"})),
    );
}

#[test]
fn an_element_without_its_value_stays_while_it_says_something() {
    let with = |emails: Value| json!({"userName": "ada", "emails": emails});
    let (path, all) = (r#"emails[type eq "work"].value"#, "emails.value");
    for (element, left) in [
        (
            json!({"type": "work", "value": "a", "primary": true, "display": "A"}),
            Some(json!({"type": "work", "primary": true, "display": "A"})),
        ),
        (json!({"type": "work", "value": "a", "primary": true}), None),
    ] {
        for operation in [
            json!({"op": "remove", "path": path}),
            json!({"op": "remove", "path": all}),
            json!({"op": "replace", "path": path, "value": ""}),
        ] {
            let expected = left.as_ref().map_or(json!({"userName": "ada"}), |left| with(json!([left])));
            check(with(json!([element])), json!([operation]), expected);
        }
    }
}

#[test]
fn values_that_other_parts_tell_apart_are_several() {
    let with = |roles: Value| json!({"userName": "ada", "roles": roles});
    let add = |role: Value| json!([{"op": "add", "path": "roles", "value": [role]}]);
    let (a, b) = (json!({"value": "admin", "display": "App A"}), json!({"value": "admin", "display": "App B"}));
    check(with(json!([a])), add(b.clone()), with(json!([a, b])));
    check(with(json!([a, b])), add(b.clone()), with(json!([a, b])));
    // What says nothing against it is the same, and so is what has the same type.
    let primary = json!({"value": "admin", "display": "App B", "primary": true});
    check(
        with(json!([a, b])),
        add(json!({"value": "admin", "display": "App B", "primary": true})),
        with(json!([a, primary])),
    );
    let typed = |display: &str| json!({"value": "admin", "type": "x", "display": display});
    check(with(json!([a, typed("A")])), add(typed("B")), with(json!([a, typed("B")])));
}

/// RFC 7643 §2.4, RFC 7644 §3.5.2.1: where case does not count, another spelling is the same value.
#[test]
fn another_spelling_adds_nothing_and_changes_what_is_replaced() {
    let with = |emails: Value| json!({"userName": "ada", "emails": emails});
    let held = json!({"value": "a@x", "type": "work", "primary": true});
    let loud = json!({"value": "A@X", "type": "Work"});
    let loud_primary = json!({"value": "A@X", "type": "Work", "primary": true});
    for (operation, expected) in [
        (json!({"op": "add", "path": "emails", "value": [loud]}), json!([held])),
        (json!({"op": "add", "value": {"emails": [loud_primary]}}), json!([held])),
        (
            json!({"op": "add", "path": "emails", "value": [{"value": "A@X", "type": "Work", "display": "Ada"}]}),
            json!([{"value": "a@x", "type": "work", "primary": true, "display": "Ada"}]),
        ),
        (json!({"op": "add", "path": "emails", "value": [{"value": "A@X"}]}), json!([held, {"value": "A@X"}])),
        (json!({"op": "replace", "path": "emails", "value": [loud]}), json!([loud])),
        (json!({"op": "replace", "path": "emails", "value": [held, loud]}), json!([held])),
        (json!({"op": "replace", "path": "emails[type eq \"work\"]", "value": loud_primary}), json!([loud_primary])),
        (
            json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "A@X"}),
            json!([{"value": "A@X", "type": "work", "primary": true}]),
        ),
        (
            json!({"op": "add", "path": "emails.value", "value": "A@X"}),
            json!([{"value": "A@X", "type": "work", "primary": true}]),
        ),
    ] {
        check(with(json!([held])), json!([operation]), with(expected));
    }
    let removed = json!([{"op": "remove", "path": "emails", "value": [loud]}]);
    check(with(json!([held])), removed, json!({"userName": "ada"}));
    check(
        json!({"userName": "ada", "title": "Countess"}),
        json!([{"op": "add", "path": "title", "value": "COUNTESS"}]),
        json!({"userName": "ada", "title": "COUNTESS"}),
    );
}

#[test]
fn elements_that_become_the_same_are_one() {
    let with = |addresses: Value| json!({"userName": "ada", "addresses": addresses});
    let at = |locality: &str| json!({"type": "work", "locality": locality});
    let (c, path) = (json!({"type": "work", "locality": "C"}), "addresses[type eq \"work\"]");
    for (before, operation, expected) in [
        (
            json!([at("A"), at("B")]),
            json!({"op": "replace", "path": format!("{path}.locality"), "value": "C"}),
            json!([c]),
        ),
        (json!([at("A"), at("B")]), json!({"op": "add", "path": path, "value": {"locality": "C"}}), json!([c])),
        (
            json!([at("C"), {"type": "work", "locality": "C", "country": "x"}]),
            json!({"op": "replace", "path": format!("{path}.country"), "value": ""}),
            json!([c]),
        ),
        (
            json!([at("C"), {"type": "work", "locality": "C", "country": "x"}]),
            json!({"op": "remove", "path": "addresses[country eq \"x\"].country"}),
            json!([c]),
        ),
        (
            json!([at("C"), at("B")]),
            json!({"op": "replace", "path": "addresses[locality eq \"B\"].locality", "value": "c"}),
            json!([c]),
        ),
        (
            json!([at("A"), at("B")]),
            json!({"op": "replace", "path": format!("{path}.country"), "value": "x"}),
            json!([
                {"type": "work", "locality": "A", "country": "x"}, {"type": "work", "locality": "B", "country": "x"}
            ]),
        ),
    ] {
        check(with(before), json!([operation]), with(expected));
    }
}
