//! What each function may yield, given what its arguments may be. A function that is not in the table may yield anything.

use super::super::ast::Node;
use super::super::dates::calendar::Interval;
use super::super::dates::free;
use super::super::evaluate::integer;
use super::super::functions::SELECT_UNIQUE_VALUE;
use super::super::functions::casing::is_culture;
use super::possible::{Possible, Shape, Texts};

/// The greatest length that `RandomString` takes.
const RANDOM_STRING_MAX: i64 = 256;

/// The arguments of one call: as they are written, and what each may be.
pub(super) struct Given<'n> {
    pub(super) nodes: &'n [Option<Node>],
    pub(super) values: Vec<Possible>,
}

impl Given<'_> {
    fn is_given(&self, index: usize) -> bool {
        matches!(self.nodes.get(index), Some(Some(_)))
    }

    /// What the argument may be; null where it is left out.
    pub(super) fn value(&self, index: usize) -> Possible {
        self.values.get(index).cloned().unwrap_or_else(Possible::null)
    }

    pub(super) fn text(&self, index: usize) -> Possible {
        self.value(index).as_text()
    }

    /// Whether the argument may be a whole number that `wanted` takes.
    fn may_be(&self, index: usize, wanted: impl Fn(i64) -> bool) -> bool {
        match &self.text(index).texts {
            Texts::Few(few) => few.iter().filter_map(|text| integer(text)).any(wanted),
            Texts::Many { .. } => true,
        }
    }

    fn may_be_date(&self, index: usize) -> bool {
        match &self.text(index).texts {
            Texts::Few(few) => few.iter().any(|text| free::parse(text).is_some()),
            Texts::Many { .. } => true,
        }
    }

    fn may_be_culture(&self) -> bool {
        let culture = self.text(1);
        match &culture.texts {
            Texts::Few(few) => culture.null || few.iter().any(|text| is_culture(text)),
            Texts::Many { .. } => true,
        }
    }

    fn may_be_interval(&self) -> bool {
        match &self.text(0).texts {
            Texts::Few(few) => few.iter().any(|text| text.trim().parse::<Interval>().is_ok()),
            Texts::Many { .. } => true,
        }
    }
}

/// What a call may yield.
pub(super) fn possible(function: &str, given: &Given<'_>) -> Possible {
    match function {
        "AppRoleAssignmentsComplex" | "AssertiveAppRoleAssignmentsComplex" => roles(given, Possible::list_or_null()),
        "SingleAppRoleAssignment" => roles(given, Possible { null: true, ..Possible::many(Shape::Text, false) }),
        "And" => conditions(given, false),
        "Append" => joined(given, 0, 1),
        "Prepend" if given.text(0).is_nothing() => Possible::nothing(),
        "Prepend" => joined(given, 1, 0),
        "BitAnd" => when_all_are_there(given, &[0, 1], given.may_be(0, |_| true) && given.may_be(1, |_| true)),
        "CBool" => truth(given.value(0).truth(), &given.value(0)),
        "CDate" => dated(given.may_be_date(0)),
        "CStr" => given.text(0),
        "Coalesce" => coalesce(given),
        "ConvertToBase64" | "ConvertToUTF8Hex" => lifted(&given.text(0), given.text(0).has_empty_text()),
        "Count" => count(&given.value(0)),
        "DateAdd" => dated(given.may_be_interval() && given.may_be(1, |_| true) && given.may_be_date(2)),
        "DateDiff" => numbered(given.may_be_interval() && given.may_be_date(1) && given.may_be_date(2)),
        "DateFromNum" => {
            let null = given.text(0).null;
            Possible { null, ..dated(given.may_be(0, |_| true)) }
        }
        "NumFromDate" => when_all_are_there(given, &[0], given.may_be_date(0)),
        "DefaultDomain" => Possible::many(Shape::Text, true),
        "FormatDateTime" => format_date_time(&given.text(0)),
        "Guid" => Possible::many(Shape::Guid, false),
        "IIF" => iif(given),
        "IgnoreFlowIfNullOrEmpty" => given.value(0).without_empty(),
        "InStr" => {
            let starts = given.text(2).may_be_empty() || given.may_be(2, |start| start >= 1);
            when_all_are_there(given, &[0, 1], starts)
        }
        "IsNothing" | "IsNull" | "IsNullOrEmpty" | "IsPresent" | "IsString" => question(function, &given.value(0)),
        "Item" => item(given),
        "Join" => join(given),
        "Left" | "Len" | "Mid" | "Right" | "Word" => part(function, given),
        "ToLower" | "ToUpper" if !given.may_be_culture() => {
            Possible { null: given.text(0).null, ..Possible::nothing() }
        }
        "NormalizeDiacritics" | "PCase" | "StripSpaces" | "ToLower" | "ToUpper" | "Trim" => {
            lifted(&given.text(0), true)
        }
        "Not" => not(&given.text(0)),
        "Now" => Possible::many(Shape::Date, false),
        "Or" => conditions(given, true),
        "RandomString" => random_string(given),
        "Redact" | "RemoveDuplicates" => given.value(0),
        "Replace" => replace(given),
        SELECT_UNIQUE_VALUE => first_of_rules(given),
        "Split" => split(&given.text(0)),
        "Switch" => switch(given),
        _ => Possible::anything(),
    }
}

fn dated(may: bool) -> Possible {
    if may { Possible::many(Shape::Date, false) } else { Possible::nothing() }
}

fn numbered(may: bool) -> Possible {
    if may { Possible::many(Shape::Integer, false) } else { Possible::nothing() }
}

/// A number, or null where one of the arguments is.
fn when_all_are_there(given: &Given<'_>, needed: &[usize], may_be_number: bool) -> Possible {
    let texts: Vec<Possible> = needed.iter().map(|index| given.text(*index)).collect();
    if texts.iter().any(Possible::is_nothing) {
        return Possible::nothing();
    }
    let is_there = texts.iter().all(Possible::has_text);
    Possible { null: texts.iter().any(|text| text.null), ..numbered(is_there && may_be_number) }
}

/// A text made of a text; null stays null.
fn lifted(source: &Possible, or_empty: bool) -> Possible {
    let made = match (source.may_be_value(), source.has_text()) {
        (true, _) => Possible::many(Shape::Text, or_empty),
        (false, true) => Possible::few([""]),
        (false, false) => Possible::nothing(),
    };
    Possible { null: source.null, ..made }
}

/// A source with a text before or after it, which is `""` where it is null.
fn joined(given: &Given<'_>, source: usize, other: usize) -> Possible {
    let (source, other) = (given.text(source), given.text(other).or_empty());
    let made = if !source.has_text() || other.is_nothing() {
        Possible::nothing()
    } else if source.may_be_value() || other.may_be_value() {
        Possible::many(Shape::Text, source.has_empty_text() && other.has_empty_text())
    } else {
        Possible::few([""])
    };
    Possible { null: source.null, ..made }
}

fn roles(given: &Given<'_>, made: Possible) -> Possible {
    let source = given.value(0);
    if source.is_nothing() {
        source
    } else if source.list || source.has_text() {
        made
    } else {
        Possible::null()
    }
}

fn truth((may, may_not): (bool, bool), source: &Possible) -> Possible {
    if source.is_nothing() { Possible::nothing() } else { Possible::booleans(may, may_not) }
}

fn not(source: &Possible) -> Possible {
    let (may, may_not) = match &source.texts {
        Texts::Few(few) => (source.null || few.iter().any(|text| text != "True"), few.contains("True")),
        Texts::Many { .. } => (true, true),
    };
    truth((may, may_not), source)
}

fn question(function: &str, source: &Possible) -> Possible {
    let is_there = source.has_text() || source.list;
    let answers = match function {
        "IsNullOrEmpty" => (source.may_be_empty(), source.may_be_value()),
        "IsPresent" => (source.may_be_value(), source.may_be_empty()),
        "IsString" => (source.has_text(), source.null || source.list),
        _ => (source.null, is_there),
    };
    truth(answers, source)
}

/// `And` ends with the first condition that is false, `Or` with the first that is true.
fn conditions(given: &Given<'_>, ends_with: bool) -> Possible {
    let answer = |answer: bool| Possible::booleans(answer, !answer);
    let mut found = Possible::nothing();
    for value in &given.values {
        if value.is_nothing() {
            return found;
        }
        let (may, may_not) = value.truth();
        let (ends, goes_on) = if ends_with { (may, may_not) } else { (may_not, may) };
        if ends {
            found = found.or(answer(ends_with));
        }
        if !goes_on {
            return found;
        }
    }
    found.or(answer(!ends_with))
}

fn coalesce(given: &Given<'_>) -> Possible {
    let mut found = Possible::nothing();
    let last = given.values.len().saturating_sub(1);
    for (index, value) in given.values.iter().enumerate() {
        if index == last {
            return found.or(value.clone());
        }
        found = found.or(value.without_empty());
        // What is never empty, or never ends, is never passed over.
        if !value.may_be_empty() {
            break;
        }
    }
    found
}

fn count(source: &Possible) -> Possible {
    let few = [(source.null, "0"), (source.has_text(), "1")].into_iter().filter(|(may, _)| *may).map(|(_, text)| text);
    let few = Possible::few(few);
    if source.list { few.or(Possible::many(Shape::Integer, false)) } else { few }
}

fn format_date_time(source: &Possible) -> Possible {
    let null = source.null || source.has_empty_text();
    let made = if source.may_be_value() { Possible::many(Shape::Text, true) } else { Possible::nothing() };
    Possible { null, ..made }
}

fn iif(given: &Given<'_>) -> Possible {
    let condition = given.value(0);
    if condition.is_nothing() {
        return condition;
    }
    let branch = |(may, index)| if may { given.value(index) } else { Possible::nothing() };
    let (may, may_not) = condition.truth();
    branch((may, 1)).or(branch((may_not, 2)))
}

fn item(given: &Given<'_>) -> Possible {
    let source = given.value(0);
    if source.is_nothing() || !given.may_be(1, |index| index >= 1) {
        return Possible::nothing();
    }
    let single = Possible { list: false, ..source.clone() };
    let first = if given.may_be(1, |index| index == 1) { single } else { Possible::nothing() };
    let of_list = if source.list { Possible::many(Shape::Text, true) } else { Possible::nothing() };
    first.or(of_list).or(Possible::null())
}

fn join(given: &Given<'_>) -> Possible {
    let sources = given.values.get(1..).unwrap_or_default();
    if given.values.iter().any(Possible::is_nothing) {
        Possible::nothing()
    } else if sources.iter().any(Possible::may_be_value) {
        Possible::many(Shape::Text, sources.iter().all(Possible::may_be_empty))
    } else {
        Possible::few([""])
    }
}

/// The functions of the parts of one text, and of its length.
fn part(function: &str, given: &Given<'_>) -> Possible {
    let source = given.text(0);
    let made =
        |may: bool| if may && source.may_be_value() { Possible::many(Shape::Text, true) } else { Possible::few([""]) };
    match function {
        _ if source.is_nothing() => Possible::nothing(),
        "Len" => {
            if source.may_be_value() {
                numbered(true)
            } else {
                Possible::few(["0"])
            }
        }
        "Mid" => {
            let is_taken = given.may_be(1, |start| start >= 1) && given.may_be(2, |length| length >= 0);
            let taken = if source.has_text() && is_taken {
                made(given.may_be(2, |length| length > 0))
            } else {
                Possible::nothing()
            };
            Possible { null: source.null, ..taken }
        }
        _ if !given.may_be(1, |_| true) => Possible::nothing(),
        "Word" => made(given.may_be(1, |number| number >= 1)),
        _ => made(given.may_be(1, |count| count != 0)),
    }
}

fn random_string(given: &Given<'_>) -> Possible {
    let lengths = match &given.text(0).texts {
        Texts::Few(few) => few.iter().filter_map(|text| integer(text)).max(),
        Texts::Many { .. } => Some(RANDOM_STRING_MAX),
    };
    let least = |index: usize| match &given.text(index).texts {
        Texts::Few(few) => few.iter().filter_map(|text| integer(text)).min(),
        Texts::Many { .. } => Some(0),
    };
    let least: Option<Vec<i64>> = (1..=4).map(least).collect();
    let (Some(longest), Some(least)) = (lengths, least) else { return Possible::nothing() };
    let fits = least.iter().fold(0_i64, |sum, more| sum.saturating_add((*more).max(0))) <= longest;
    if !fits || !given.may_be(0, |length| (0..=RANDOM_STRING_MAX).contains(&length)) {
        return Possible::nothing();
    }
    if longest == 0 { Possible::few([""]) } else { Possible::many(Shape::Text, given.may_be(0, |length| length == 0)) }
}

fn replace(given: &Given<'_>) -> Possible {
    const OTHER_ATTRIBUTE: usize = 5;
    const TEMPLATE: usize = 6;
    let source = given.text(0);
    if given.is_given(OTHER_ATTRIBUTE) {
        let other = if source.may_be_empty() { Possible::text_or_null() } else { Possible::nothing() };
        return source.without_empty().or(other);
    }
    let made = if !source.has_text() {
        Possible::nothing()
    } else if given.is_given(TEMPLATE) && !given.text(TEMPLATE).may_be_value() {
        Possible::few([""])
    } else {
        Possible::many(Shape::Text, true)
    };
    Possible { null: source.null, ..made }
}

fn first_of_rules(given: &Given<'_>) -> Possible {
    let mut found = Possible::nothing();
    for rule in given.values.iter().map(Possible::as_text) {
        if rule.is_nothing() {
            break;
        }
        found = found.or(rule.without_empty());
    }
    found
}

fn split(source: &Possible) -> Possible {
    Possible { null: source.null, list: source.has_text(), ..Possible::nothing() }
}

/// Whether a key of `Switch` may equal the source.
pub(super) fn may_equal(source: &Possible, key: &Possible) -> bool {
    match (&source.texts, &key.texts) {
        (Texts::Few(source), Texts::Few(key)) => !source.is_disjoint(key),
        _ => true,
    }
}

fn switch(given: &Given<'_>) -> Possible {
    let source = given.value(0).or_empty();
    if source.is_nothing() {
        return source;
    }
    let mut found = Possible::nothing();
    for index in (2..given.values.len()).step_by(2) {
        let key = given.value(index).or_empty();
        if key.is_nothing() {
            return found;
        }
        if may_equal(&source, &key) {
            found = found.or(given.value(index + 1));
        }
        if let (Some([one]), Some([same])) = (source.finite().as_deref(), key.finite().as_deref())
            && one == same
        {
            return found;
        }
    }
    found.or(given.value(1))
}
