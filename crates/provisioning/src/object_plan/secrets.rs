//! What the mappings of an object keep secret, because it is under `Redact` or for an attribute that a target never tells, wherever else it
//! would show.

use mapping::schema::AttributeDefinition;
use mapping::{AttributeMapping, MappingSource, ObjectMapping, Outcome, Source, Value, World};

use crate::redaction::Redacted;
use crate::target_path::{AttributeList, TargetPath};

/// What any mapping of an object type keeps secret, so that what is told of the others does not show it.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The sources with something in them that is secret.
    whole: Vec<MappingSource>,
    /// What of these is secret: what stands in their calls of `Redact`, and everything that makes the value of an attribute which a target
    /// never tells.
    inner: Vec<MappingSource>,
    /// What such attributes get where their source gives nothing.
    defaults: Vec<String>,
}

/// Whether what a mapping makes of an object is secret: it says so itself, or the target never tells it, as a password.
pub fn is_kept_secret(attribute: &AttributeMapping, path: &TargetPath) -> bool {
    attribute.source.is_redacted() || path.is_write_only()
}

impl Secrets {
    /// Those of an object mapping whose target has told what its attributes are.
    pub fn of(mapping: &ObjectMapping, told: &[AttributeDefinition]) -> Self {
        let object = mapping.target_object;
        let list = AttributeList::new(object, &mapping.target_attributes, told);
        let mut secrets = Self::default();
        for attribute in &mapping.attributes {
            let source = &attribute.source;
            let path = TargetPath::parse_by(&attribute.target, object, &list);
            if path.is_ok_and(|path| path.is_write_only()) {
                secrets.whole.push(source.clone());
                secrets.inner.push(source.clone());
                secrets.defaults.extend(attribute.default_value.clone());
            } else if source.is_redacted() {
                secrets.whole.push(source.clone());
                secrets.inner.extend(source.redacted().into_iter().map(MappingSource::from));
            }
        }
        secrets
    }

    /// Whether there are any.
    pub const fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    /// Whether what this attribute of the source object holds is secret.
    pub fn hold(&self, attribute: &str) -> bool {
        self.inner.iter().any(|inner| inner.attributes().contains(attribute))
    }

    /// Whether what a mapping yields is secret: it says so itself, or it reads what another one keeps secret.
    pub fn are_shown_by(&self, source: &MappingSource) -> bool {
        source.is_redacted() || source.attributes().into_iter().any(|attribute| self.hold(attribute))
    }

    /// The texts that are secret of one object.
    pub fn texts(&self, source: &dyn Source, world: &World<'_>) -> Redacted {
        let whole = self.whole.iter().map(|whole| whole.evaluate(source, world));
        let inner = self.inner.iter().map(|inner| inner.evaluate(source, world));
        let yielded = whole.chain(inner).flat_map(|outcome| match outcome {
            Ok(Outcome::Value(value)) => texts(value),
            Ok(Outcome::Unique(candidates)) => candidates.values,
            Ok(Outcome::DropAttribute | Outcome::DropObject) | Err(_) => Vec::new(),
        });
        let read = self.inner.iter().flat_map(MappingSource::attributes).flat_map(|name| texts(source.attribute(name)));
        Redacted::of_texts(yielded.chain(read).chain(self.defaults.iter().cloned()))
    }
}

fn texts(value: Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Text(text) => vec![text],
        Value::List(texts) => texts,
    }
}
