//! What each attribute mapping makes of one source object: the value with the mapping that made it, or why there is none. Each mapping is
//! tried alone, so that one which fails hides no other.

use mapping::schema::{AttributeDefinition, Mutability};
use mapping::{FlowType, MappingSource, ObjectMapping, ObjectType, Operation, Outcome, Source, Value, World};
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::draft::{Draft, Unparsed};
use crate::object_plan::{Desired, Failure, ObjectPlan, Secrets, Wish, differences, failing_place, is_kept_secret};
use crate::redaction::REDACTED;
use crate::target_path::{AttributeList, TargetPath};

/// The code of a mapping that cannot be parsed.
pub(crate) const UNREADABLE: &str = "InvalidExpression";

/// One attribute mapping, tried.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttributeTrial {
    /// The target attribute.
    pub target: String,
    /// The source as it is written; none where the mapping has only a default.
    pub source: Option<String>,
    /// When the mapping applies.
    pub flow_type: FlowType,
    /// 0: accounts are not searched by it.
    pub matching_priority: u32,
    /// Accounts cannot be made without it.
    pub required: bool,
    /// Whether the value is secret: it is under `Redact`, or the target never tells it.
    pub redacted: bool,
    /// What it does.
    #[serde(flatten)]
    pub effect: Effect,
}

/// What an attribute mapping does.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "effect", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Effect {
    /// A new account gets the value.
    Value {
        /// In the form in which it is sent.
        value: Json,
        /// Whether it is the default of the mapping, because the source gives none.
        from_default: bool,
    },
    /// A new account gets the first of these that no other account has.
    FirstFree {
        /// In the order in which they are tried.
        candidates: Vec<String>,
        /// Those of them that were looked up and are taken.
        taken: Vec<String>,
        /// The first that is free; none where that was not looked up, or all are taken.
        free: Option<String>,
        /// Why there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    /// The account's value is changed.
    Change {
        /// What it holds.
        before: Option<Json>,
        /// What it gets.
        after: Json,
        /// Whether that joins what it holds.
        joins: bool,
    },
    /// The account holds the value already.
    Same {
        /// The value.
        value: Json,
    },
    /// The account's value is removed.
    Clear {
        /// What it holds.
        before: Option<Json>,
    },
    /// The attribute is left out.
    Nothing {
        /// Why.
        reason: Absence,
    },
    /// Other objects are referred to, once both have an account.
    Reference {
        /// Which, some of them where they are many.
        to: Vec<Referred>,
        /// Whether there are more.
        more: bool,
    },
    /// The whole object is left out (`IgnoreObjectFlow`).
    SkipsObject,
    /// The mapping fails, and with it the object.
    Error {
        /// Entra's error code.
        code: &'static str,
        /// What happened, and what to do.
        reason: String,
        /// Where in the source, in characters from 0, if it cannot be parsed or a call of it fails.
        #[serde(skip_serializing_if = "Option::is_none")]
        position: Option<usize>,
        /// The same as two lines for people.
        #[serde(skip)]
        pointer: Option<String>,
    },
}

/// Why an attribute is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Absence {
    /// The source gives nothing.
    Null,
    /// The source gives an empty text or list, which never flows.
    Empty,
    /// The expression says so (`IgnoreAttributeFlow`).
    Dropped,
    /// The mapping has no source, and a default only where the attribute is empty.
    NoSource,
    /// The mapping applies at creation only.
    CreationOnly,
    /// The target attribute is nobody's to write.
    ReadOnly,
    /// A value that is unique when it is made stays.
    UniqueStays,
    /// The account has a value, and the flow type lets that be.
    Held,
    /// The account has nothing that could be removed.
    NothingHeld,
    /// The object is out of scope, so the attribute is not written.
    OutOfScope,
}

impl Absence {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Null => "the source gives null",
            Self::Empty => "the source gives an empty value",
            Self::Dropped => "dropped by IgnoreAttributeFlow",
            Self::NoSource => "the mapping has no source",
            Self::CreationOnly => "applies at creation only",
            Self::ReadOnly => "the target attribute is read-only",
            Self::UniqueStays => "a unique value stays as it was made",
            Self::Held => "the account has a value, and the flow type keeps it",
            Self::NothingHeld => "null, and the account has no value to remove",
            Self::OutOfScope => "not written, as the object is out of scope",
        }
    }
}

/// An object that is referred to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Referred {
    /// Its name in the directory.
    pub name: String,
    /// The id of its account at the target; none where it has none yet.
    pub account: Option<String>,
}

/// The objects that the source object refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// A user's manager.
    pub manager: Option<Referred>,
    /// Some members of a group.
    pub members: Vec<Referred>,
    /// Whether the group has more.
    pub more_members: bool,
}

/// Tries every mapping of a draft. `held` is the account that would be updated; without one, an account would be made.
pub fn try_attributes(
    draft: &Draft,
    source: &dyn Source,
    world: &World<'_>,
    references: &References,
    held: Option<&Map<String, Json>>,
) -> Vec<AttributeTrial> {
    let bare = ObjectMapping { attributes: Vec::new(), ..draft.mapping.clone() };
    let secrets = &Secrets::of(&draft.mapping, &draft.told);
    let list = AttributeList::new(bare.target_object, &bare.target_attributes, &draft.told);
    let is_secret = |attribute: &mapping::AttributeMapping| {
        let path = TargetPath::parse_by(&attribute.target, bare.target_object, &list);
        path.map_or(attribute.source.is_redacted(), |path| is_kept_secret(attribute, &path))
    };
    let tried = |(index, attribute): (usize, &mapping::AttributeMapping)| {
        let unparsed = draft.unparsed.get(&index);
        let alone = ObjectMapping { attributes: vec![attribute.clone()], ..bare.clone() };
        let effect = match unparsed {
            Some(unparsed) => cannot_be_parsed(unparsed),
            None => Alone { mapping: alone, told: &draft.told, secrets, source, world, references, held }.effect(),
        };
        let written = (attribute.source != MappingSource::None).then(|| attribute.source.to_string());
        AttributeTrial {
            target: attribute.target.clone(),
            source: unparsed.map(|unparsed| unparsed.text.clone()).or(written),
            flow_type: attribute.flow_type,
            matching_priority: attribute.matching_priority,
            required: attribute.required,
            redacted: is_secret(attribute),
            effect,
        }
    };
    draft.mapping.attributes.iter().enumerate().map(tried).collect()
}

fn cannot_be_parsed(unparsed: &Unparsed) -> Effect {
    Effect::Error {
        code: UNREADABLE,
        reason: unparsed.error.to_string(),
        position: Some(unparsed.error.position),
        pointer: Some(unparsed.error.pointer(&unparsed.text)),
    }
}

/// An object mapping with one attribute mapping, and what it is tried on.
struct Alone<'a> {
    mapping: ObjectMapping,
    told: &'a [AttributeDefinition],
    /// Those of all mappings.
    secrets: &'a Secrets,
    source: &'a dyn Source,
    world: &'a World<'a>,
    references: &'a References,
    held: Option<&'a Map<String, Json>>,
}

impl Alone<'_> {
    fn attribute(&self) -> &mapping::AttributeMapping {
        &self.mapping.attributes[0]
    }

    fn effect(&self) -> Effect {
        let plan = match ObjectPlan::with_discovered(self.mapping.clone(), self.told) {
            Ok(plan) => plan.keeping(self.secrets),
            Err(error) => return failed(Failure { code: "InvalidTarget", reason: error.to_string() }),
        };
        if let Some(reference) = self.reference(&plan) {
            return reference;
        }
        let operation = if self.held.is_some() { Operation::Update } else { Operation::Create };
        let wishes = match plan.desired(self.source, self.world, operation) {
            Err(failure) => return self.placed(failure),
            Ok(Desired::Ignored) => return Effect::SkipsObject,
            Ok(Desired::Values(wishes)) => wishes,
        };
        let own = wishes.into_iter().next();
        match (own, self.held) {
            (None, _) => Effect::Nothing { reason: self.absence(&plan, operation) },
            (Some(wish), Some(held)) => changed(wish, held),
            (Some(Wish { unique: Some(candidates), .. }), None) => {
                let problem = candidates.failure.map(|error| format!("the next rule fails: {error}"));
                Effect::FirstFree { candidates: candidates.values, taken: Vec::new(), free: None, problem }
            }
            (Some(wish), None) => Effect::Value { value: wish.value, from_default: self.gives_nothing() },
        }
    }

    /// A failure with the place in the source where it came up, if it came up there.
    fn placed(&self, failure: Failure) -> Effect {
        let place = failing_place(self.attribute(), self.source, self.world);
        let (position, pointer) =
            place.map_or((None, None), |(written, error)| (error.position(), error.pointer(&written)));
        Effect::Error { code: failure.code, reason: failure.reason, position, pointer }
    }

    fn reference(&self, plan: &ObjectPlan) -> Option<Effect> {
        let References { manager, members, more_members } = self.references;
        let (to, more): (Vec<Referred>, bool) = match plan.object() {
            ObjectType::User => plan.reference("manager").map(|_| (manager.iter().cloned().collect(), false))?,
            ObjectType::Group => plan.reference("members").map(|_| (members.clone(), *more_members))?,
        };
        Some(if to.is_empty() { Effect::Nothing { reason: Absence::Null } } else { Effect::Reference { to, more } })
    }

    /// Whether the source gives nothing, so that a value can only be the default.
    fn gives_nothing(&self) -> bool {
        match self.attribute().source.evaluate(self.source, self.world) {
            Ok(Outcome::Value(value)) => value.is_empty(),
            Ok(Outcome::Unique(candidates)) => candidates.values.is_empty(),
            Ok(Outcome::DropAttribute | Outcome::DropObject) | Err(_) => false,
        }
    }

    fn absence(&self, plan: &ObjectPlan, operation: Operation) -> Absence {
        let attribute = self.attribute();
        let mutability = plan.targets().first().map(TargetPath::mutability);
        if mutability == Some(Mutability::ReadOnly) {
            return Absence::ReadOnly;
        }
        let is_once = attribute.flow_type == FlowType::ObjectAddOnly || mutability == Some(Mutability::Immutable);
        if is_once && operation == Operation::Update {
            return Absence::CreationOnly;
        }
        match attribute.source.evaluate(self.source, self.world) {
            _ if attribute.source == MappingSource::None => Absence::NoSource,
            Ok(Outcome::DropAttribute) => Absence::Dropped,
            Ok(Outcome::Unique(_)) if operation == Operation::Update => Absence::UniqueStays,
            Ok(Outcome::Value(Value::Text(_) | Value::List(_))) => Absence::Empty,
            Ok(_) | Err(_) => Absence::Null,
        }
    }
}

fn changed(wish: Wish<'_>, held: &Map<String, Json>) -> Effect {
    let (path, value) = (wish.path, wish.value.clone());
    let before = path.read(held).cloned();
    match differences(vec![wish], held).pop() {
        Some(difference) => match difference.after {
            Some(after) => Effect::Change { before, after, joins: difference.joins },
            None => Effect::Clear { before },
        },
        None if value.is_null() => Effect::Nothing { reason: Absence::NothingHeld },
        None if before.as_ref().is_some_and(|before| path.same(before, &value)) => Effect::Same { value },
        None => Effect::Nothing { reason: Absence::Held },
    }
}

fn failed(failure: Failure) -> Effect {
    Effect::Error { code: failure.code, reason: failure.reason, position: None, pointer: None }
}

impl AttributeTrial {
    /// Without the values that logs do not show either.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        if !self.redacted {
            return self;
        }
        let hide = |value: &mut Json| *value = REDACTED.into();
        match &mut self.effect {
            Effect::Value { value, .. } | Effect::Same { value } => hide(value),
            Effect::Change { before, after, .. } => before.iter_mut().chain([after]).for_each(hide),
            Effect::Clear { before } => before.iter_mut().for_each(hide),
            Effect::FirstFree { candidates, taken, free, .. } => {
                candidates.iter_mut().chain(taken).chain(free).for_each(|text| REDACTED.clone_into(text));
            }
            Effect::Nothing { .. } | Effect::Reference { .. } | Effect::SkipsObject | Effect::Error { .. } => {}
        }
        self
    }
}

#[cfg(test)]
mod tests;
