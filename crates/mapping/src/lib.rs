//! Attribute mappings, their expression language and scoping filters. Pure: the clock and randomness are arguments.
//!
//! What lives here: the value model ([`Value`], [`Source`], [`World`]), the expression language ([`Expression`]), the
//! mapping of one attribute ([`AttributeMapping`]) and of one object type ([`ObjectMapping`]), the filters that decide
//! who is in scope ([`ScopingFilters`]), tables that say what expressions are to give ([`cases`]), and Microsoft Graph's JSON form of
//! all these ([`schema`]).
//! What is wrong with them, all of it at once, is in [`validation`].
//! What does not: SCIM resources, HTTP, storage, time. Comparing a result with what the target holds, resolving references
//! and merging filtered paths into one array are the provisioning engine's.
//!
//! ```
//! use mapping::{AttributeMapping, Flow, Operation, Value, World};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mapping: AttributeMapping = serde_json::from_str(
//!     r#"{"target": "displayName", "source": "Join(\" \", [givenName], [surname])"}"#,
//! )?;
//! let ann: serde_json::Map<_, _> = serde_json::from_str(r#"{"givenName": "Ann", "surname": "Lee"}"#)?;
//! let world = World { now: jiff::Timestamp::UNIX_EPOCH, default_domain: None, random: &|_| {} };
//! assert_eq!(mapping.evaluate(&ann, &world, Operation::Create)?, Flow::Value(Value::from("Ann Lee")));
//! # Ok(())
//! # }
//! ```

mod attribute_mapping;
pub mod cases;
mod counted;
pub mod expression;
mod guest;
mod nearest;
mod net_regex;
mod no_json;
mod object_mapping;
mod old_extension;
pub mod schema;
mod scoping;
pub mod validation;
mod value;

pub use attribute_mapping::{AttributeMapping, Flow, FlowBehavior, FlowType, MappingSource, Operation};
pub use counted::counted;
pub use expression::{Candidates, EvaluationError, Expression, Language, Outcome, ParseError};
pub use guest::guest_user_principal_name;
pub use nearest::nearest;
pub use no_json::NoJson;
pub use object_mapping::{
    ATTRIBUTE_MAPPINGS_MAX, CLAUSES_MAX, FilterKind, FlowTypes, ObjectMapping, ObjectType, Problem,
};
pub use old_extension::with_colon_behind_version;
pub use scoping::{
    Clause, ClauseError, Comparison, ExplainedClause, ExplainedGroup, Explanation, FilterGroup, FilterOperator, Held,
    OperatorError, Quantifier, RegexMode, ScopingFilters, Undecided, Verdict,
};
pub use value::{Overridden, Source, Value, World};
