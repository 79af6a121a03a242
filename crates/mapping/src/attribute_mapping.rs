//! The mapping of one target attribute: where its value comes from and when it flows. Comparing the value with what the
//! target holds, and what to do when a required attribute has none, is the provisioning engine's.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

use crate::expression::{self, Candidates, EvaluationError, Expression, Language, Outcome, ParseError};
use crate::value::{Source, Value, World};

/// Where the value of a target attribute comes from.
///
/// As text (`FromStr`, `Display`): `[mail]` is direct, `"8"` and a bare number are constants, all else is an expression.
/// `None` has no text.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum MappingSource {
    /// The value of one source attribute.
    Attribute(String),
    /// A fixed text.
    Constant(String),
    /// The result of an expression.
    Expression(Expression),
    /// Nothing: the target attribute is left alone, but filled with the default value where it is empty.
    #[default]
    None,
}

impl MappingSource {
    /// Parses a text of `language`; `FromStr` is this in [`Language::ENTRA`].
    pub fn parse_with(text: &str, language: Language) -> Result<Self, ParseError> {
        Expression::parse_with(text, language).map(Self::from)
    }

    /// The first function, if any, that only this project has.
    pub fn extension(&self) -> Option<&'static str> {
        match self {
            Self::Expression(expression) => expression.extension(),
            Self::Attribute(_) | Self::Constant(_) | Self::None => None,
        }
    }

    /// The names of all source attributes that an evaluation may read.
    pub fn attributes(&self) -> BTreeSet<&str> {
        match self {
            Self::Attribute(name) => BTreeSet::from([name.as_str()]),
            Self::Expression(expression) => expression.attributes(),
            Self::Constant(_) | Self::None => BTreeSet::new(),
        }
    }

    /// What it yields for a source object, whatever becomes of that.
    pub fn evaluate(&self, source: &dyn Source, world: &World<'_>) -> Result<Outcome, EvaluationError> {
        match self {
            Self::Attribute(name) => Ok(Outcome::Value(source.attribute(name))),
            Self::Constant(text) => Ok(Outcome::Value(Value::from(text.as_str()))),
            Self::Expression(expression) => expression.evaluate(source, world),
            Self::None => Ok(Outcome::Value(Value::Null)),
        }
    }

    /// True when logs must show `[Redact]` in place of the value.
    pub fn is_redacted(&self) -> bool {
        matches!(self, Self::Expression(expression) if expression.is_redacted())
    }

    /// What stands inside its calls of `Redact`, as [`Expression::redacted`] has it.
    pub fn redacted(&self) -> Vec<Expression> {
        if let Self::Expression(expression) = self { expression.redacted() } else { Vec::new() }
    }

    /// The call that an error came up in, as [`Expression::call_at`] has it; `None` where no one call is to blame.
    pub fn failing_call(&self, error: &EvaluationError) -> Option<Expression> {
        if let Self::Expression(expression) = self { expression.call_at(error.position()?) } else { None }
    }

    /// True when the function `name` is called anywhere in the source.
    pub fn uses_function(&self, name: &str) -> bool {
        match self {
            Self::Expression(expression) => expression.uses_function(name),
            Self::Attribute(_) | Self::Constant(_) | Self::None => false,
        }
    }
}

impl From<Expression> for MappingSource {
    fn from(expression: Expression) -> Self {
        if let Some(name) = expression.as_attribute() {
            return Self::Attribute(name.to_owned());
        }
        expression.as_constant().map_or(Self::Expression(expression), Self::Constant)
    }
}

impl FromStr for MappingSource {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse_with(text, Language::ENTRA)
    }
}

impl fmt::Display for MappingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attribute(name) => write!(f, "[{name}]"),
            Self::Constant(text) => f.write_str(&expression::quoted(text)),
            Self::Expression(expression) => expression.fmt(f),
            Self::None => Ok(()),
        }
    }
}

/// When a mapping applies (Graph `flowType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlowType {
    /// On create and update.
    #[default]
    Always,
    /// "Only during object creation".
    ObjectAddOnly,
    /// Only adds values of a multi-valued attribute, never removes any.
    MultiValueAddOnly,
    /// Where the target has values already, only adds to them: a single value stays as it is.
    ValueAddOnly,
    /// Only where the target has no value at all.
    AttributeAddOnly,
}

/// Whether an unchanged value is exported (Graph `flowBehavior`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlowBehavior {
    /// Only a changed value.
    #[default]
    FlowWhenChanged,
    /// In every export.
    FlowAlways,
}

/// What the engine is about to do with the target object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// There is no target object yet.
    Create,
    /// The target object exists.
    Update,
}

/// What one mapping contributes to an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// This value; never null, `""` or an empty list.
    Value(Value),
    /// The first of these that the target does not hold yet; one at least.
    Unique(Candidates),
    /// The target's value is removed: the source has none any more, and the mapping is to say so.
    Clear,
    /// The attribute is left out.
    Nothing,
    /// The whole object is skipped. Not an error.
    DropObject,
}

/// The rule for one target attribute.
///
/// In data files: `{"target":"userName","source":"[userPrincipalName]","matchingPriority":1}`; what is left out has its
/// default, unknown keys are refused, and what is read is written back the same way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "MappingFile", into = "MappingFile")]
pub struct AttributeMapping {
    /// The target attribute, a SCIM path such as `emails[type eq "work"].value`.
    pub target: String,
    /// Where the value comes from.
    pub source: MappingSource,
    /// The value when the source yields none; used at creation only.
    pub default_value: Option<String>,
    /// 0: not a matching attribute. Above: the lowest number is tried first.
    pub matching_priority: u32,
    /// When the mapping applies.
    pub flow_type: FlowType,
    /// Whether an unchanged value is exported.
    pub flow_behavior: FlowBehavior,
    /// The target object cannot be created without this attribute, and the mapping cannot be deleted.
    pub required: bool,
    /// An update removes the target's value when the source has none any more ("flow null values"). Off by default, and good for nothing
    /// unless the source attributes may flow null as well ([`ObjectMapping::flow_null_values`](crate::ObjectMapping)).
    pub flow_null_values: bool,
}

impl AttributeMapping {
    /// A mapping of `target` that flows always and does not match.
    pub fn new(target: impl Into<String>, source: MappingSource) -> Self {
        Self { target: target.into(), source, ..Self::default() }
    }

    /// True when existing target objects are searched by this attribute.
    pub fn is_matching(&self) -> bool {
        self.matching_priority > 0
    }

    /// What this mapping contributes when `source` is created or updated in the target.
    ///
    /// Null and empty values never flow, nor do empty elements of a list; at creation the default value takes their place. A mapping that applies at
    /// creation only is not evaluated for an update.
    pub fn evaluate(
        &self,
        source: &dyn Source,
        world: &World<'_>,
        operation: Operation,
    ) -> Result<Flow, EvaluationError> {
        if self.flow_type == FlowType::ObjectAddOnly && operation == Operation::Update {
            return Ok(Flow::Nothing);
        }
        Ok(self.flow_of(self.source.evaluate(source, world)?, operation))
    }

    /// What becomes of what the source yields. [`AttributeMapping::evaluate`] has the rest of the rule.
    pub fn flow_of(&self, outcome: Outcome, operation: Operation) -> Flow {
        let value = match outcome {
            Outcome::Value(value) => value,
            // What is unique when it is made stays: another one each time would rename people.
            Outcome::Unique(_) if operation == Operation::Update => return Flow::Nothing,
            Outcome::Unique(candidates) if candidates.values.is_empty() => Value::Null,
            Outcome::Unique(candidates) => return Flow::Unique(candidates),
            Outcome::DropAttribute => return Flow::Nothing,
            Outcome::DropObject => return Flow::DropObject,
        };
        if !value.is_empty() {
            return Flow::Value(without_empty_elements(value));
        }
        if operation == Operation::Update {
            return if self.flow_null_values { Flow::Clear } else { Flow::Nothing };
        }
        let default = self.default_value.as_deref().filter(|text| !text.is_empty());
        default.map_or(Flow::Nothing, |text| Flow::Value(Value::from(text)))
    }

    /// The value to search existing target objects by, whatever the flow type: one text that is not empty. The default value
    /// never counts, because everyone without a value of their own would be matched with the same account.
    pub fn match_value(&self, source: &dyn Source, world: &World<'_>) -> Result<Option<String>, EvaluationError> {
        let text = match self.source.evaluate(source, world)? {
            Outcome::Value(value) => match without_empty_elements(value) {
                Value::Text(text) => Some(text),
                Value::List(values) if values.len() == 1 => values.into_iter().next(),
                Value::Null | Value::List(_) => None,
            },
            Outcome::Unique(_) | Outcome::DropAttribute | Outcome::DropObject => None,
        };
        Ok(text.filter(|text| !text.is_empty()))
    }

    /// For a mapping without source: the value that fills the target attribute whenever it is empty there.
    pub fn fill(&self) -> Option<&str> {
        self.default_value.as_deref().filter(|_| self.source == MappingSource::None)
    }
}

/// What flows of a value: empty elements of a list are no values of it.
fn without_empty_elements(mut value: Value) -> Value {
    if let Value::List(values) = &mut value {
        values.retain(|value| !value.is_empty());
    }
    value
}

/// The form of a mapping in data files.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MappingFile {
    target: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default_value: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    matching_priority: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    flow_type: FlowType,
    #[serde(default, skip_serializing_if = "is_default")]
    flow_behavior: FlowBehavior,
    #[serde(default, skip_serializing_if = "is_default")]
    required: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    flow_null_values: bool,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The source of a mapping cannot be parsed.
#[derive(Debug, thiserror::Error)]
#[error("source of `{target}`: {error}")]
struct BadSource {
    target: String,
    error: ParseError,
}

impl MappingFile {
    fn read(self, language: Language) -> Result<AttributeMapping, BadSource> {
        let source = match self.source.as_deref().map(|text| MappingSource::parse_with(text, language)).transpose() {
            Ok(source) => source.unwrap_or_default(),
            Err(error) => {
                return Err(BadSource { target: self.target, error });
            }
        };
        Ok(AttributeMapping {
            // No attribute's name begins or ends with a blank.
            target: self.target.trim().to_owned(),
            source,
            default_value: self.default_value,
            matching_priority: self.matching_priority,
            flow_type: self.flow_type,
            flow_behavior: self.flow_behavior,
            required: self.required,
            flow_null_values: self.flow_null_values,
        })
    }
}

impl TryFrom<MappingFile> for AttributeMapping {
    type Error = BadSource;

    fn try_from(file: MappingFile) -> Result<Self, BadSource> {
        file.read(Language::ENTRA)
    }
}

/// Reads mappings in [`Language::EXTENDED`], for whoever knows later whether they may use it.
pub(crate) fn read_extended<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<AttributeMapping>, D::Error> {
    let files = Vec::<MappingFile>::deserialize(deserializer)?;
    let read = files.into_iter().map(|file| file.read(Language::EXTENDED));
    read.collect::<Result<_, _>>().map_err(serde::de::Error::custom)
}

impl From<AttributeMapping> for MappingFile {
    fn from(mapping: AttributeMapping) -> Self {
        Self {
            target: mapping.target,
            source: (mapping.source != MappingSource::None).then(|| mapping.source.to_string()),
            default_value: mapping.default_value,
            matching_priority: mapping.matching_priority,
            flow_type: mapping.flow_type,
            flow_behavior: mapping.flow_behavior,
            required: mapping.required,
            flow_null_values: mapping.flow_null_values,
        }
    }
}

#[cfg(test)]
mod tests;
