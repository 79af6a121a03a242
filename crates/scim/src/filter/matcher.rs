//! What a filter means for a resource type (RFC 7644 §3.4.2.2): names looked up, literals checked against types and folded once.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::folds::{Folds, Form, INSTANT_WORK, VISIT_WORK};
use super::{Filter, Literal, Operator};
use crate::comparison::{Comparison, user_name_key};
use crate::error::echo;
use crate::fold::fold_cow;
use crate::schema::{Attribute, Kind, Returned};
use crate::value::boolean;
use crate::{AttributePath, Attributes, Moment, ResourceType, ScimError, fold};

/// A filter made ready for one resource type; see [`Filter::matcher`].
#[derive(Debug)]
pub struct Matcher<'a>(Node<'a>);

impl<'a> Matcher<'a> {
    pub(super) fn new(filter: &Filter, resource_type: &'a ResourceType) -> Result<Self, ScimError> {
        node(filter, Scope::Resource(resource_type)).map(Self)
    }

    pub(super) fn where_known(filter: &Filter, resource_type: &'a ResourceType) -> Self {
        Self(node_where_known(filter, resource_type))
    }

    /// Whether a resource matches; see [`Filter::matches`].
    pub fn matches(&self, resource: &Attributes) -> bool {
        self.matches_counting(resource, &mut 0)
    }

    /// As [`Self::matches`]; adds to `work` what that cost, in bytes that are compared: about a nanosecond each.
    pub fn matches_counting(&self, resource: &Attributes, work: &mut u64) -> bool {
        let mut folds = Folds::default();
        let holds = self.0.holds(Level::Object(resource), &mut folds);
        *work = work.saturating_add(folds.work());
        holds
    }
}

/// A filter in brackets, made ready for the elements of one attribute.
pub(crate) struct ElementMatcher<'a>(Node<'a>);

impl<'a> ElementMatcher<'a> {
    /// # Errors
    /// `invalidFilter` for a name that leads nowhere, and for a comparison that the attribute does not have: also of the filter in a path
    /// of a PATCH (RFC 7644 §3.12, table 9).
    pub(crate) fn new(filter: &Filter, attribute: &'a Attribute) -> Result<Self, ScimError> {
        node(filter, Scope::Element(attribute)).map(Self)
    }

    pub(crate) fn matches(&self, element: &Value) -> bool {
        self.matches_among(element, &mut Folds::default())
    }

    /// As [`Self::matches`], where several filters look at the same element.
    pub(crate) fn matches_among<'v>(&self, element: &'v Value, folds: &mut Folds<'v>) -> bool {
        self.0.holds_for(element, folds)
    }
}

/// Where names are looked up.
#[derive(Clone, Copy)]
enum Scope<'a> {
    Resource(&'a ResourceType),
    Element(&'a Attribute),
}

#[derive(Debug)]
enum Node<'a> {
    And(Vec<Node<'a>>),
    Or(Vec<Node<'a>>),
    Not(Box<Node<'a>>),
    Test(Place<'a>, Test<'a>),
}

/// Where values are found.
#[derive(Debug)]
struct Place<'a> {
    extension: Option<&'a str>,
    attribute: &'a str,
    elements: Option<Box<Node<'a>>>,
    sub_attribute: Option<&'a str>,
    /// Whether it tells the primary element of a list: one that does not say so is not (RFC 7643 §2.4).
    is_primary: bool,
}

#[derive(Debug)]
enum Test<'a> {
    Present,
    Absent,
    /// Whether anything is there of a complex attribute that has parts which nobody is answered.
    Shown(&'a Attribute),
    Compare(Operator, Key),
}

/// A literal in the form in which values are compared.
#[derive(Debug)]
enum Key {
    Exact(String),
    Folded(String),
    UserName(String),
    Boolean(bool),
    Number(Number),
    Instant(Moment),
}

fn invalid<T>(path: &AttributePath, why: &str) -> Result<T, ScimError> {
    let name = match &path.sub_attribute {
        Some(sub) => Cow::Owned(format!("{}.{sub}", path.attribute)),
        None => Cow::Borrowed(path.attribute.as_str()),
    };
    Err(ScimError::invalid_filter(format!("'{}' {why}", echo(&name))))
}

impl Scope<'_> {
    fn comparison(self, compared: &Attribute) -> Comparison {
        match self {
            Self::Resource(resource_type) => resource_type.comparison(compared),
            Self::Element(_) => compared.comparison(),
        }
    }
}

/// The filter for one of several resource types: what makes no sense for this one is of an attribute that no resource of it has.
fn node_where_known<'a>(filter: &Filter, resource_type: &'a ResourceType) -> Node<'a> {
    let all = |members: &[Filter]| members.iter().map(|member| node_where_known(member, resource_type)).collect();
    match filter {
        Filter::And(members) => Node::And(all(members)),
        Filter::Or(members) => Node::Or(all(members)),
        Filter::Not(inner) => Node::Not(Box::new(node_where_known(inner, resource_type))),
        Filter::Present(_) | Filter::ValuePath { .. } | Filter::Compare { .. } => {
            node(filter, Scope::Resource(resource_type)).unwrap_or_else(|_| of_nothing(filter))
        }
    }
}

/// What a filter says of an attribute that is not there.
const fn of_nothing<'a>(filter: &Filter) -> Node<'a> {
    let holds = matches!(filter, Filter::Compare { operator: Operator::Eq, value: Literal::Null, .. })
        || matches!(filter, Filter::Compare { operator: Operator::Ne, .. })
            && !matches!(filter, Filter::Compare { value: Literal::Null, .. });
    if holds { Node::And(Vec::new()) } else { Node::Or(Vec::new()) }
}

/// As deep as the filter, whose depth its parser has bounded.
fn node<'a>(filter: &Filter, scope: Scope<'a>) -> Result<Node<'a>, ScimError> {
    let all = |members: &[Filter]| members.iter().map(|member| node(member, scope)).collect::<Result<Vec<_>, _>>();
    Ok(match filter {
        Filter::And(members) => Node::And(all(members)?),
        Filter::Or(members) => Node::Or(all(members)?),
        Filter::Not(inner) => Node::Not(Box::new(node(inner, scope)?)),
        Filter::Present(path) => present(place(path, path.filter.as_deref(), scope)?),
        Filter::ValuePath { path, filter } => present(place(path, Some(filter), scope)?),
        Filter::Compare { path, operator, value } => {
            let (mut place, found) = place(path, path.filter.as_deref(), scope)?;
            let is_part = place.sub_attribute.is_some();
            let Some(compared) = found.compared() else {
                return match (operator, value) {
                    (Operator::Eq, Literal::Null) => Ok(Node::Not(Box::new(present((place, found))))),
                    (Operator::Ne, Literal::Null) => Ok(present((place, found))),
                    _ => invalid(path, "is complex and has no value to compare"),
                };
            };
            if compared.returned == Returned::Never {
                return invalid(path, "cannot be used in a filter");
            }
            if !is_part && found.kind == Kind::Complex {
                place.sub_attribute = Some(&compared.name);
            }
            place.is_primary = is_primary(path, compared, scope) && *value != Literal::Null;
            Node::Test(place, test(path, (compared, scope.comparison(compared)), *operator, value)?)
        }
    })
}

/// Whether anything is at a place, as far as answers show it.
fn present<'a>((place, found): (Place<'a>, &'a Attribute)) -> Node<'a> {
    let has_hidden = found.sub_attributes.iter().any(|sub| sub.returned == Returned::Never);
    Node::Test(place, if has_hidden { Test::Shown(found) } else { Test::Present })
}

/// Whether an object has a part that is answered.
fn shows(attribute: &Attribute, value: &Value) -> bool {
    let is_shown = |name: &str| attribute.sub_attribute(name).is_none_or(|sub| sub.returned != Returned::Never);
    value.as_object().is_some_and(|parts| parts.iter().any(|(name, part)| is_assigned(part) && is_shown(name)))
}

/// Whether a path leads to what tells the primary element of a list from the others.
fn is_primary(path: &AttributePath, compared: &Attribute, scope: Scope<'_>) -> bool {
    let is_of_list = || match scope {
        Scope::Resource(resource_type) => {
            let found = resource_type.resolve(path);
            found.is_some_and(|found| found.attribute.multi_valued && found.sub_attribute.is_some())
        }
        Scope::Element(parent) => parent.multi_valued && parent.kind == Kind::Complex,
    };
    compared.kind == Kind::Boolean && compared.name == "primary" && is_of_list()
}

/// Looks a path up; gives the place and the definition of what is there.
fn place<'a>(
    path: &AttributePath,
    filter: Option<&Filter>,
    scope: Scope<'a>,
) -> Result<(Place<'a>, &'a Attribute), ScimError> {
    let (extension, attribute, sub) = match scope {
        Scope::Resource(resource_type) => {
            let Some(found) = resource_type.resolve(path) else {
                return invalid(path, "is not an attribute of this resource type");
            };
            (found.extension, found.attribute, found.sub_attribute)
        }
        Scope::Element(plain) if plain.kind != Kind::Complex && path.attribute.eq_ignore_ascii_case(PLAIN_VALUE) => {
            (None, plain, None)
        }
        Scope::Element(parent) => {
            let Some(found) = parent.sub_attribute(&path.attribute) else {
                return invalid(path, "is not a sub-attribute here");
            };
            (None, found, None)
        }
    };
    if [Some(attribute), sub].into_iter().flatten().any(|found| found.returned == Returned::Never) {
        return invalid(path, "cannot be used in a filter");
    }
    let elements = match filter {
        Some(_) if attribute.kind != Kind::Complex && !attribute.multi_valued => {
            return invalid(path, "has no sub-attributes to filter by");
        }
        Some(filter) => Some(Box::new(node(filter, Scope::Element(attribute))?)),
        None => None,
    };
    let is_plain = matches!(scope, Scope::Element(parent) if parent.kind != Kind::Complex);
    let name = if is_plain { PLAIN_VALUE } else { &attribute.name };
    let sub_attribute = sub.map(|sub| sub.name.as_str());
    let place = Place { extension, attribute: name, elements, sub_attribute, is_primary: false };
    Ok((place, sub.unwrap_or(attribute)))
}

fn test(
    path: &AttributePath,
    (compared, comparison): (&Attribute, Comparison),
    operator: Operator,
    value: &Literal,
) -> Result<Test<'static>, ScimError> {
    use Operator::{Co, Eq, Ew, Ge, Gt, Le, Lt, Ne, Sw};
    if *value == Literal::Null {
        return match operator {
            Eq => Ok(Test::Absent),
            Ne => Ok(Test::Present),
            Co | Sw | Ew | Gt | Ge | Lt | Le => invalid(path, "can be compared with null by eq and ne only"),
        };
    }
    let has_operator = match (compared.kind, operator) {
        (_, Eq | Ne)
        | (Kind::String | Kind::Reference, _)
        | (Kind::DateTime | Kind::Decimal | Kind::Integer, Gt | Ge | Lt | Le)
        | (Kind::Binary, Co | Sw | Ew) => true,
        (Kind::Boolean | Kind::Complex, _)
        | (Kind::Binary, Gt | Ge | Lt | Le)
        | (Kind::DateTime | Kind::Decimal | Kind::Integer, Co | Sw | Ew) => false,
    };
    if !has_operator {
        return invalid(path, &format!("cannot be compared by {}", operator.as_str()));
    }
    let key = match (compared.kind, comparison, value) {
        (Kind::Complex, ..) => None,
        // An id of digits without its quotation marks.
        (Kind::String, Comparison::Exact, Literal::Number { written, .. }) if operator == Eq => {
            Some(Key::Exact(written.clone()))
        }
        _ => key(comparison, value),
    };
    match key {
        Some(key) => Ok(Test::Compare(operator, key)),
        None => invalid(path, &format!("is compared with a value of another type; {}", cure(comparison, value))),
    }
}

fn cure(comparison: Comparison, value: &Literal) -> &'static str {
    match comparison {
        Comparison::Number if value.text().is_some_and(is_beyond_range) => {
            "write a number that 64 bits can hold, without quotation marks"
        }
        Comparison::Exact | Comparison::Folded | Comparison::UserName => "write text between quotation marks",
        Comparison::Boolean => "write true or false",
        Comparison::Number => "write a number, without quotation marks",
        Comparison::Instant => "write a date and time such as \"2026-01-31T08:00:00Z\"",
    }
}

/// Whether a text is a number that cannot be held, and so is none here.
fn is_beyond_range(text: &str) -> bool {
    let is_written_so = text.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
    is_written_so
        && text
            .parse::<f64>()
            .is_ok_and(|value| value.is_infinite() || (value == 0.0 && text.contains(|c| ('1'..='9').contains(&c))))
}

/// The literal as values are compared with it; `None` for one of another type. `"True"` for a boolean is what some clients write.
fn key(comparison: Comparison, value: &Literal) -> Option<Key> {
    match (comparison, value) {
        (Comparison::Exact, Literal::String(text)) => Some(Key::Exact(text.clone())),
        (Comparison::Folded, Literal::String(text)) => Some(Key::Folded(fold(text))),
        (Comparison::UserName, Literal::String(text)) => Some(Key::UserName(user_name_key(text))),
        (Comparison::Boolean, Literal::String(text)) => boolean(text).map(Key::Boolean),
        (Comparison::Boolean, Literal::Boolean(value)) => Some(Key::Boolean(*value)),
        (Comparison::Number, Literal::Number { value, .. }) => Some(Key::Number(value.clone())),
        (Comparison::Instant, Literal::String(text)) => Moment::of_filter(text).map(Key::Instant),
        _ => None,
    }
}

/// The name by which a filter in brackets asks for an element of a list of plain values (RFC 7643 §2.4).
pub(super) const PLAIN_VALUE: &str = "value";

/// What a filter looks at.
#[derive(Clone, Copy)]
enum Level<'v> {
    Object(&'v Map<String, Value>),
    /// A plain value of a list, which is like an object of nothing but its `value`.
    Plain(&'v Value),
}

impl<'v> Level<'v> {
    fn get(self, name: &str) -> Option<&'v Value> {
        match self {
            Self::Object(object) => object.get(name),
            Self::Plain(plain) => (name == PLAIN_VALUE).then_some(plain),
        }
    }
}

impl Node<'_> {
    /// Whether one element of a list matches.
    fn holds_for<'v>(&self, element: &'v Value, folds: &mut Folds<'v>) -> bool {
        match element {
            Value::Object(object) => self.holds(Level::Object(object), folds),
            Value::Null | Value::Array(_) => false,
            plain => self.holds(Level::Plain(plain), folds),
        }
    }

    fn holds<'v>(&self, level: Level<'v>, folds: &mut Folds<'v>) -> bool {
        match self {
            Self::And(members) => members.iter().all(|member| member.holds(level, folds)),
            Self::Or(members) => members.iter().any(|member| member.holds(level, folds)),
            Self::Not(inner) => !inner.holds(level, folds),
            Self::Test(place, Test::Present) => place.any(level, folds, |value, _| is_assigned(value)),
            Self::Test(place, Test::Absent) => !place.any(level, folds, |value, _| is_assigned(value)),
            Self::Test(place, Test::Shown(attribute)) => place.any(level, folds, |value, _| shows(attribute, value)),
            Self::Test(place, Test::Compare(Operator::Ne, key)) => {
                let mut found = false;
                place.any(level, folds, |value, folds| {
                    found = found || is_assigned(value);
                    is_assigned(value) && !key.compares(Operator::Eq, value, folds)
                }) || !found
            }
            Self::Test(place, Test::Compare(operator, key)) => {
                place.any(level, folds, |value, folds| key.compares(*operator, value, folds))
            }
        }
    }
}

/// RFC 7643 §2.5: null and empty are unassigned.
fn is_assigned(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn each(value: &Value) -> &[Value] {
    match value {
        Value::Array(elements) => elements,
        single => std::slice::from_ref(single),
    }
}

const NOT_PRIMARY: Option<&Value> = Some(&Value::Bool(false));

impl Place<'_> {
    /// Whether the test holds for any value at this place.
    fn any<'v>(
        &self,
        level: Level<'v>,
        folds: &mut Folds<'v>,
        mut holds: impl FnMut(&'v Value, &mut Folds<'v>) -> bool,
    ) -> bool {
        folds.count(VISIT_WORK);
        let level = match self.extension {
            Some(urn) => level.get(urn).and_then(Value::as_object).map(Level::Object),
            None => Some(level),
        };
        let value = level.and_then(|level| level.get(self.attribute));
        let assumed = NOT_PRIMARY.filter(|_| self.is_primary);
        let Some(value) = value.or(assumed.filter(|_| self.sub_attribute.is_none())) else { return false };
        each(value).iter().any(|element| {
            folds.count(VISIT_WORK);
            let is_meant = self.elements.as_ref().is_none_or(|node| node.holds_for(element, folds));
            is_meant
                && match self.sub_attribute {
                    Some(name) => {
                        let part = element.get(name).or(assumed.filter(|_| element.is_object()));
                        part.is_some_and(|part| each(part).iter().any(|part| holds(part, folds)))
                    }
                    None => holds(element, folds),
                }
        })
    }
}

impl Key {
    fn compares<'v>(&self, operator: Operator, value: &'v Value, folds: &mut Folds<'v>) -> bool {
        match (self, value) {
            (Self::Exact(key), Value::String(text)) => {
                folds.count(text.len() as u64);
                text_compares(operator, text, key)
            }
            (Self::Folded(key), Value::String(text)) => folded_compares(operator, (Form::Text, text), key, folds),
            (Self::UserName(key), Value::String(text)) => folded_compares(operator, (Form::UserName, text), key, folds),
            (Self::Boolean(key), Value::Bool(value)) => key == value,
            (Self::Number(key), Value::Number(value)) => ordered(operator, number_order(value, key)),
            (Self::Instant(key), Value::String(text)) => {
                folds.count(INSTANT_WORK);
                Moment::read(text).is_some_and(|instant| ordered(operator, Some(instant.cmp(key))))
            }
            _ => false,
        }
    }
}

/// Compares a text with a key that is folded already. What is ASCII is the same in either form, and folded where it stands.
fn folded_compares<'v>(operator: Operator, (form, text): (Form, &'v str), key: &str, folds: &mut Folds<'v>) -> bool {
    folds.count(text.len() as u64);
    if text.is_ascii() {
        ascii_compares(operator, text, key)
    } else {
        text_compares(operator, folds.folded(form, text), key)
    }
}

fn ascii_compares(operator: Operator, text: &str, key: &str) -> bool {
    let (bytes, wanted) = (text.as_bytes(), key.as_bytes());
    let is_part = |part: Option<&[u8]>| part.is_some_and(|part| part.eq_ignore_ascii_case(wanted));
    match operator {
        Operator::Eq => bytes.eq_ignore_ascii_case(wanted),
        Operator::Ne => !bytes.eq_ignore_ascii_case(wanted),
        Operator::Sw => is_part(bytes.get(..wanted.len())),
        Operator::Ew => is_part(bytes.len().checked_sub(wanted.len()).and_then(|from| bytes.get(from..))),
        Operator::Co => fold_cow(text).contains(key),
        Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le => {
            let lowered = bytes.iter().map(u8::to_ascii_lowercase);
            ordered(operator, Some(lowered.cmp(wanted.iter().copied())))
        }
    }
}

fn text_compares(operator: Operator, text: &str, key: &str) -> bool {
    match operator {
        Operator::Co => text.contains(key),
        Operator::Sw => text.starts_with(key),
        Operator::Ew => text.ends_with(key),
        Operator::Eq | Operator::Ne | Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le => {
            ordered(operator, Some(text.cmp(key)))
        }
    }
}

fn ordered(operator: Operator, order: Option<Ordering>) -> bool {
    order.is_some_and(|order| match operator {
        Operator::Eq => order.is_eq(),
        Operator::Ne => order.is_ne(),
        Operator::Gt => order.is_gt(),
        Operator::Ge => order.is_ge(),
        Operator::Lt => order.is_lt(),
        Operator::Le => order.is_le(),
        Operator::Co | Operator::Sw | Operator::Ew => false,
    })
}

fn number_order(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Text of any kind, and much that is told apart only by folding.
    fn texts() -> impl Strategy<Value = String> {
        prop_oneof!["[aAbB]{0,4}", "[aAéÉe\u{301}\u{316}ςσΣßİı]{0,5}", ".{0,6}"]
    }

    proptest! {
        #[test]
        fn a_folded_comparison_is_the_comparison_of_folded_texts(
            text in texts(), others in proptest::collection::vec(texts(), 1..4), name: bool
        ) {
            let (form, folded): (_, fn(&str) -> String) =
                if name { (Form::UserName, user_name_key) } else { (Form::Text, fold) };
            let mut folds = Folds::default();
            for key in others.iter().map(|other| folded(other)).chain([folded(&text)]) {
                for operator in Operator::ALL {
                    prop_assert_eq!(
                        folded_compares(operator, (form, &text), &key, &mut folds),
                        text_compares(operator, &folded(&text), &key),
                        "{:?} {} {:?}", text, operator.as_str(), key
                    );
                }
            }
        }
    }

    fn work(filter: &str, resource: &Value) -> u64 {
        let (user, mut work) = (ResourceType::user(), 0);
        let filter: Filter = filter.parse().unwrap();
        filter.matcher(&user).unwrap().matches_counting(resource.as_object().unwrap(), &mut work);
        work
    }

    fn terms(attribute: &str, count: usize) -> String {
        let terms: Vec<String> = (0..count).map(|number| format!("{attribute} co \"z{number}\"")).collect();
        terms.join(" or ")
    }

    #[test]
    fn a_text_is_folded_once_however_many_comparisons_look_at_it() {
        for (attribute, resource, bytes, folding) in [
            ("title", json!({ "title": "x".repeat(1000) }), 1000, 0),
            ("title", json!({ "title": "Ā".repeat(500) }), 1000, 32_000),
            ("title", json!({ "title": "a".to_owned() + &"\u{301}\u{316}".repeat(250) }), 1001, 32_032),
            ("userName", json!({ "userName": "x".repeat(1000) }), 1000, 0),
            ("userName", json!({ "userName": "é".repeat(500) }), 1000, 128_000),
            ("externalId", json!({ "externalId": "é".repeat(500) }), 1000, 0),
        ] {
            for count in [1, 2, 200] {
                let expected = folding + count as u64 * (2 * VISIT_WORK + bytes);
                assert_eq!(work(&terms(attribute, count), &resource), expected, "{attribute} {count}");
            }
        }
    }

    #[test]
    fn moments_compare_over_all_years() {
        let last = json!({ "meta": { "created": "9999-12-31T23:59:59Z" } });
        let first = json!({ "meta": { "created": "0000-01-01T00:00:00Z" } });
        let user = ResourceType::user();
        for (operator, literal, of_last, of_first) in [
            ("eq", "9999-12-31T23:59:59.000Z", true, false),
            ("gt", "9999-12-31T23:59:58Z", true, false),
            ("lt", "9999-12-31T24:00:00Z", true, true),
            ("le", "0000-01-01T01:00:00+01:00", false, true),
        ] {
            let filter: Filter = format!("meta.created {operator} \"{literal}\"").parse().unwrap();
            let matches = |resource: &Value| filter.matches(&user, resource.as_object().unwrap());
            assert_eq!((matches(&last), matches(&first)), (of_last, of_first), "{operator} {literal}");
        }
    }

    #[test]
    fn each_element_that_is_looked_at_counts() {
        let elements: Vec<Value> =
            (0..10).map(|number| json!({ "value": number.to_string(), "type": "work" })).collect();
        let resource = json!({ "emails": elements, "meta": { "created": "2026-01-01T00:00:00Z" } });
        assert_eq!(work("emails pr", &resource), 2 * VISIT_WORK);
        assert_eq!(work("emails.value eq \"z\"", &resource), 11 * VISIT_WORK + 10);
        assert_eq!(work("emails[value eq \"z\"]", &resource), 11 * VISIT_WORK + 10 * (2 * VISIT_WORK + 1));
        assert_eq!(work("meta.created gt \"2026-01-02T00:00:00Z\"", &resource), 2 * VISIT_WORK + INSTANT_WORK);
    }
}
