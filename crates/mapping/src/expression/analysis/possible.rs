//! What a part of an expression may be, whatever the object: always more than it can be, never less. So what is not
//! possible here never happens.

use std::collections::BTreeSet;

use super::super::evaluate::is_true;
use crate::value::Value;

/// Texts that are told apart; more are any text.
const FEW_MAX: usize = 16;
/// Bytes of all texts that are told apart.
const FEW_BYTES_MAX: usize = 4096;

/// What is known of texts that are too many to be told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Nothing.
    Text,
    /// A whole number in decimal digits.
    Integer,
    /// The language's own dates: `1/31/2024 8:00:00 AM`.
    Date,
    /// A moment as RFC 3339 has it.
    Instant,
    /// A UUID.
    Guid,
}

/// Single texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Texts {
    /// These alone.
    Few(BTreeSet<String>),
    /// Any of a shape; the empty text only where it says so.
    Many {
        /// What they look like.
        shape: Shape,
        /// Whether `""` is among them.
        or_empty: bool,
    },
}

/// The values that are possible. Without any, an evaluation never ends with a value: it fails, or leaves the attribute or the object out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Possible {
    /// Null.
    pub(crate) null: bool,
    /// A single text.
    pub(crate) texts: Texts,
    /// A list, of whatever length.
    pub(crate) list: bool,
}

impl Possible {
    pub(crate) fn nothing() -> Self {
        Self { null: false, texts: Texts::Few(BTreeSet::new()), list: false }
    }

    pub(crate) fn null() -> Self {
        Self { null: true, ..Self::nothing() }
    }

    pub(crate) fn anything() -> Self {
        Self { list: true, ..Self::text_or_null() }
    }

    pub(crate) fn text_or_null() -> Self {
        Self { null: true, ..Self::many(Shape::Text, true) }
    }

    pub(crate) fn list_or_null() -> Self {
        Self { null: true, list: true, ..Self::nothing() }
    }

    pub(crate) fn many(shape: Shape, or_empty: bool) -> Self {
        Self { texts: Texts::Many { shape, or_empty }, ..Self::nothing() }
    }

    pub(crate) fn few<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let few: BTreeSet<String> = texts.into_iter().map(str::to_owned).collect();
        let is_few = few.len() <= FEW_MAX && few.iter().map(String::len).sum::<usize>() <= FEW_BYTES_MAX;
        if is_few {
            Self { texts: Texts::Few(few), ..Self::nothing() }
        } else {
            Self::many(Shape::Text, few.contains(""))
        }
    }

    pub(crate) fn booleans(can_be_true: bool, can_be_false: bool) -> Self {
        Self::few(
            [(can_be_true, "True"), (can_be_false, "False")].into_iter().filter(|(may, _)| *may).map(|(_, text)| text),
        )
    }

    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::null(),
            Value::Text(text) => Self::few([text.as_str()]),
            Value::List(_) => Self { list: true, ..Self::nothing() },
        }
    }

    pub(crate) fn or(self, other: Self) -> Self {
        let texts = match (self.texts, other.texts) {
            (Texts::Few(few), Texts::Few(more)) => Self::few(few.union(&more).map(String::as_str)).texts,
            (Texts::Few(few), Texts::Many { shape, or_empty }) | (Texts::Many { shape, or_empty }, Texts::Few(few)) => {
                let shape = if few.iter().all(String::is_empty) { shape } else { Shape::Text };
                Texts::Many { shape, or_empty: or_empty || few.contains("") }
            }
            (Texts::Many { shape, or_empty }, Texts::Many { shape: other, or_empty: or_other }) => {
                Texts::Many { shape: if shape == other { shape } else { Shape::Text }, or_empty: or_empty || or_other }
            }
        };
        Self { null: self.null || other.null, texts, list: self.list || other.list }
    }

    /// What a function of texts sees: of a list the first value.
    pub(crate) fn as_text(&self) -> Self {
        let single = Self { list: false, ..self.clone() };
        if self.list { single.or(Self::text_or_null()) } else { single }
    }

    /// For functions that take null for `""`.
    pub(super) fn or_empty(&self) -> Self {
        let text = self.as_text();
        if text.null { Self { null: false, ..text }.or(Self::few([""])) } else { text }
    }

    /// Without null and `""`.
    pub(super) fn without_empty(&self) -> Self {
        let texts = match &self.texts {
            Texts::Few(few) => Texts::Few(few.iter().filter(|text| !text.is_empty()).cloned().collect()),
            Texts::Many { shape, .. } => Texts::Many { shape: *shape, or_empty: false },
        };
        Self { null: false, texts, list: self.list }
    }

    /// Whether there is no value at all.
    pub(crate) fn is_nothing(&self) -> bool {
        !self.null && !self.list && !self.has_text()
    }

    pub(super) fn has_text(&self) -> bool {
        !matches!(&self.texts, Texts::Few(few) if few.is_empty())
    }

    /// Whether it may be what flows: neither null nor empty.
    pub(crate) fn may_be_value(&self) -> bool {
        let has_text = match &self.texts {
            Texts::Few(few) => few.iter().any(|text| !text.is_empty()),
            Texts::Many { .. } => true,
        };
        self.list || has_text
    }

    /// Whether it may be null, `""` or a list without values.
    pub(crate) fn may_be_empty(&self) -> bool {
        self.null || self.list || self.has_empty_text()
    }

    pub(super) fn has_empty_text(&self) -> bool {
        match &self.texts {
            Texts::Few(few) => few.contains(""),
            Texts::Many { or_empty, .. } => *or_empty,
        }
    }

    /// The values, where all are known; null is `None`.
    pub(super) fn finite(&self) -> Option<Vec<Option<&str>>> {
        match &self.texts {
            Texts::Few(few) if !self.list => {
                Some(self.null.then_some(None).into_iter().chain(few.iter().map(|text| Some(text.as_str()))).collect())
            }
            _ => None,
        }
    }

    /// Whether it may count as true, and whether as false.
    pub(super) fn truth(&self) -> (bool, bool) {
        match &self.texts {
            Texts::Few(few) if !self.list => {
                let holds = |text: &String| is_true(&Value::from(text.as_str()));
                (few.iter().any(holds), self.null || few.iter().any(|text| !holds(text)))
            }
            _ => (true, true),
        }
    }

    /// Whether a value is one of these.
    #[cfg(test)]
    pub(super) fn contains(&self, value: &Value) -> bool {
        match value {
            Value::Null => self.null,
            Value::List(_) => self.list,
            Value::Text(text) => match &self.texts {
                Texts::Few(few) => few.contains(text),
                Texts::Many { or_empty, .. } if text.is_empty() => *or_empty,
                Texts::Many { shape, .. } => shape.contains(text),
            },
        }
    }
}

#[cfg(test)]
impl Shape {
    fn contains(self, text: &str) -> bool {
        match self {
            Self::Text => true,
            Self::Integer => text.parse::<i128>().is_ok(),
            Self::Date => super::super::dates::free::parse(text)
                .is_some_and(|at| super::super::dates::free::text_of(at.at) == text),
            Self::Instant => text.parse::<jiff::Timestamp>().is_ok(),
            Self::Guid => text.len() == 36 && text.split('-').count() == 5,
        }
    }
}
