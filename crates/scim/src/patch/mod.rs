//! PATCH (RFC 7644 §3.5.2): reading the message and applying it as a whole. One operation is in `edit`, single-valued attributes are in
//! `single`, elements of multi-valued ones in `list` and `removal`, what they may cost in `effort`, a group's members in `members`.

mod edit;
mod effort;
mod form;
mod list;
mod members;
mod named;
mod removal;
mod single;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

pub(crate) use edit::is_clearing;
use effort::Effort;
pub use form::expects_no_content;
pub use members::{Member, MemberChange};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::{Map, Value};

use crate::input::lists_schema;
use crate::limits::PATCH_OPERATIONS_MAX;
use crate::repeats::may_repeat;
use crate::resource_type::Resolved;
use crate::{AttributePath, Attributes, Filter, Mutability, PATCH_OP_URN, ResourceType, ScimError};

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Adds values, or sets a single value.
    Add,
    /// Removes values.
    Remove,
    /// Sets values in place of what was there.
    Replace,
}

impl Op {
    /// The word on the wire, in the RFC's lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Replace => "replace",
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Op {
    type Err = ScimError;

    /// Any case, because clients send `Add` as well as `add`.
    ///
    /// # Errors
    /// `invalidSyntax` for any other word.
    fn from_str(word: &str) -> Result<Self, ScimError> {
        [Self::Add, Self::Remove, Self::Replace]
            .into_iter()
            .find(|op| word.eq_ignore_ascii_case(op.as_str()))
            .ok_or_else(|| ScimError::invalid_syntax("'op' must be add, remove or replace"))
    }
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// What to do.
    pub op: Op,
    /// Where; without it the value is an object of attributes.
    pub path: Option<AttributePath>,
    /// With what.
    pub value: Option<Value>,
}

/// The operations of one PATCH, in order.
///
/// ```
/// use scim::{Op, Operation, PatchOp, ResourceType};
/// use serde_json::json;
///
/// // As a client makes one; as a server reads one, see [`PatchOp::read`].
/// let patch = PatchOp {
///     operations: vec![Operation { op: Op::Replace, path: Some("name.givenName".parse()?), value: Some(json!("Ada")) }],
/// };
/// let users = ResourceType::user();
/// let mut user = json!({ "userName": "ada" }).as_object().expect("written as an object").clone();
/// assert!(patch.apply(&users, &mut user)?, "something changed");
/// assert_eq!(user["name"], json!({ "givenName": "Ada" }));
/// assert!(!patch.apply(&users, &mut user)?, "the second time nothing does");
/// # Ok::<(), scim::ScimError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatchOp {
    /// Applied one after the other; may be empty.
    pub operations: Vec<Operation>,
}

impl PatchOp {
    /// Reads the body of a PATCH. Unknown keys are ignored, keys and the operation match in any case.
    ///
    /// # Errors
    /// `invalidSyntax` when the body is no PatchOp message or an operation is unknown, `invalidPath` for a malformed path,
    /// `invalidValue` for an add or replace without value, `tooMany` for more operations than [`PATCH_OPERATIONS_MAX`].
    pub fn read(body: Value) -> Result<Self, ScimError> {
        let Value::Object(mut body) = body else {
            return Err(ScimError::invalid_syntax("the body is not a JSON object"));
        };
        if !lists_schema(&body, PATCH_OP_URN) {
            return Err(ScimError::invalid_syntax(format!("'schemas' does not list {PATCH_OP_URN}")));
        }
        let Some(Value::Array(given)) = take(&mut body, "Operations") else {
            return Err(ScimError::invalid_syntax("'Operations' must be a list"));
        };
        if given.len() > PATCH_OPERATIONS_MAX {
            return Err(ScimError::too_many(format!("a PATCH has at most {PATCH_OPERATIONS_MAX} operations")));
        }
        let operations = given.into_iter().map(Operation::read).collect::<Result<_, _>>()?;
        Ok(Self { operations })
    }

    /// Applies all operations in order, or none. Tells whether the attributes are different afterwards.
    ///
    /// Beyond the RFC, by form: values as [`ResourceType::read`] accepts them; pathless keys that are paths; an element that a filter of
    /// equalities describes is created when none matches (by `replace` only when the filter is on `primary` or on a `type` that the
    /// attribute suggests); `""` and null clear; `remove` with a list of values removes those. In a pathless value, unknown and readOnly
    /// attributes are ignored as in a POST.
    ///
    /// # Errors
    /// `invalidPath`, `invalidFilter` for what the filter in a path compares and its attribute does not have, `noTarget`, `invalidValue`,
    /// `mutability`, `tooMany`, and `invalidSyntax` for a value without path that names an
    /// attribute twice; the attributes are then as before.
    pub fn apply(&self, resource_type: &ResourceType, attributes: &mut Attributes) -> Result<bool, ScimError> {
        self.apply_counting(resource_type, attributes, &mut 0)
    }

    /// As [`Self::apply`]; adds to `effort` what that cost, of which [`PATCH_EFFORT_MAX`](crate::limits::PATCH_EFFORT_MAX) is the most.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn apply_counting(
        &self,
        resource_type: &ResourceType,
        attributes: &mut Attributes,
        effort: &mut u64,
    ) -> Result<bool, ScimError> {
        let mut draft = Draft::new(resource_type, attributes);
        let applied = draft.apply_all(&self.operations);
        *effort += draft.effort.spent();
        match applied {
            Ok(()) => Ok(draft.is_changed()),
            Err(error) => {
                draft.undo();
                Err(error)
            }
        }
    }
}

impl Operation {
    fn read(given: Value) -> Result<Self, ScimError> {
        let Value::Object(mut given) = given else {
            return Err(ScimError::invalid_syntax("an operation is not a JSON object"));
        };
        let op: Op = match take(&mut given, "op") {
            Some(Value::String(word)) => word.parse()?,
            None | Some(Value::Null) => return Err(ScimError::invalid_syntax("an operation has no 'op'")),
            Some(_) => return Err(ScimError::invalid_syntax("'op' must be a string: add, remove or replace")),
        };
        let path = match take(&mut given, "path") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.parse()?),
            Some(_) => return Err(ScimError::invalid_path("'path' must be a string")),
        };
        let value = take(&mut given, "value");
        if value.is_none() && op != Op::Remove {
            return Err(ScimError::invalid_value(format!("{op} needs a 'value'")));
        }
        Ok(Self { op, path, value })
    }
}

/// Takes a value out of an object by its key in any case.
pub(crate) fn take(object: &mut Map<String, Value>, name: &str) -> Option<Value> {
    object.remove(name).or_else(|| {
        let key = object.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone();
        object.remove(&key)
    })
}

/// The message as RFC 7644 §3.5.2 writes it.
impl Serialize for PatchOp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut message = serializer.serialize_struct("PatchOp", 2)?;
        message.serialize_field("schemas", &[PATCH_OP_URN])?;
        message.serialize_field("Operations", &self.operations)?;
        message.end()
    }
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = 1 + usize::from(self.path.is_some()) + usize::from(self.value.is_some());
        let mut operation = serializer.serialize_struct("Operation", fields)?;
        operation.serialize_field("op", self.op.as_str())?;
        if let Some(path) = &self.path {
            operation.serialize_field("path", &path.to_string())?;
        }
        if let Some(value) = &self.value {
            operation.serialize_field("value", value)?;
        }
        operation.end()
    }
}

/// Sets what paths name, as an `add` with each path does.
pub(crate) fn add_at_paths(
    resource_type: &ResourceType,
    attributes: &mut Attributes,
    given: Vec<(AttributePath, Value)>,
) -> Result<(), ScimError> {
    let mut draft = Draft::new(resource_type, attributes);
    given.into_iter().try_for_each(|(path, value)| draft.set(Op::Add, &path, value))
}

/// Attributes under change. What is touched is copied first, so that undoing and comparing cost no copy of the whole resource.
struct Draft<'a> {
    resource_type: &'a ResourceType,
    attributes: &'a mut Attributes,
    before: BTreeMap<String, Option<Value>>,
    /// The keys that `remove` took something from.
    removed: BTreeSet<String>,
    /// Required attributes of extensions that were cleared, with whether by `remove`: an extension that is empty without them goes, and
    /// would then be complete.
    cleared: Vec<(&'a str, &'a str, Op)>,
    effort: Effort,
}

impl<'a> Draft<'a> {
    fn new(resource_type: &'a ResourceType, attributes: &'a mut Attributes) -> Self {
        let (before, removed) = (BTreeMap::new(), BTreeSet::new());
        Self { resource_type, attributes, before, removed, cleared: Vec::new(), effort: Effort::default() }
    }

    /// Only what was touched is checked for completeness: a resource from before an attribute was required can still be disabled. What
    /// is required cannot be removed, which RFC 7644 §3.5.2.2 counts as mutability; setting it to nothing is a wrong value.
    fn apply_all(&mut self, operations: &[Operation]) -> Result<(), ScimError> {
        for operation in operations {
            self.apply(operation)?;
        }
        for (key, before) in &self.before {
            if let Some(before) = before {
                self.resource_type.check_immutable(key, before, self.attributes)?;
            }
        }
        self.resource_type.check_required(self.attributes, |key| self.removed.contains(key)).map_err(|missing| {
            ScimError::mutability(format!("{}; replace its value, it cannot be removed", missing.detail))
        })?;
        self.resource_type.check_required(self.attributes, |key| self.before.contains_key(key))?;
        self.check_cleared()
    }

    /// A required attribute of an extension is not cleared by itself, also where the extension goes with it.
    fn check_cleared(&self) -> Result<(), ScimError> {
        let is_missing =
            |extension: &str, name: &str| self.attributes.get(extension).is_none_or(|level| level.get(name).is_none());
        let had = |extension: &str, name: &str| matches!(self.before.get(extension), Some(Some(level)) if level.get(name).is_some());
        for (extension, name, op) in &self.cleared {
            if had(extension, name) && is_missing(extension, name) {
                let detail = format!(
                    "'{extension}:{name}' is required; remove the extension as a whole, or give it another value"
                );
                return Err(if *op == Op::Remove {
                    ScimError::mutability(detail)
                } else {
                    ScimError::invalid_value(detail)
                });
            }
        }
        Ok(())
    }

    /// Remembers that an operation may have cleared a required attribute of an extension.
    fn note_cleared(&mut self, op: Op, resolved: &Resolved<'a>) {
        if let Resolved { extension: Some(extension), attribute, sub_attribute: None } = *resolved
            && attribute.required
            && attribute.mutability != Mutability::ReadOnly
        {
            self.cleared.push((extension, &attribute.name, op));
        }
    }

    fn is_changed(&self) -> bool {
        self.before.iter().any(|(key, before)| self.attributes.get(key) != before.as_ref())
    }

    fn undo(self) {
        for (key, before) in self.before {
            match before {
                Some(value) => self.attributes.insert(key, value),
                None => self.attributes.remove(&key),
            };
        }
    }

    /// The level that holds an attribute, after remembering what is about to change.
    fn level(&mut self, extension: Option<&str>, attribute: &str) -> &mut Map<String, Value> {
        let key = extension.unwrap_or(attribute);
        if !self.before.contains_key(key) {
            self.before.insert(key.to_owned(), self.attributes.get(key).cloned());
        }
        match extension {
            None => self.attributes,
            Some(urn) => {
                let held = self.attributes.entry(urn).or_insert_with(|| Value::Object(Map::new()));
                list::object_of(held)
            }
        }
    }

    /// As [`Self::level`], to remove something.
    fn level_to_remove_from(&mut self, extension: Option<&str>, attribute: &str) -> &mut Map<String, Value> {
        self.removed.insert(extension.unwrap_or(attribute).to_owned());
        self.level(extension, attribute)
    }

    /// Counts what an operation on an attribute costs, before it is done.
    fn spend(
        &mut self,
        op: Op,
        resolved: &Resolved<'_>,
        filter: Option<&Filter>,
        value: &Value,
    ) -> Result<(), ScimError> {
        let Resolved { extension, attribute, sub_attribute } = resolved;
        // Members are found by a set of their ids.
        let is_list = attribute.multi_valued && (filter.is_some() || !self.resource_type.is_members(attribute));
        let is_set_once = attribute.multi_valued && attribute.mutability == Mutability::Immutable;
        let adds_to_lists =
            op == Op::Add && (is_set_once || attribute.sub_attributes.iter().any(|sub| sub.multi_valued));
        let takes_from_lists = op == Op::Remove && sub_attribute.is_some_and(|sub| sub.multi_valued);
        if !is_list && !adds_to_lists && !takes_from_lists {
            return Ok(());
        }
        let held = match extension {
            None => self.attributes.get(&attribute.name),
            Some(urn) => self.attributes.get(*urn).and_then(|level| level.get(&attribute.name)),
        };
        if adds_to_lists || takes_from_lists {
            self.effort.spend_on_lists(held, value)?;
        }
        // Elements that are taken away as a whole are compared with nothing that stays, nor are those of which what tells them apart stays.
        let are_compared = match sub_attribute {
            Some(sub) => held.and_then(Value::as_array).is_none_or(|elements| may_repeat(elements, sub)),
            None => op != Op::Remove,
        };
        if is_list && are_compared {
            self.effort.spend_on_repeats(held, value)?;
        }
        if is_list { self.effort.spend(op, held, filter, value) } else { Ok(()) }
    }

    /// An extension without attributes is absent.
    fn tidy(&mut self, extension: Option<&str>) {
        if let Some(urn) = extension
            && self.attributes.get(urn).and_then(Value::as_object).is_some_and(Map::is_empty)
        {
            self.attributes.remove(urn);
        }
    }
}
