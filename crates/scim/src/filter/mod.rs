//! Filters (RFC 7644 §3.4.2.2) as a tree, and their canonical text. Reading text is in `parser`, meaning in `matcher`.

#[cfg(test)]
pub(crate) mod arbitrary;
mod folds;
mod matcher;
mod parser;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub(crate) use folds::{FOLD_WORK, Folds};
pub(crate) use matcher::ElementMatcher;
pub use matcher::Matcher;
pub(crate) use parser::Parser;
use serde_json::Number;

use crate::limits::FILTER_BYTES_MAX;
use crate::{Attribute, AttributePath, Attributes, Kind, Resolved, ResourceType, ScimError};

/// A comparison (RFC 7644 table 3); `pr` is [`Filter::Present`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal; also true when there is no value.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than, or later.
    Gt,
    /// Greater than or equal, or not earlier.
    Ge,
    /// Less than, or earlier.
    Lt,
    /// Less than or equal, or not later.
    Le,
}

impl Operator {
    /// All operators.
    pub const ALL: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    /// The word in a filter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Operator {
    type Err = ScimError;

    /// The word in any case.
    ///
    /// # Errors
    /// `invalidFilter` for any other word; `pr` compares nothing and is none.
    fn from_str(word: &str) -> Result<Self, ScimError> {
        Self::ALL
            .into_iter()
            .find(|operator| word.eq_ignore_ascii_case(operator.as_str()))
            .ok_or_else(|| ScimError::invalid_filter("a comparison is eq, ne, co, sw, ew, gt, ge, lt or le"))
    }
}

/// What an attribute is compared with. A word without quotation marks that is no number, `true`, `false` or `null` is a string. Each is
/// compared with attributes of its type only, but for what clients write: `"True"` and `"false"`, in any case, are booleans where the
/// attribute is one, and a number that a string with `caseExact` is to be equal to is the text that was written, because ids are often digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// Text; also dates, references and base64.
    String(String),
    /// A number.
    Number {
        /// What it is.
        value: Number,
        /// How it was written: `1`, `1.0` and `1e0` are the same number and different texts.
        written: String,
    },
    /// `true` or `false`.
    Boolean(bool),
    /// `null`: `eq null` holds when there is no value, `ne null` when there is one.
    Null,
}

impl Literal {
    /// What it is for a string that may be compared with it.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Number { written: text, .. } => Some(text),
            Self::Boolean(_) | Self::Null => None,
        }
    }
}

/// A filter. Trees are as deep as parentheses were, so dropping one cannot exhaust the stack.
///
/// ```
/// use scim::{Filter, Literal, Operator, ResourceType};
///
/// let filter: Filter = r#"userName Eq "ada" and emails[type eq "work" and value co "@x"]"#.parse()?;
/// // It is printed in one way, however it was written.
/// assert_eq!(filter.to_string(), r#"userName eq "ada" and emails[type eq "work" and value co "@x"]"#);
///
/// // What makes no sense for a resource type is refused before any resource is looked at.
/// let users = ResourceType::user();
/// filter.check(&users)?;
/// assert!("active gt true".parse::<Filter>()?.check(&users).is_err());
///
/// // What must be equal in every match, for a planner that looks for an index.
/// let terms = filter.equality_terms(&users);
/// assert_eq!(terms[0], ("userName".to_owned(), &Literal::String("ada".to_owned())));
/// # Ok::<(), scim::ScimError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All hold; at least two.
    And(Vec<Filter>),
    /// At least one holds; at least two.
    Or(Vec<Filter>),
    /// Does not hold.
    Not(Box<Filter>),
    /// The attribute has a value (`pr`).
    Present(AttributePath),
    /// Some value of the attribute compares as told.
    Compare {
        /// The attribute; with a filter in brackets, only elements that match it count.
        path: AttributePath,
        /// The comparison.
        operator: Operator,
        /// With what.
        value: Literal,
    },
    /// Some element of a multi-valued attribute matches the inner filter as a whole (`emails[type eq "work" and value co "@x"]`).
    ValuePath {
        /// The attribute, without filter and sub-attribute.
        path: AttributePath,
        /// The filter over its sub-attributes.
        filter: Box<Filter>,
    },
}

impl FromStr for Filter {
    type Err = ScimError;

    /// Reads a filter that is already URL-decoded. Accepted beyond the grammar: words without quotation marks, operators and
    /// attributes in any case, extra blanks, `not` without parentheses.
    ///
    /// # Errors
    /// `invalidFilter` when the text does not follow the grammar or exceeds a limit; limits are checked before anything is built.
    fn from_str(text: &str) -> Result<Self, ScimError> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(ScimError::invalid_filter(format!("a filter has at most {FILTER_BYTES_MAX} bytes")));
        }
        Parser::new(text).whole_filter().map_err(|problem| ScimError::invalid_filter(problem.to_string()))
    }
}

impl Filter {
    /// How many comparisons the filter makes at the most, those in brackets included; never more than
    /// [`FILTER_TERMS_MAX`](crate::limits::FILTER_TERMS_MAX) when it was read from text.
    pub fn comparisons(&self) -> usize {
        let mut count = 0;
        let mut pending = vec![self];
        while let Some(filter) = pending.pop() {
            match filter {
                Self::And(members) | Self::Or(members) => pending.extend(members),
                Self::Not(inner) | Self::ValuePath { filter: inner, .. } => pending.push(inner),
                Self::Present(_) | Self::Compare { .. } => count += 1,
            }
        }
        count
    }

    /// Whether the filter makes sense for the resource type.
    ///
    /// # Errors
    /// `invalidFilter` for an unknown attribute, one that is never returned (`password`), a value of the wrong type, or a comparison
    /// that the type does not have (`active gt true`).
    pub fn check(&self, resource_type: &ResourceType) -> Result<(), ScimError> {
        self.matcher(resource_type).map(drop)
    }

    /// The filter made ready for many resources: names looked up and values folded once.
    ///
    /// # Errors
    /// As [`Filter::check`].
    pub fn matcher<'a>(&self, resource_type: &'a ResourceType) -> Result<Matcher<'a>, ScimError> {
        Matcher::new(self, resource_type)
    }

    /// Whether the filter makes sense for a search of several resource types at once (RFC 7644 §3.4.2.1): each of its comparisons for one
    /// of them.
    ///
    /// # Errors
    /// As [`Filter::check`], of a comparison that no type has.
    pub fn check_among(&self, resource_types: &[&ResourceType]) -> Result<(), ScimError> {
        match self {
            Self::And(members) | Self::Or(members) => {
                members.iter().try_for_each(|member| member.check_among(resource_types))
            }
            Self::Not(inner) => inner.check_among(resource_types),
            Self::Present(path) | Self::Compare { path, .. } | Self::ValuePath { path, .. } => {
                let having = || resource_types.iter().filter(|resource_type| resource_type.resolve(path).is_some());
                let mut refusals = having().map(|resource_type| self.check(resource_type));
                if having().any(|resource_type| self.check(resource_type).is_ok()) {
                    return Ok(());
                }
                let unknown = || ScimError::invalid_filter("the filter names an attribute that no resource type has");
                refusals.next().unwrap_or_else(|| Err(unknown()))
            }
        }
    }

    /// The filter made ready for one type of a search of several: an attribute that this one does not have, or has of another type than it
    /// is compared with, is an attribute without value. [`Self::check_among`] refuses what no type has.
    pub fn matcher_where_known<'a>(&self, resource_type: &'a ResourceType) -> Matcher<'a> {
        Matcher::where_known(self, resource_type)
    }

    /// Whether a resource matches; `id`, `meta` and `schemas` count when they are there. A filter that [`Filter::check`] refuses
    /// matches nothing. For many resources use [`Filter::matcher`].
    ///
    /// A multi-valued attribute matches when any of its values does. An absent attribute matches `ne` and `eq null`, and no other
    /// comparison. A complex attribute is compared by its `value`.
    pub fn matches(&self, resource_type: &ResourceType, resource: &Attributes) -> bool {
        self.matcher(resource_type).is_ok_and(|matcher| matcher.matches(resource))
    }

    /// The equalities that must hold in every match: canonical path without brackets (`userName`, `emails.value`,
    /// `urn:…:User:manager.value`) and value, for a planner that looks for an index. Unknown attributes and `eq null` are left out.
    pub fn equality_terms(&self, resource_type: &ResourceType) -> Vec<(String, &Literal)> {
        let mut terms = Vec::new();
        self.collect_equalities(resource_type, &mut terms);
        terms
    }

    fn collect_equalities<'f>(&'f self, resource_type: &ResourceType, terms: &mut Vec<(String, &'f Literal)>) {
        match self {
            Self::And(members) => members.iter().for_each(|member| member.collect_equalities(resource_type, terms)),
            Self::Compare { path, operator, value } => {
                let Some(resolved) = resource_type.resolve(path) else { return };
                // Where nothing meets the brackets, `ne` and `eq null` hold.
                let needs_none = (*operator == Operator::Ne) != (*value == Literal::Null);
                if let Some(inner) = path.filter.as_ref().filter(|_| !needs_none) {
                    // The brackets belong to the attribute, also when a sub-attribute follows them.
                    let whole = Resolved { sub_attribute: None, ..resolved };
                    inner.collect_inner(&whole.to_string(), resolved.attribute, terms);
                }
                if *operator == Operator::Eq && *value != Literal::Null {
                    let part = if resolved.sub_attribute.is_none() && resolved.attribute.kind == Kind::Complex {
                        ".value"
                    } else {
                        ""
                    };
                    terms.push((format!("{resolved}{part}"), value));
                }
            }
            Self::ValuePath { path, filter } => {
                if let Some(resolved) = resource_type.resolve(path) {
                    filter.collect_inner(&resolved.to_string(), resolved.attribute, terms);
                }
            }
            Self::Present(_) | Self::Or(_) | Self::Not(_) => {}
        }
    }

    /// Equalities of a filter in brackets, whose names are sub-attributes.
    fn collect_inner<'f>(&'f self, whole: &str, attribute: &Attribute, terms: &mut Vec<(String, &'f Literal)>) {
        match self {
            Self::And(members) => members.iter().for_each(|member| member.collect_inner(whole, attribute, terms)),
            Self::Compare { path, operator: Operator::Eq, value } if *value != Literal::Null => {
                if let Some(sub) = attribute.sub_attribute(&path.attribute) {
                    terms.push((format!("{whole}.{}", sub.name), value));
                } else if attribute.kind != Kind::Complex && path.attribute.eq_ignore_ascii_case(matcher::PLAIN_VALUE) {
                    terms.push((whole.to_owned(), value));
                }
            }
            _ => {}
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => write!(f, "{}", serde_json::Value::from(text.as_str())),
            Self::Number { written, .. } => f.write_str(written),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Null => f.write_str("null"),
        }
    }
}

/// Canonical text; parsing it gives the same tree.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(members) => join(f, members, " and ", |member| matches!(member, Self::And(_) | Self::Or(_))),
            Self::Or(members) => join(f, members, " or ", |member| matches!(member, Self::Or(_))),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare { path, operator, value } => write!(f, "{path} {} {value}", operator.as_str()),
            Self::ValuePath { path, filter } => write!(f, "{path}[{filter}]"),
        }
    }
}

fn join(
    f: &mut fmt::Formatter<'_>,
    members: &[Filter],
    word: &str,
    in_parentheses: fn(&Filter) -> bool,
) -> fmt::Result {
    for (number, member) in members.iter().enumerate() {
        if number > 0 {
            f.write_str(word)?;
        }
        if in_parentheses(member) {
            write!(f, "({member})")?;
        } else {
            write!(f, "{member}")?;
        }
    }
    Ok(())
}
