//! The mappings of one object type, made ready for a job: target paths parsed, references and the disabling mapping told
//! apart. Evaluates them to what an account should hold; how an account differs from that is in `difference`.

mod difference;
mod failing;
mod roles;
mod secrets;

use mapping::schema::{AttributeDefinition, Mutability};
use mapping::{
    AttributeMapping, Candidates, Flow, FlowBehavior, FlowType, MappingSource, ObjectMapping, ObjectType, Operation,
    Source, World,
};
use serde_json::Value;

pub use difference::{Difference, differences, fingerprint, hidden_part, new_account, with_hidden_part_of};
pub use failing::failing_place;
pub use roles::{ROLE_TYPE, Roles};
pub use secrets::{Secrets, is_kept_secret};

use crate::plan::Leaving;
use crate::target_path::{AttributeList, BadTarget, TargetPath, Unfit};

/// The virtual attribute from which accounts are switched off.
pub const IS_SOFT_DELETED: &str = "IsSoftDeleted";
/// Source attributes that refer to other objects: they are written when both ends exist at the target.
const REFERENCES: [&str; 2] = ["manager", "members"];

/// An object mapping with its targets parsed.
#[derive(Clone, Debug)]
pub struct ObjectPlan {
    /// The mapping.
    pub mapping: ObjectMapping,
    targets: Vec<TargetPath>,
    secrets: Secrets,
}

/// One value that an account should hold.
#[derive(Clone, Debug)]
pub struct Wish<'p> {
    /// Where.
    pub path: &'p TargetPath,
    /// What; null where the target's value is to be removed.
    pub value: Value,
    /// What is to be tried at the target, where the value is to be the first that no other account has.
    pub unique: Option<Candidates>,
    /// Whether logs must not show it.
    pub redacted: bool,
    /// Whether it is written even when the target holds it.
    pub always: bool,
    /// What becomes of values that the target holds.
    pub flow_type: FlowType,
    /// The function that makes roles of it, where one does.
    pub roles: Option<Roles>,
}

/// A failure of one object, in Entra's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Entra's error code, such as `MandatoryFieldsMissing`.
    pub code: &'static str,
    /// What happened, and what to do.
    pub reason: String,
}

/// What mappings make of a source object.
pub enum Desired<'p> {
    /// The account should hold these values.
    Values(Vec<Wish<'p>>),
    /// A mapping says to leave the whole object out (`IgnoreObjectFlow`).
    Ignored,
}

/// A value by which an account is found at the target.
#[derive(Clone, Debug)]
pub struct MatchValue<'p> {
    /// The matching attribute.
    pub path: &'p TargetPath,
    /// The value it must have.
    pub value: String,
    /// Whether logs must not show it.
    pub redacted: bool,
}

impl ObjectPlan {
    /// Makes a mapping ready, with nothing known of its target but its own attribute list; names the first target that
    /// cannot be written to.
    pub fn new(mapping: ObjectMapping) -> Result<Self, BadTarget> {
        Self::with_discovered(mapping, &[])
    }

    /// The same, where the target has told what its attributes are.
    pub fn with_discovered(mut mapping: ObjectMapping, told: &[AttributeDefinition]) -> Result<Self, BadTarget> {
        let object = mapping.target_object;
        let list = AttributeList::new(object, &mapping.target_attributes, told);
        let parse = |attribute: &AttributeMapping| TargetPath::parse_by(&attribute.target, object, &list);
        let targets: Vec<TargetPath> = mapping.attributes.iter().map(parse).collect::<Result<_, _>>()?;
        for (attribute, path) in mapping.attributes.iter_mut().zip(&targets).filter(|(_, path)| path.is_required()) {
            attribute.required = true;
            let has_default = attribute.default_value.as_ref().is_some_and(|text| !text.is_empty());
            attribute.default_value = attribute
                .default_value
                .take()
                .filter(|_| has_default)
                .or_else(|| path.default_value().map(str::to_owned));
        }
        let secrets = Secrets::of(&mapping, told);
        Ok(Self { mapping, targets, secrets })
    }

    /// The plan of those mappings whose targets can be written to, and what is wrong with the others.
    pub fn of_good_targets(mut mapping: ObjectMapping, told: &[AttributeDefinition]) -> (Vec<BadTarget>, Self) {
        let list = AttributeList::new(mapping.target_object, &mapping.target_attributes, told);
        let (object, mut bad) = (mapping.target_object, Vec::new());
        let is_good = |one: &AttributeMapping| {
            TargetPath::parse_by(&one.target, object, &list).map_err(|error| bad.push(error)).is_ok()
        };
        mapping.attributes.retain(is_good);
        let secrets = Secrets::of(&mapping, told);
        let none = ObjectMapping { attributes: Vec::new(), ..mapping.clone() };
        let plan = Self::with_discovered(mapping, told).unwrap_or(Self { mapping: none, targets: Vec::new(), secrets });
        (bad, plan)
    }

    /// With the secrets of a larger mapping, of which this is a part.
    #[must_use]
    pub fn keeping(self, secrets: &Secrets) -> Self {
        Self { secrets: secrets.clone(), ..self }
    }

    /// What logs must not show.
    pub const fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    fn pairs(&self) -> impl Iterator<Item = (&AttributeMapping, &TargetPath)> {
        self.mapping.attributes.iter().zip(&self.targets)
    }

    /// What becomes of accounts whose objects leave the scope. Only where the application itself knows no other way are
    /// they deleted: a mapping that an administrator removed means that nothing is to be done.
    pub fn leaving(&self, application_has_soft_delete: bool) -> Leaving {
        leaving(&self.mapping, application_has_soft_delete)
    }

    /// The target of the reference attribute `manager` or `members`.
    pub fn reference(&self, source: &str) -> Option<&TargetPath> {
        self.pairs().find(|(attribute, _)| is_direct(attribute, source)).map(|(_, path)| path)
    }

    /// The matching attribute that is tried first.
    pub fn first_matching(&self) -> Option<&TargetPath> {
        self.pairs()
            .filter(|(attribute, _)| attribute.is_matching())
            .min_by_key(|(attribute, _)| attribute.matching_priority)
            .map(|(_, path)| path)
    }

    /// All target attributes that are mapped.
    pub fn targets(&self) -> &[TargetPath] {
        &self.targets
    }

    /// The values by which the account is found, in the order in which they are tried. An attribute without a value is
    /// passed over.
    pub fn match_values(&self, source: &dyn Source, world: &World<'_>) -> Result<Vec<MatchValue<'_>>, Failure> {
        let mut pairs: Vec<_> = self.pairs().filter(|(attribute, _)| attribute.is_matching()).collect();
        pairs.sort_by_key(|(attribute, _)| attribute.matching_priority);
        let mut values = Vec::new();
        for (attribute, path) in pairs {
            let value = attribute.match_value(source, world);
            let value = value.map_err(|error| self.evaluation_failure((attribute, path), (source, world), &error))?;
            let redacted = is_kept_secret(attribute, path);
            // Who has nothing but blanks there would be taken for everybody who has nothing.
            let value = value.filter(|value| !value.trim().is_empty());
            values.extend(value.map(|value| MatchValue { path, value, redacted }));
        }
        Ok(values)
    }

    /// What the account of an object in scope should hold. References are not among it.
    pub fn desired(
        &self,
        source: &dyn Source,
        world: &World<'_>,
        operation: Operation,
    ) -> Result<Desired<'_>, Failure> {
        self.evaluate(source, world, operation, |_| true)
    }

    /// What changes about the account of an object that left the scope: only what follows from `IsSoftDeleted`.
    pub fn disabling(&self, source: &dyn Source, world: &World<'_>) -> Result<Desired<'_>, Failure> {
        self.evaluate(source, world, Operation::Update, reads_is_soft_deleted)
    }

    fn evaluate(
        &self,
        source: &dyn Source,
        world: &World<'_>,
        operation: Operation,
        wanted: impl Fn(&AttributeMapping) -> bool,
    ) -> Result<Desired<'_>, Failure> {
        let mut wishes = Vec::new();
        let may_write = |path: &TargetPath| match path.mutability() {
            Mutability::ReadOnly => false,
            Mutability::Immutable => operation == Operation::Create,
            Mutability::ReadWrite | Mutability::WriteOnly => true,
        };
        for (attribute, path) in self.pairs().filter(|(attribute, _)| wanted(attribute) && !is_reference(attribute)) {
            let flow = attribute.evaluate(source, world, operation);
            let flow = flow.map_err(|error| self.evaluation_failure((attribute, path), (source, world), &error))?;
            let cannot_take = |unfit: Unfit| self.cannot_take((attribute, path), (source, world), &unfit);
            match flow {
                Flow::DropObject => return Ok(Desired::Ignored),
                _ if !may_write(path) => {}
                Flow::Nothing if attribute.required && operation == Operation::Create => return Err(missing(path)),
                Flow::Clear if self.mapping.clears(attribute) && !attribute.required => {
                    wishes.push(wish(attribute, path, Value::Null));
                }
                Flow::Nothing | Flow::Clear => {
                    let filled = without_value(attribute, path, source, operation).transpose();
                    wishes.extend(filled.map_err(cannot_take)?);
                }
                Flow::Value(value) => wishes.push(wish_of(attribute, path, &value).map_err(cannot_take)?),
                Flow::Unique(candidates) => {
                    let first = candidates.values.first().map_or("", String::as_str);
                    let wish = wish_of(attribute, path, &first.into()).map_err(cannot_take)?;
                    wishes.push(Wish { unique: Some(candidates), ..wish });
                }
            }
        }
        Ok(Desired::Values(wishes))
    }

    /// The target attribute of this path, as it was made ready.
    pub fn target(&self, text: &str) -> Option<&TargetPath> {
        self.targets.iter().find(|path| path.text() == text)
    }

    /// Required target attributes that no mapping can give a value.
    pub fn without_source(&self) -> Vec<&str> {
        let empty = |attribute: &&AttributeMapping| {
            attribute.required && attribute.source == MappingSource::None && attribute.default_value.is_none()
        };
        self.mapping.attributes.iter().filter(empty).map(|attribute| attribute.target.as_str()).collect()
    }

    /// Which kind of object this is about.
    pub const fn object(&self) -> ObjectType {
        self.mapping.target_object
    }
}

/// What a mapping that yields nothing does all the same.
fn without_value<'p>(
    attribute: &AttributeMapping,
    path: &'p TargetPath,
    source: &dyn Source,
    operation: Operation,
) -> Option<Result<Wish<'p>, Unfit>> {
    if operation == Operation::Create || attribute.flow_type == FlowType::ObjectAddOnly {
        return None;
    }
    // Who has no role any more has none at the target.
    if Roles::asserts(attribute) && source.attribute(roles::APP_ROLE_ASSIGNMENTS).is_empty() {
        return Some(Ok(wish(attribute, path, Value::Null)));
    }
    // A mapping without source leaves the attribute alone, but not empty.
    let filled = wish_of(attribute, path, &attribute.fill()?.into());
    Some(filled.map(|wish| Wish { flow_type: FlowType::AttributeAddOnly, always: false, ..wish }))
}

fn wish_of<'p>(attribute: &AttributeMapping, path: &'p TargetPath, value: &mapping::Value) -> Result<Wish<'p>, Unfit> {
    let roles = Roles::of(attribute, path, value);
    let json = roles.as_ref().and_then(Roles::elements).map_or_else(|| path.json(value), Ok)?;
    Ok(Wish { roles, ..wish(attribute, path, json) })
}

fn wish<'p>(attribute: &AttributeMapping, path: &'p TargetPath, value: Value) -> Wish<'p> {
    Wish {
        path,
        value,
        unique: None,
        redacted: is_kept_secret(attribute, path),
        always: attribute.flow_behavior == FlowBehavior::FlowAlways,
        flow_type: attribute.flow_type,
        roles: None,
    }
}

fn is_direct(attribute: &AttributeMapping, source: &str) -> bool {
    matches!(&attribute.source, MappingSource::Attribute(name) if name == source)
}

fn is_reference(attribute: &AttributeMapping) -> bool {
    REFERENCES.iter().any(|name| is_direct(attribute, name))
}

/// As [`ObjectPlan::leaving`].
pub(crate) fn leaving(mapping: &ObjectMapping, application_has_soft_delete: bool) -> Leaving {
    match (has_soft_delete(mapping), application_has_soft_delete) {
        (true, _) => Leaving::SwitchedOff,
        (false, true) => Leaving::Kept,
        (false, false) => Leaving::Deleted,
    }
}

/// Whether a mapping switches accounts off.
pub fn has_soft_delete(mapping: &ObjectMapping) -> bool {
    mapping.attributes.iter().any(reads_is_soft_deleted)
}

pub(crate) fn reads_is_soft_deleted(attribute: &AttributeMapping) -> bool {
    attribute.source.attributes().contains(IS_SOFT_DELETED)
}

/// Whether a mapping says also of an account that is there already whether it is switched off.
pub(crate) fn switches_off(attribute: &AttributeMapping) -> bool {
    reads_is_soft_deleted(attribute) && attribute.flow_type != FlowType::ObjectAddOnly
}

fn missing(path: &TargetPath) -> Failure {
    let reason = format!(
        "{} is required and the source object gives it no value; fill the source attribute or set a default",
        path.text()
    );
    Failure { code: "MandatoryFieldsMissing", reason }
}
