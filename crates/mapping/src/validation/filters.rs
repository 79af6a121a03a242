//! Filters that let nobody through, clauses that never or always hold, and filters that say nothing that another does not. Of operators that
//! are not Entra's nothing is said.

use std::collections::{BTreeMap, BTreeSet};

use super::known::Subject;
use super::{Findings, Place, Rule};
use crate::expression::analysis::{Possible, Shape, Texts, matches_nothing, one_of};
use crate::object_mapping::FilterKind;
use crate::scoping::{Clause, FilterGroup, ScopingFilters};
use crate::value::Value;

const EQUALS: &str = "EQUALS";
const NOT_EQUALS: &str = "NOT EQUALS";
const IS_NULL: &str = "IS NULL";
const IS_NOT_NULL: &str = "IS NOT NULL";
const IS_TRUE: &str = "IS TRUE";
const IS_FALSE: &str = "IS FALSE";
const REGEX_MATCH: &str = "REGEX MATCH";
const NOT_REGEX_MATCH: &str = "NOT REGEX MATCH";
const GREATER: [&str; 2] = ["Greater_Than", "Greater_Than_OR_EQUALS"];
const INCLUDES: [&str; 2] = ["Includes", "ENDS_WITH"];
const BITS: [&str; 2] = ["&", "!&"];
/// Entra's operators that hold for no value for which the other does.
const OPPOSITES: [(&str, &str); 4] =
    [(IS_TRUE, IS_FALSE), (REGEX_MATCH, NOT_REGEX_MATCH), (EQUALS, NOT_EQUALS), (BITS[0], BITS[1])];
/// Bytes of a value that clauses are tried with.
const TRIED_BYTES_MAX: usize = 256;
/// Attributes of other objects are not looked up here.
const MANAGER: &str = "manager.";

/// How a sentence about a clause begins that closes its filter.
const NEVER_HOLDS: &str = "never holds";

/// A clause with the name of its operator.
struct Named<'c> {
    clause: &'c Clause,
    operator: String,
}

impl Named<'_> {
    fn is(&self, operators: &[&str]) -> bool {
        operators.contains(&self.operator.as_str())
    }

    fn is_entras(&self) -> bool {
        let all = [EQUALS, NOT_EQUALS, IS_NULL, IS_NOT_NULL, IS_TRUE, IS_FALSE, REGEX_MATCH, NOT_REGEX_MATCH];
        [all.as_slice(), &GREATER, &INCLUDES, &BITS].iter().any(|operators| self.is(operators))
    }
}

pub(super) fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let mapping = subject.mapping;
    for (kind, filters) in [
        (FilterKind::Scoping, &mapping.scoping),
        (FilterKind::Input, &mapping.input_filters),
        (FilterKind::Category, &mapping.category_filters),
    ] {
        check_kind(subject, kind, filters, findings);
    }
}

fn check_kind(subject: &Subject<'_>, kind: FilterKind, filters: &ScopingFilters, findings: &mut Findings) {
    let place = |group: &FilterGroup| Place {
        object: Some(subject.object()),
        filter: Some((kind, group.name.clone())),
        ..Place::default()
    };
    let mut impossible = Vec::new();
    for group in &filters.0 {
        let clauses: Vec<Named<'_>> =
            group.clauses.iter().map(|clause| Named { operator: clause.operator().to_string(), clause }).collect();
        let closed = contradiction(subject, &clauses);
        for named in clauses.iter().filter(|named| named.is_entras()) {
            let what = clause(subject, named);
            // That a filter is closed by a clause is told of once.
            if let Some(what) = what.filter(|what| closed.is_none() || !what.starts_with(NEVER_HOLDS)) {
                let place = Place { clause: Some(named.clause.to_string()), ..place(group) };
                findings.warning(Rule::Filter, place, format!("`{}` {what}", named.clause));
            }
        }
        if let Some(why) = closed {
            impossible.push((place(group), why));
        }
    }
    // Without any other that lets somebody through, everyone leaves the scope.
    let is_closed =
        !filters.0.is_empty() && impossible.len() == filters.0.len() && !subject.known.unread.lacks_filter(kind);
    for (place, why) in impossible {
        if is_closed {
            findings.problem(
                Rule::Filter,
                place,
                format!("nobody can pass it, and no other filter lets anyone through: {why}"),
            );
        } else {
            findings.warning(Rule::Filter, place, format!("nobody can pass it: {why}"));
        }
    }
    repeated(filters, place, findings);
}

/// What is strange about one clause.
fn clause(subject: &Subject<'_>, named: &Named<'_>) -> Option<String> {
    let (clause, value) = (named.clause, named.clause.value());
    let possible = subject.of_source(clause.attribute());
    if value.is_some_and(matches_nothing) && named.is(&[REGEX_MATCH, NOT_REGEX_MATCH]) {
        return Some(
            "has a pattern that matches nothing: `^` stands at the beginning of a pattern, `$` at its end".to_owned(),
        );
    }
    if value == Some("") && named.is(&[EQUALS]) {
        return Some("never holds, because an attribute is never an empty text; write `IS NULL`".to_owned());
    }
    if value == Some("") && named.is(&INCLUDES) {
        return Some("holds for every value; write `IS NOT NULL`".to_owned());
    }
    if let Some(why) = never_holds(&possible, named) {
        return Some(format!("{NEVER_HOLDS}: {why}"));
    }
    if possible.list
        && matches!(&possible.texts, Texts::Few(few) if few.is_empty())
        && !named.is(&[IS_NULL, IS_NOT_NULL])
    {
        return Some(
            "compares an attribute with several values, and holds only where all of them satisfy it".to_owned(),
        );
    }
    if clause.is_unanchored() {
        return Some(
            "finds its pattern anywhere in the value; where the whole value is meant, write `^` before it and `$` behind it, or set `regexMode` to `full`"
                .to_owned(),
        );
    }
    let has_blanks = value.is_some_and(|value| value.trim() != value && !value.trim().is_empty());
    (has_blanks && named.is(&[EQUALS, NOT_EQUALS]))
        .then(|| "begins or ends with a blank, which counts; take it away".to_owned())
}

/// Why no value of the attribute satisfies a clause.
fn never_holds(possible: &Possible, named: &Named<'_>) -> Option<String> {
    match &possible.texts {
        Texts::Few(few) if !possible.list && !few.is_empty() => {
            let none = !candidates(possible).iter().any(|value| holds(&[named], value));
            none.then(|| format!("`{}` can be {}", named.clause.attribute(), one_of(few.iter().map(String::as_str))))
        }
        Texts::Many { shape, .. } if !possible.list => {
            let no_number = matches!(shape, Shape::Instant | Shape::Guid | Shape::Date);
            let no_flag = *shape != Shape::Text;
            if named.is(&GREATER) && no_number {
                Some(format!("`{}` is no whole number", named.clause.attribute()))
            } else if named.is(&[IS_TRUE, IS_FALSE]) && no_flag {
                Some(format!("`{}` is neither true nor false", named.clause.attribute()))
            } else {
                None
            }
        }
        _ => None,
    }
}

/// All values that there are, with none at all.
fn candidates(possible: &Possible) -> Vec<Value> {
    let Texts::Few(few) = &possible.texts else { return Vec::new() };
    few.iter().map(|text| Value::from(text.as_str())).chain([Value::Null]).collect()
}

/// Whether an object with this value alone satisfies clauses of one attribute. What cannot be decided may.
fn holds(clauses: &[&Named<'_>], value: &Value) -> bool {
    let Some(first) = clauses.first() else { return true };
    let source = BTreeMap::from([(first.clause.attribute().to_owned(), value.clone())]);
    let clauses = clauses.iter().map(|named| named.clause.clone()).collect();
    let filters = ScopingFilters(vec![FilterGroup { name: String::new(), clauses }]);
    filters.evaluate(&source, jiff::Timestamp::UNIX_EPOCH).map_or(true, |verdict| verdict.in_scope)
}

/// Why no object satisfies all clauses of a filter.
fn contradiction(subject: &Subject<'_>, clauses: &[Named<'_>]) -> Option<String> {
    let mut by_attribute: BTreeMap<&str, Vec<&Named<'_>>> = BTreeMap::new();
    for named in clauses.iter().filter(|named| named.is_entras() && !named.clause.attribute().starts_with(MANAGER)) {
        by_attribute.entry(named.clause.attribute()).or_default().push(named);
    }
    by_attribute.values().find_map(|of_one| of_attribute(subject, of_one))
}

fn of_attribute(subject: &Subject<'_>, clauses: &[&Named<'_>]) -> Option<String> {
    let pair = |one: &Named<'_>, other: &Named<'_>| {
        Some(format!("`{}` and `{}` never hold together", one.clause, other.clause))
    };
    for (index, one) in clauses.iter().enumerate() {
        for other in &clauses[index + 1..] {
            if excludes(one, other) || excludes(other, one) {
                return pair(one, other);
            }
        }
    }
    // Where there are few values, or one is given, all of them can be tried.
    let given = clauses.iter().find(|named| named.is(&[EQUALS])).and_then(|named| named.clause.value());
    let possible = subject.of_source(clauses.first()?.clause.attribute());
    let tried = match given {
        _ if !possible.list && !candidates(&possible).is_empty() => candidates(&possible),
        Some(text) if text.len() <= TRIED_BYTES_MAX => vec![Value::from(text)],
        _ => return None,
    };
    let some = tried.iter().any(|value| holds(clauses, value));
    (!some).then(|| match clauses {
        [only] => {
            let why = never_holds(&possible, only).map(|why| format!(": {why}")).unwrap_or_default();
            format!("`{}` {NEVER_HOLDS}{why}", only.clause)
        }
        several => {
            let told: Vec<String> = several.iter().map(|named| format!("`{}`", named.clause)).collect();
            format!("{} never hold together", told.join(" and "))
        }
    })
}

/// Whether no value satisfies both, by the operators alone.
fn excludes(one: &Named<'_>, other: &Named<'_>) -> bool {
    let (value, other_value) = (one.clause.value(), other.clause.value());
    let is_opposite = OPPOSITES.iter().any(|(operator, opposite)| one.is(&[operator]) && other.is(&[opposite]));
    let same_mode = one.clause.regex_mode() == other.clause.regex_mode();
    one.is(&[IS_NULL]) && !other.is(&[IS_NULL])
        || is_opposite && value == other_value && same_mode
        || one.is(&[EQUALS]) && other.is(&[EQUALS]) && value != other_value
        || one.is(&[IS_TRUE, IS_FALSE]) && other.is(&GREATER)
}

/// Filters that say what another says already.
fn repeated(filters: &ScopingFilters, place: impl Fn(&FilterGroup) -> Place, findings: &mut Findings) {
    let says: Vec<BTreeSet<String>> = filters.0.iter().map(|group| group.clauses.iter().map(said).collect()).collect();
    for (index, group) in filters.0.iter().enumerate() {
        if says[index].len() < group.clauses.len() {
            findings.warning(Rule::Filter, place(group), "it has the same clause twice; remove one");
        }
        let before = filters.0[..index].iter();
        if before.clone().any(|other| other.name == group.name) {
            findings.warning(
                Rule::Filter,
                place(group),
                "another filter has the same title, so logs cannot tell them apart; rename one",
            );
        }
        let wider = |(other, _): &(usize, &FilterGroup)| {
            let is_wider = *other != index && !says[*other].is_empty() && says[*other].is_subset(&says[index]);
            is_wider && (says[*other].len() < says[index].len() || *other < index)
        };
        if let Some((_, other)) = filters.0.iter().enumerate().find(wider) {
            let what = format!("whoever passes it passes `{}` too, so it changes nothing; remove it", other.name);
            findings.warning(Rule::Filter, place(group), what);
        }
    }
}

/// A clause in words that are equal for equal ones.
fn said(clause: &Clause) -> String {
    format!("{clause} {:?}", clause.regex_mode())
}
