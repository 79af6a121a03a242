//! Tests of the operators that Entra has not: dates, several values, memberships, and what hostile filters come to.

use jiff::Timestamp;

use super::*;

/// The object id of a group with this digit.
pub(super) fn group(digit: &str) -> String {
    format!("{digit}f2504e0-4f89-41d3-9a0c-0305e82c3301")
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn holds(value: impl Into<Value>, operator: &str, operand: &str, now: &str) -> bool {
    let source = BTreeMap::from([("x".to_owned(), value.into())]);
    only("x", operator, Some(operand)).evaluate(&source, at(now)).unwrap().in_scope
}

#[test]
fn dates_lie_before_or_after_days_and_instants() {
    // For each: IS BEFORE, IS ON OR BEFORE, IS ON OR AFTER, IS AFTER.
    let (before, same, after, never) =
        ([true, true, false, false], [false, true, true, false], [false, false, true, true], [false; 4]);
    let now = "2026-03-02T08:00:00Z";
    for (value, operand, expected) in [
        ("2026-03-01", "2026-03-02", before),
        ("2026-03-02", "2026-03-02", same),
        ("2026-03-02T23:59:59Z", "2026-03-02", same),
        ("2026-03-03", "2026-03-02", after),
        ("2026-03-02T23:30:00-01:00", "2026-03-02", after),
        ("2026-03-03T00:30:00+01:00", "2026-03-02", same),
        ("2026-03-02", "2026-03-02T00:00:00Z", same),
        ("2026-03-02T09:00:00+01:00", "2026-03-02T08:00:00Z", same),
        ("2026-03-02 08:00:01", "2026-03-02T08:00:00", after),
        ("2026-03-02T07:59:59.9Z", "now", before),
        ("2026-03-02T08:00:00Z", "now", same),
        ("2026-03-02", "now", before),
        ("2026-03-02", "today", same),
        ("2026-03-16", "today+14d", same),
        ("2026-03-17", "today+14d", after),
        ("2026-02-16", "today - 2w", same),
        ("2026-03-01T08:00:00Z", "now-24h", same),
        ("2026-03-01T08:00:01Z", "now-1d", after),
        ("3/3/2026 8:00:00 AM", "today+1d", same),
        ("9999-12-31", "today+36500d", after),
        ("134168832000000000", "2026-03-02", same),
        ("9223372036854775807", "today", never),
        ("0", "today", never),
        ("soon", "today", never),
        ("2026-02-30", "today", never),
        ("", "today", never),
    ] {
        let got = ["IS BEFORE", "IS ON OR BEFORE", "IS ON OR AFTER", "IS AFTER"]
            .map(|operator| holds(value, operator, operand, now));
        assert_eq!(got, expected, "{value} against {operand}");
    }
}

#[test]
fn operands_that_are_no_dates_are_refused() {
    for (operand, expected) in [
        ("tomorrow", "`x IS AFTER` needs a date such as 2026-12-31, an instant such as"),
        ("31.12.2026", "needs a date"),
        ("3/3/2026", "needs a date"),
        ("2026-02-30", "needs a date"),
        ("", "needs a date"),
        ("now+14", "needs a date"),
        ("now14d", "needs a date"),
        ("now+d", "needs a date"),
        ("now+1m", "needs a date"),
        ("now+-1d", "needs a date"),
        ("now+1é", "needs a date"),
        ("today+36501d", "`x IS AFTER` lies farther away than 36500 days"),
        ("now-99999999999999999999w", "lies farther away than 36500 days"),
        ("today+12h", "counts in hours from a day; write `now` in place of `today`"),
    ] {
        let refused = Clause::new("x", FilterOperator::IsAfter, Some(operand.to_owned()), RegexMode::Search);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(expected), "{operand}: {refused}");
    }
}

#[test]
fn quantifiers_ask_for_any_none_or_all_values() {
    let list = |values: &[&str]| Value::List(values.iter().map(|value| (*value).to_owned()).collect());
    for (value, operator, operand, expected) in [
        (list(&["a", "b"]), "ANY EQUALS", "b", true),
        (list(&["a", "b"]), "ANY EQUALS", "c", false),
        (list(&["a", "b"]), "NONE EQUALS", "c", true),
        (list(&["a", "b"]), "NONE EQUALS", "b", false),
        (list(&["a", "b"]), "ALL REGEX MATCH", "^[ab]$", true),
        (list(&["a", "c"]), "ALL REGEX MATCH", "^[ab]$", false),
        (list(&["a", "b"]), "ANY NOT EQUALS", "a", true),
        (list(&["1", "20"]), "ANY Greater_Than", "10", true),
        (list(&["x@a.com", "x@b.com"]), "ALL ENDS_WITH", ".com", true),
        (list(&["2026-01-01", "2027-01-01"]), "ANY IS AFTER", "2026-06-01", true),
        ("b".into(), "ANY EQUALS", "b", true),
        ("b".into(), "NONE EQUALS", "b", false),
        (list(&[]), "ANY EQUALS", "b", false),
        (list(&[]), "NONE EQUALS", "b", false),
        (list(&[]), "ALL EQUALS", "b", false),
        (Value::Null, "NONE EQUALS", "b", false),
    ] {
        let told = format!("{value:?} {operator} {operand}");
        assert_eq!(holds(value, operator, operand, "2026-03-02T08:00:00Z"), expected, "{told}");
    }
}

#[test]
fn memberships_are_asked_by_the_id_of_the_group() {
    let source = BTreeMap::from([
        ("memberOf".to_owned(), Value::List(vec![group("1"), group("2")])),
        ("transitiveMemberOf".to_owned(), Value::List(vec![group("1"), group("2"), group("3")])),
    ]);
    let nobody = BTreeMap::new();
    for (operator, digit, inside, outside) in [
        ("IS MEMBER OF", "2", true, false),
        ("IS MEMBER OF", "3", false, false),
        ("IS NOT MEMBER OF", "2", false, true),
        ("IS NOT MEMBER OF", "3", true, true),
        ("IS NESTED MEMBER OF", "2", true, false),
        ("IS NESTED MEMBER OF", "3", true, false),
        ("IS NOT NESTED MEMBER OF", "3", false, true),
        ("IS NOT NESTED MEMBER OF", "4", true, true),
    ] {
        let filters = only("memberOf", operator, Some(&group(digit).to_uppercase()));
        assert_eq!(filters.evaluate(&source, NOW).unwrap().in_scope, inside, "{operator} {digit}");
        assert_eq!(
            filters.evaluate(&nobody, NOW).unwrap().in_scope,
            outside,
            "{operator} {digit} for who is in no group"
        );
    }
    for (attribute, operand, expected) in [
        ("memberOf", "Sales", "`memberOf IS MEMBER OF` needs the object id of a group"),
        ("memberOf", "3f2504e04f8941d39a0c0305e82c3301", "needs the object id of a group"),
        ("objectId", "x", "`objectId IS MEMBER OF` asks for memberships, so its attribute must be `memberOf`"),
    ] {
        let refused = Clause::new(attribute, FilterOperator::IsMemberOf, Some(operand.into()), RegexMode::Search);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn what_has_no_value_is_told_of_every_kind_of_attribute() {
    for (value, expected) in
        [(Value::Null, false), ("".into(), false), (Value::List(vec![]), false), ("x".into(), true)]
    {
        let source = BTreeMap::from([("x".to_owned(), value)]);
        assert_eq!(only("x", "HAS VALUE", None).evaluate(&source, NOW).unwrap().in_scope, expected);
        assert_eq!(only("x", "HAS NO VALUE", None).evaluate(&source, NOW).unwrap().in_scope, !expected);
    }
}

#[test]
fn ours_and_manager_paths_are_extensions() {
    let of = |attribute: &str, operator: FilterOperator, value| {
        Clause::new(attribute, operator, value, RegexMode::Search).unwrap().is_extension()
    };
    assert!(!of("department", FilterOperator::Equals, Some("x".into())));
    assert!(of("manager.department", FilterOperator::Equals, Some("x".into())));
    assert!(of("department", FilterOperator::HasValue, None));
}

/// Filters of so many clauses on `x`, as they come from outside.
fn many(count: usize, operator: &str, value: &str) -> Result<ScopingFilters, String> {
    let clause = json!({"attribute": "x", "operator": operator, "value": value});
    let file = json!([{"name": "F", "clauses": vec![clause; count]}]);
    serde_json::from_value(file).map_err(|error| error.to_string())
}

#[test]
fn what_is_too_much_is_refused_before_it_is_made_ready() {
    for (filters, expected) in [
        (many(501, "EQUALS", "x"), "the scoping filters have 501 clauses, at most 500 are allowed"),
        (many(100_000, "REGEX MATCH", "(a+)+b"), "the scoping filters have 100000 clauses, at most 500 are allowed"),
        (
            many(500, "REGEX MATCH", "a{1000}"),
            "the regular expressions of the scoping filters are too large together: shorten the one of `F x REGEX MATCH`",
        ),
        (many(1, "EQUALS", &"x".repeat(10_001)), "the value of `x EQUALS` is longer than 10000 characters"),
        (many(1, "REGEX MATCH", "(((a{99}){99}){99}){99}"), "the scoping filter `F`: the regular expression of"),
    ] {
        let refused = filters.unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
}

#[test]
fn hostile_filters_and_values_come_to_an_end() {
    let source = person(&[("x", &"a".repeat(1_000_000))]);
    for (filters, expected) in [
        (many(50, "REGEX MATCH", "^(a+)+$"), None),
        (many(30, "REGEX MATCH", "(a|aa)+(?=b)"), None),
        (many(500, "Includes", &"a".repeat(9_999)), Some(true)),
        (many(500, "IS AFTER", "now"), Some(false)),
        (many(500, "Greater_Than", "1"), Some(false)),
    ] {
        let filters = filters.unwrap();
        let verdict = filters.evaluate(&source, NOW).map(|verdict| verdict.in_scope);
        assert_eq!(verdict.clone().ok(), expected, "{}", filters.0[0].clauses[0]);
        assert_eq!(filters.explain(&source, NOW).in_scope, verdict);
    }
}

fn operands() -> impl Strategy<Value = String> {
    let distance = (0_i64..100, prop::sample::select(vec!["d", "w"]), any::<bool>())
        .prop_map(|(number, unit, ahead)| format!("{}{number}{unit}", if ahead { '+' } else { '-' }));
    let hours =
        (0_i64..100, any::<bool>()).prop_map(|(number, ahead)| format!("{}{number}h", if ahead { '+' } else { '-' }));
    prop_oneof![
        distance.clone().prop_map(|distance| format!("today{distance}")),
        distance.prop_map(|distance| format!("now{distance}")),
        hours.prop_map(|hours| format!("now{hours}")),
        Just("2026-03-02".to_owned()),
        Just("2026-03-02T08:00:00Z".to_owned()),
    ]
}

/// Seconds around the beginning of March 2026, half a year to either side.
fn instants() -> impl Strategy<Value = Timestamp> {
    (-15_000_000_000_i64..15_000_000_000)
        .prop_map(|milliseconds| Timestamp::from_millisecond(1_772_438_400_000 + milliseconds).unwrap())
}

proptest! {
    #[test]
    fn nothing_changes_before_it_is_to_be_reconsidered(
        operand in operands(),
        operator in prop::sample::select(vec!["IS BEFORE", "IS ON OR BEFORE", "IS AFTER", "IS ON OR AFTER"]),
        date in instants(),
        now in instants(),
        later in instants(),
        is_day in any::<bool>(),
    ) {
        let date = if is_day { date.to_string()[..10].to_owned() } else { date.to_string() };
        let (filters, source) = (only("x", operator, Some(&operand)), person(&[("x", &date)]));
        let verdict = |at| filters.evaluate(&source, at).unwrap().in_scope;
        let turns = filters.reconsider_at(&source, now);
        prop_assert!(turns.is_none_or(|turn| turn > now));
        // A second is what it may be late.
        let before = turns.is_none_or(|turn| later.as_second() < turn.as_second() - 1);
        if later > now && before {
            prop_assert_eq!(verdict(later), verdict(now), "{} {} {}", date, operator, operand);
        }
    }

    #[test]
    fn operands_of_dates_never_panic(text in ".{0,30}|(now|today|2026-)[-+0-9dhwTZ: .]{0,12}", value in ".{0,30}|[0-9]{0,25}", now in instants()) {
        if let Ok(clause) = Clause::new("x", FilterOperator::IsBefore, Some(text), RegexMode::Search) {
            let filters = ScopingFilters(vec![FilterGroup { name: "F".into(), clauses: vec![clause] }]);
            let source = person(&[("x", &value)]);
            filters.evaluate(&source, now).unwrap();
            filters.reconsider_at(&source, now);
        }
    }

    #[test]
    fn not_any_is_none(values in prop::collection::vec("[ab]", 1..4), operand in "[ab]") {
        let list = Value::List(values);
        let now = "2026-03-02T08:00:00Z";
        prop_assert_ne!(holds(list.clone(), "ANY EQUALS", &operand, now), holds(list.clone(), "NONE EQUALS", &operand, now));
        prop_assert_eq!(holds(list.clone(), "ALL EQUALS", &operand, now), holds(list, "EQUALS", &operand, now));
    }
}
