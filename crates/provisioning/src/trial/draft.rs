//! Mappings as an administrator is writing them: an expression that cannot be parsed is kept with its error, so that it does not hide the
//! others.

use std::collections::BTreeMap;

use mapping::schema::AttributeDefinition;
use mapping::{ObjectMapping, ParseError};

/// The mapping of one object type, not checked yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The mapping, without the sources that cannot be parsed.
    pub mapping: ObjectMapping,
    /// Those, by the places of their attribute mappings.
    pub unparsed: BTreeMap<usize, Unparsed>,
    /// What the target has told of its attributes.
    pub told: Vec<AttributeDefinition>,
}

/// A source that cannot be parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unparsed {
    /// As it is written.
    pub text: String,
    /// What is wrong with it.
    pub error: ParseError,
}

impl From<ObjectMapping> for Draft {
    fn from(mapping: ObjectMapping) -> Self {
        Self { mapping, unparsed: BTreeMap::new(), told: Vec::new() }
    }
}
