//! The mappings of one object type, made ready for a job: target paths parsed, references and the disabling mapping told
//! apart. Evaluates them to what an account should hold.

use mapping::{
    AttributeMapping, Candidates, Flow, FlowBehavior, FlowType, MappingSource, ObjectMapping, ObjectType, Operation,
    Source, World,
};
use serde_json::{Map, Value};

use crate::plan::Leaving;
use crate::target_path::{BadTarget, TargetPath, has_element};

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
    /// Makes a mapping ready; names the first target that cannot be written to.
    pub fn new(mapping: ObjectMapping) -> Result<Self, BadTarget> {
        let parse = |attribute: &AttributeMapping| TargetPath::parse(&attribute.target, mapping.target_object);
        let targets = mapping.attributes.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { mapping, targets })
    }

    fn pairs(&self) -> impl Iterator<Item = (&AttributeMapping, &TargetPath)> {
        self.mapping.attributes.iter().zip(&self.targets)
    }

    /// What becomes of accounts whose objects leave the scope. Only where the application itself knows no other way are
    /// they deleted: a mapping that an administrator removed means that nothing is to be done.
    pub fn leaving(&self, application_has_soft_delete: bool) -> Leaving {
        match (has_soft_delete(&self.mapping), application_has_soft_delete) {
            (true, _) => Leaving::SwitchedOff,
            (false, true) => Leaving::Kept,
            (false, false) => Leaving::Deleted,
        }
    }

    /// Whether there are values that logs must not show.
    pub fn redacts(&self) -> bool {
        self.mapping.attributes.iter().any(|attribute| attribute.source.is_redacted())
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
            let value = attribute.match_value(source, world).map_err(|error| evaluation_failure(path, &error))?;
            let redacted = attribute.source.is_redacted();
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
        for (attribute, path) in self.pairs().filter(|(attribute, _)| wanted(attribute) && !is_reference(attribute)) {
            match attribute.evaluate(source, world, operation).map_err(|error| evaluation_failure(path, &error))? {
                Flow::DropObject => return Ok(Desired::Ignored),
                Flow::Nothing if attribute.required && operation == Operation::Create => return Err(missing(path)),
                Flow::Clear if self.mapping.clears(attribute) => wishes.push(wish(attribute, path, Value::Null)),
                Flow::Nothing | Flow::Clear => {}
                Flow::Value(value) => {
                    let value = path.json(&value).ok_or_else(|| wrong_type(path))?;
                    wishes.push(wish(attribute, path, value));
                }
                Flow::Unique(candidates) => {
                    let first = candidates.values.first().map_or("", String::as_str);
                    let value = path.json(&first.into()).ok_or_else(|| wrong_type(path))?;
                    wishes.push(Wish { unique: Some(candidates), ..wish(attribute, path, value) });
                }
            }
        }
        Ok(Desired::Values(wishes))
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

fn wish<'p>(attribute: &AttributeMapping, path: &'p TargetPath, value: Value) -> Wish<'p> {
    Wish {
        path,
        value,
        unique: None,
        redacted: attribute.source.is_redacted(),
        always: attribute.flow_behavior == FlowBehavior::FlowAlways,
        flow_type: attribute.flow_type,
    }
}

fn is_direct(attribute: &AttributeMapping, source: &str) -> bool {
    matches!(&attribute.source, MappingSource::Attribute(name) if name == source)
}

fn is_reference(attribute: &AttributeMapping) -> bool {
    REFERENCES.iter().any(|name| is_direct(attribute, name))
}

/// Whether a mapping switches accounts off.
pub fn has_soft_delete(mapping: &ObjectMapping) -> bool {
    mapping.attributes.iter().any(reads_is_soft_deleted)
}

fn reads_is_soft_deleted(attribute: &AttributeMapping) -> bool {
    attribute.source.attributes().contains(IS_SOFT_DELETED)
}

fn evaluation_failure(path: &TargetPath, error: &mapping::EvaluationError) -> Failure {
    Failure { code: "AttributeMappingEvaluation", reason: format!("the mapping of {} failed: {error}", path.text()) }
}

fn missing(path: &TargetPath) -> Failure {
    let reason = format!(
        "{} is required and the source object gives it no value; fill the source attribute or set a default",
        path.text()
    );
    Failure { code: "MandatoryFieldsMissing", reason }
}

fn wrong_type(path: &TargetPath) -> Failure {
    let reason = format!("{} cannot take the mapped value: it has another type or takes a single value", path.text());
    Failure { code: "SchemaPropertyCanOnlyAcceptValue", reason }
}

/// One difference between what an account holds and what it should hold.
#[derive(Clone, Debug)]
pub struct Difference<'p> {
    /// Where.
    pub path: &'p TargetPath,
    /// What the target holds.
    pub before: Option<Value>,
    /// What it should hold; `None` removes the value.
    pub after: Option<Value>,
    /// Whether logs must not show the values.
    pub redacted: bool,
    /// Whether `after` are elements that join those which are held, rather than all there are to be.
    pub joins: bool,
    /// Whether brackets choose an element that the target does not have yet.
    pub needs_element: bool,
}

/// The smallest set of changes that makes an account hold what it should.
pub fn differences<'p>(wishes: Vec<Wish<'p>>, held: &Map<String, Value>) -> Vec<Difference<'p>> {
    let mut differences = Vec::new();
    for wish in wishes {
        let before = wish.path.read(held);
        let Some(Change { after, joins }) = change(&wish, before) else { continue };
        differences.push(Difference {
            path: wish.path,
            // What joins takes nobody's place: the operation is an add in every dialect (RFC 7644 §3.5.2.1).
            before: before.filter(|_| !joins).cloned(),
            after,
            redacted: wish.redacted,
            joins,
            needs_element: wish.path.needs_element(held),
        });
    }
    differences
}

/// What a wish changes.
struct Change {
    after: Option<Value>,
    joins: bool,
}

/// What becomes of what is held; `None` where it stays.
fn change(wish: &Wish<'_>, before: Option<&Value>) -> Option<Change> {
    let is_held = |after: &Value| !wish.always && before.is_some_and(|before| wish.path.same(before, after));
    match (wish.flow_type, &wish.value) {
        (_, Value::Null) => before.map(|_| Change { after: None, joins: false }),
        (FlowType::MultiValueAddOnly | FlowType::ValueAddOnly, Value::Array(wanted)) => {
            let missing = joining(before, wanted.clone(), wish.always);
            (!missing.is_empty()).then_some(Change { after: Some(Value::Array(missing)), joins: true })
        }
        (FlowType::AttributeAddOnly | FlowType::ValueAddOnly, _) if before.is_some() => None,
        (_, value) => (!is_held(value)).then(|| Change { after: Some(value.clone()), joins: false }),
    }
}

/// The elements that are added to those held: the missing ones, or all of them where they are written always.
fn joining(held: Option<&Value>, mut wanted: Vec<Value>, always: bool) -> Vec<Value> {
    if let (Some(Value::Array(held)), false) = (held, always) {
        wanted.retain(|wanted| !has_element(held, wanted));
    }
    wanted
}

/// The attributes of a new account.
pub fn new_account(wishes: &[Wish<'_>]) -> Map<String, Value> {
    let mut account = Map::new();
    for wish in wishes {
        if !wish.value.is_null() {
            wish.path.write(&mut account, wish.value.clone());
        }
    }
    account
}

/// A fingerprint of what an account should hold: equal values have equal fingerprints (64-bit FNV-1a).
pub fn fingerprint(wishes: &[Wish<'_>], references: &[String]) -> i64 {
    const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let mut hash = BASIS;
    let mut add = |text: &str| {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    };
    for wish in wishes {
        add(wish.path.text());
        add(&wish.value.to_string());
    }
    for reference in references {
        add(reference);
    }
    hash.cast_signed()
}
