//! What the mappings of an object keep secret (`Redact`), wherever else it would show.

use mapping::{Expression, MappingSource, ObjectMapping, Outcome, Source, Value, World};

use crate::redaction::Redacted;

/// What any mapping of an object type keeps secret, so that what is told of the others does not show it.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The sources with something in them that is secret.
    whole: Vec<MappingSource>,
    /// What stands in their calls of `Redact`.
    inner: Vec<Expression>,
}

impl Secrets {
    /// Those of an object mapping.
    pub fn of(mapping: &ObjectMapping) -> Self {
        let sources = mapping.attributes.iter().map(|attribute| &attribute.source);
        let whole: Vec<MappingSource> = sources.filter(|source| source.is_redacted()).cloned().collect();
        let inner = whole.iter().flat_map(MappingSource::redacted).collect();
        Self { whole, inner }
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
        let read = self.inner.iter().flat_map(Expression::attributes).flat_map(|name| texts(source.attribute(name)));
        Redacted::of_texts(yielded.chain(read))
    }
}

fn texts(value: Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Text(text) => vec![text],
        Value::List(texts) => texts,
    }
}
