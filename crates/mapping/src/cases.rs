//! Tables of expressions: each row an expression, a source object and what the expression is to give. Read here, and judged.
//! Where the rows come from, and how the verdict is shown, is the caller's.

use serde_json::{Map, Value as Json, json};

use crate::expression::{EvaluationError, Expression, Language, Outcome};
use crate::net_regex::{Effort, NetRegex};
use crate::no_json::NoJson;
use crate::value::{Source, Value, World};

/// Longest row in bytes. The longest expression and a source object with the largest value fit.
pub const ROW_BYTES_MAX: usize = 1 << 20;
/// Where the clock of a row without `$now` stands, so that a table says the same every day.
const NOW: &str = "2025-07-30T00:00:00Z";
/// The columns of a table, by the names in its first line.
const COLUMNS: [&str; 3] = ["expression", "input_json", "expected_json"];
/// What the table may expect beside a value.
const EXPECTED: &str =
    r#"a text, a list of texts, null, or an object with one of "$drop", "$error", "$regex" and "$random""#;

/// A source object as a table has it: attributes, and under reserved names what the world says.
///
/// `$now` is the clock (an instant, or a date for its first moment in UTC), `$defaultDomain` the default domain of the tenant, `$taken` the
/// list of what the target holds already.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The attributes.
    pub attributes: Map<String, Json>,
    /// The clock, where the object says it.
    pub now: Option<jiff::Timestamp>,
    /// The default domain of the tenant.
    pub default_domain: Option<String>,
    /// What the target holds already, in whatever case; `None` where the object does not say.
    pub taken: Option<Vec<String>>,
}

/// A reserved name of a [`Sample`] with a value that it cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSample {
    /// `$now` is no instant.
    #[error("`$now` must be an instant such as \"{NOW}\"")]
    Now,
    /// `$defaultDomain` is no text.
    #[error("`$defaultDomain` must be a text such as \"contoso.com\"")]
    DefaultDomain,
    /// `$taken` is no list of texts.
    #[error("`$taken` must be a list of texts such as [\"ann\", \"ann1\"]")]
    Taken,
}

impl Sample {
    /// Takes the reserved names out of an object.
    pub fn new(mut attributes: Map<String, Json>) -> Result<Self, BadSample> {
        let now = match attributes.remove("$now") {
            Some(Json::String(text)) => Some(instant(&text).ok_or(BadSample::Now)?),
            Some(Json::Null) | None => None,
            Some(_) => return Err(BadSample::Now),
        };
        let default_domain = match attributes.remove("$defaultDomain") {
            Some(Json::String(text)) => Some(text),
            Some(Json::Null) | None => None,
            Some(_) => return Err(BadSample::DefaultDomain),
        };
        let taken = match attributes.remove("$taken") {
            Some(Json::Null) | None => None,
            Some(list) => Some(serde_json::from_value(list).map_err(|_| BadSample::Taken)?),
        };
        Ok(Self { attributes, now, default_domain, taken })
    }

    /// Whether the target holds a value: a directory knows no case.
    pub fn is_taken(&self, value: &str) -> bool {
        let value = value.to_lowercase();
        self.taken.iter().flatten().any(|taken| taken.to_lowercase() == value)
    }
}

impl Source for Sample {
    fn attribute(&self, name: &str) -> Value {
        self.attributes.attribute(name)
    }
}

/// An instant with its offset, or a date with or without a time, which is one of UTC.
pub fn instant(text: &str) -> Option<jiff::Timestamp> {
    let text = text.trim();
    let in_utc = || text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok();
    text.parse().ok().or_else(|| in_utc().map(|zoned| zoned.timestamp()))
}

/// Which column of a table is which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns([usize; 3]);

/// The first line of a table names columns, but not all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the first line names no column `{missing}`; the columns are expression, input_json, expected_json and, if you like, origin, with a tab between them"
)]
pub struct BadHeader {
    missing: &'static str,
}

impl Columns {
    /// The columns by the first line of a table, in any order and among others. `None` where the line names none of them: then it is a row
    /// already, and the columns are [`Columns::default`].
    pub fn of(first: &str) -> Result<Option<Self>, BadHeader> {
        let names: Vec<&str> = fields(first).map(str::trim).collect();
        let place = |column: &str| names.iter().position(|name| name.eq_ignore_ascii_case(column));
        let places = COLUMNS.map(place);
        if places.iter().all(Option::is_none) {
            return Ok(None);
        }
        let mut found = [0; 3];
        for (at, place) in places.into_iter().enumerate() {
            found[at] = place.ok_or(BadHeader { missing: COLUMNS[at] })?;
        }
        Ok(Some(Self(found)))
    }
}

impl Default for Columns {
    /// Expression, input, expected, in this order.
    fn default() -> Self {
        Self([0, 1, 2])
    }
}

fn fields(line: &str) -> std::str::Split<'_, char> {
    line.trim_end_matches(['\r', '\n']).split('\t')
}

/// A row of a table as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'t> {
    /// The expression.
    pub expression: &'t str,
    /// The source object, in JSON.
    pub input: &'t str,
    /// What is expected, in JSON.
    pub expected: &'t str,
}

/// Whether a row holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// It does.
    Passed,
    /// The expression gives something else.
    Failed {
        /// What it gives, in the words of the table.
        got: Json,
        /// The error, where it gives none.
        error: Option<String>,
    },
    /// The row says nothing that could be judged; why, in a sentence.
    Unreadable(String),
}

impl<'t> Row<'t> {
    /// Reads a line; says what is wrong where it has too few fields or is too long.
    pub fn read(line: &'t str, columns: Columns) -> Result<Self, String> {
        if line.len() > ROW_BYTES_MAX {
            return Err(format!("the row has {} bytes, at most {ROW_BYTES_MAX} are allowed", line.len()));
        }
        let mut found = [None; 3];
        let mut count = 0;
        for (index, field) in fields(line).enumerate() {
            count = index + 1;
            for (slot, _) in found.iter_mut().zip(columns.0).filter(|(_, column)| *column == index) {
                *slot = Some(field);
            }
        }
        let [Some(expression), Some(input), Some(expected)] = found else {
            let needed = columns.0.into_iter().max().unwrap_or_default() + 1;
            return Err(format!(
                "the row has {}, {needed} are needed with tabs between them",
                crate::counted(count as u64, "field")
            ));
        };
        Ok(Self { expression, input, expected })
    }

    /// Evaluates the expression as a job would, and compares. `random` fills a buffer with random bytes.
    pub fn judge(&self, language: Language, random: &dyn Fn(&mut [u8])) -> Judgement {
        match self.judged(language, random) {
            Ok(judgement) => judgement,
            Err(why) => Judgement::Unreadable(why),
        }
    }

    fn judged(&self, language: Language, random: &dyn Fn(&mut [u8])) -> Result<Judgement, String> {
        let input = serde_json::from_str(self.input)
            .map_err(|error| no_json("`input_json` is no JSON object", self.input, &error))?;
        let sample = Sample::new(input).map_err(|error| error.to_string())?;
        let expected: Json = serde_json::from_str(self.expected)
            .map_err(|error| no_json("`expected_json` is no JSON", self.expected, &error))?;
        let expected = Expected::read(expected)?;
        let (got, error) = given(self.expression, language, &sample, random);
        Ok(if expected.fits(&got) { Judgement::Passed } else { Judgement::Failed { got, error } })
    }
}

/// Of a cell, which is one line.
fn no_json(what: &str, text: &str, error: &serde_json::Error) -> String {
    let NoJson { what: why, column, .. } = NoJson::of(text, error);
    format!("{what}: {why}, at its character {column}")
}

/// What an expression gives, in the words of the table, and the error where it gives none. What cannot be parsed cannot be evaluated either.
fn given(expression: &str, language: Language, sample: &Sample, random: &dyn Fn(&mut [u8])) -> (Json, Option<String>) {
    let expression = match Expression::parse_with(expression, language) {
        Ok(expression) => expression,
        Err(error) => return (json!({ "$error": "parse" }), Some(error.to_string())),
    };
    let now = sample.now.or_else(|| instant(NOW)).unwrap_or_default();
    let world = World { now, default_domain: sample.default_domain.as_deref(), random };
    let failed = |error: &EvaluationError| (json!({ "$error": "eval" }), Some(error.to_string()));
    let got = match expression.evaluate(sample, &world) {
        Ok(Outcome::Value(Value::Null)) => Json::Null,
        Ok(Outcome::Value(Value::Text(text))) => json!(text),
        Ok(Outcome::Value(Value::List(values))) => json!(values),
        Ok(Outcome::DropAttribute) => json!({ "$drop": "attribute" }),
        Ok(Outcome::DropObject) => json!({ "$drop": "object" }),
        Ok(Outcome::Unique(candidates)) => {
            match (candidates.first_free(|value| sample.is_taken(value)), candidates.failure.as_ref()) {
                (Some(free), _) => json!(free),
                (None, Some(error)) => return failed(error),
                (None, None) => {
                    let why =
                        if candidates.values.is_empty() { "no rule gives a value" } else { "every value is taken" };
                    return (json!({ "$error": "eval" }), Some(why.to_owned()));
                }
            }
        }
        Err(error) => return failed(&error),
    };
    (got, None)
}

/// What a row expects.
enum Expected {
    Exactly(Json),
    /// An error; one that is expected of the evaluation may come of the parser, which knows the functions.
    Error {
        at_parsing: bool,
    },
    Matching(Box<NetRegex>),
    Random(RandomRule),
}

/// The rule of a random text: how long it is, how many characters of each class it has at the least, and which it has not.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RandomRule {
    length: usize,
    #[serde(default)]
    min_digits: usize,
    #[serde(default)]
    min_special: usize,
    #[serde(default)]
    min_upper: usize,
    #[serde(default)]
    min_lower: usize,
    #[serde(default)]
    avoid: String,
}

impl Expected {
    fn read(json: Json) -> Result<Self, String> {
        let Json::Object(object) = &json else {
            let is_value = match &json {
                Json::Null | Json::String(_) => true,
                Json::Array(items) => items.iter().all(Json::is_string),
                _ => false,
            };
            let told =
                || format!("`expected_json` is {EXPECTED}; a number or a boolean is a text, as \"7\" or \"True\"");
            return if is_value { Ok(Self::Exactly(json)) } else { Err(told()) };
        };
        let mut entries = object.iter();
        let (Some((key, value)), None) = (entries.next(), entries.next()) else {
            return Err(format!("`expected_json` is {EXPECTED}"));
        };
        match (key.as_str(), value) {
            ("$drop", Json::String(what)) if what == "attribute" || what == "object" => Ok(Self::Exactly(json)),
            ("$error", Json::String(what)) if what == "eval" || what == "parse" => {
                Ok(Self::Error { at_parsing: what == "parse" })
            }
            ("$regex", Json::String(pattern)) => match NetRegex::new(pattern) {
                Ok(pattern) => Ok(Self::Matching(Box::new(pattern))),
                Err(why) => Err(format!("the pattern of `$regex` {why}")),
            },
            ("$random", rule) => serde_json::from_value(rule.clone())
                .map(Self::Random)
                .map_err(|error| format!("the rule of `$random` is not understood: {error}")),
            ("$drop", _) => Err("`$drop` is \"attribute\" or \"object\"".to_owned()),
            ("$error", _) => Err("`$error` is \"eval\" or \"parse\"".to_owned()),
            ("$regex", _) => Err("`$regex` is a text".to_owned()),
            _ => Err(format!("`expected_json` is {EXPECTED}, not one with `{key}`")),
        }
    }

    fn fits(&self, got: &Json) -> bool {
        match self {
            Self::Exactly(expected) => expected == got,
            Self::Error { at_parsing } => match got["$error"].as_str() {
                Some("parse") => true,
                Some(_) => !at_parsing,
                None => false,
            },
            Self::Matching(pattern) => {
                got.as_str().is_some_and(|text| pattern.is_match(text, &mut Effort::default()).unwrap_or(false))
            }
            Self::Random(rule) => got.as_str().is_some_and(|text| rule.holds(text)),
        }
    }
}

impl RandomRule {
    fn holds(&self, text: &str) -> bool {
        let count = |keep: fn(&char) -> bool| text.chars().filter(keep).count();
        count(|_| true) == self.length
            && count(char::is_ascii_digit) >= self.min_digits
            && count(char::is_ascii_punctuation) >= self.min_special
            && count(char::is_ascii_uppercase) >= self.min_upper
            && count(char::is_ascii_lowercase) >= self.min_lower
            && !text.contains(|character| self.avoid.contains(character))
    }
}

#[cfg(test)]
mod tests;
