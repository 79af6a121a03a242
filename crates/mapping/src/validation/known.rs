//! What is known of the attributes on both sides, and an object mapping together with it.

use std::collections::{BTreeSet, HashMap};

use super::path::TargetName;
use super::{Place, Severity, Unread};
use crate::attribute_mapping::{AttributeMapping, MappingSource};
use crate::expression::analysis::{Analysis, Possible, Shape};
use crate::object_mapping::{ObjectMapping, ObjectType};
use crate::schema::{AttributeDefinition, AttributeType};

/// What a source attribute is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceAttribute {
    /// The type of its values.
    pub kind: AttributeType,
    /// Whether its value is a list.
    pub multivalued: bool,
    /// All values that there are, where they are few.
    pub choices: Vec<String>,
}

/// What is known of both sides of an object mapping.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The source attribute of a name; `None` where nothing is known of it. That there is none is the caller's to tell.
    pub source: &'a dyn Fn(&str) -> Option<SourceAttribute>,
    /// The attributes of the target. None at all: nothing is known of them.
    pub target: &'a [AttributeDefinition],
    /// More of them, which the target itself told: what they demand is believed, and forbids nothing.
    pub told: &'a [AttributeDefinition],
    /// The URN of the schema whose attributes are also named without it.
    pub core_schema: &'a str,
    /// The URN of the extension that the attribute of a name belongs to, where it is also named without that URN.
    pub extension: &'a dyn Fn(&str) -> Option<&'static str>,
    /// Where there is no default domain, for `DefaultDomain`: how it is set. `None` where there is one.
    pub no_default_domain: Option<&'a str>,
    /// What of the object mapping could not be read.
    pub unread: &'a Unread,
}

impl std::fmt::Debug for Known<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Known")
            .field("target", &self.target)
            .field("told", &self.told)
            .field("core_schema", &self.core_schema)
            .field("no_default_domain", &self.no_default_domain)
            .field("unread", &self.unread)
            .finish_non_exhaustive()
    }
}

/// A mapping with what its source may yield and what its target is.
pub(super) struct Mapped<'a> {
    pub(super) mapping: &'a AttributeMapping,
    pub(super) name: TargetName,
    /// What it yields, and what is strange about it.
    pub(super) source: Analysis,
    /// The target, where it is known.
    pub(super) target: Option<Target<'a>>,
    /// Its source, or something else of it, could not be read.
    pub(super) is_part: bool,
    /// Something else than its source could not be read.
    pub(super) lacks_more: bool,
}

/// What is known of one target attribute.
#[derive(Clone)]
pub(super) struct Target<'a> {
    pub(super) definition: &'a AttributeDefinition,
    /// The name of one of its parts, where it is made of some.
    pub(super) part: Option<&'a str>,
    /// How bad it is not to do as it demands.
    pub(super) severity: Severity,
}

/// An object mapping and what is known.
pub(super) struct Subject<'a> {
    pub(super) mapping: &'a ObjectMapping,
    pub(super) known: &'a Known<'a>,
    pub(super) targets: Vec<(TargetName, &'a AttributeDefinition)>,
    pub(super) mapped: Vec<Mapped<'a>>,
    by_name: HashMap<TargetName, usize>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(mapping: &'a ObjectMapping, known: &'a Known<'a>) -> Self {
        let name = |text: &str| TargetName::read(text, known.core_schema).in_extension(text, known.extension);
        let all = known.target.iter().chain(known.told);
        let targets: Vec<_> = all.map(|definition| (name(&definition.name), definition)).collect();
        let mut by_name = HashMap::new();
        for (index, (name, _)) in targets.iter().enumerate() {
            by_name.entry(name.clone()).or_insert(index);
        }
        let mut subject = Self { mapping, known, targets, mapped: Vec::new(), by_name };
        let mapped = mapping.attributes.iter().filter(|mapping| !mapping.target.trim().is_empty());
        subject.mapped = mapped.map(|mapping| subject.mapped(mapping, name(&mapping.target))).collect();
        subject
    }

    fn mapped(&self, mapping: &'a AttributeMapping, name: TargetName) -> Mapped<'a> {
        let unread = self.known.unread;
        let source = if unread.lacks_source(&mapping.target) {
            Analysis { possible: Possible::anything(), notes: Vec::new() }
        } else {
            analysed(&mapping.source, &|name| self.of_source(name))
        };
        let (is_part, lacks_more) = (unread.lacks_of(&mapping.target), unread.lacks_more(&mapping.target));
        Mapped { mapping, target: self.target(&name), name, source, is_part, lacks_more }
    }

    pub(super) fn object(&self) -> ObjectType {
        self.mapping.target_object
    }

    /// The place of a mapping.
    pub(super) fn at(&self, mapped: &Mapped<'_>) -> Place {
        Place { object: Some(self.object()), target: Some(mapped.mapping.target.trim().to_owned()), ..Place::default() }
    }

    /// What is known of a target attribute: by its own name, else by that without brackets.
    fn target(&self, name: &TargetName) -> Option<Target<'a>> {
        let index = self.by_name.get(name).or_else(|| self.by_name.get(&name.without_terms()))?;
        let definition = self.targets[*index].1;
        let part = self.part_of(name).filter(|_| name.is_whole());
        Some(Target { definition, part, severity: self.severity(*index) })
    }

    /// How bad it is not to do as a known attribute demands.
    pub(super) fn severity(&self, index: usize) -> Severity {
        if index < self.known.target.len() { Severity::Problem } else { Severity::Warning }
    }

    /// The name of a part of an attribute.
    pub(super) fn part_of(&self, name: &TargetName) -> Option<&'a str> {
        let is_part = |(other, _): &&(TargetName, &AttributeDefinition)| other.is_of(name) && !other.is_whole();
        self.targets.iter().find(is_part).map(|(_, part)| part.name.as_str())
    }

    /// Whether the attribute of a name is known, whatever its parts.
    pub(super) fn knows_attribute(&self, name: &TargetName) -> bool {
        self.targets.iter().any(|(other, _)| other.is_of(name))
    }

    /// The schemas that attributes are known of.
    pub(super) fn schemas(&self) -> BTreeSet<&str> {
        self.targets.iter().map(|(name, _)| name.schema.as_str()).collect()
    }

    /// What a source attribute may be.
    pub(super) fn of_source(&self, name: &str) -> Possible {
        let Some(attribute) = (self.known.source)(name) else { return Possible::anything() };
        if attribute.multivalued {
            return Possible::list_or_null();
        }
        let single = match attribute.kind {
            _ if !attribute.choices.is_empty() => Possible::few(attribute.choices.iter().map(String::as_str)),
            AttributeType::Boolean => Possible::booleans(true, true),
            AttributeType::Integer => Possible::many(Shape::Integer, false),
            AttributeType::DateTime => Possible::many(Shape::Instant, false),
            AttributeType::Reference => Possible::many(Shape::Guid, false),
            AttributeType::String | AttributeType::Binary => Possible::many(Shape::Text, true),
        };
        single.or(Possible::null())
    }
}

/// What a source yields, where `known` says what a source attribute may be.
pub(super) fn analysed(source: &MappingSource, known: &dyn Fn(&str) -> Possible) -> Analysis {
    match source {
        MappingSource::Attribute(attribute) => Analysis { possible: known(attribute), notes: Vec::new() },
        MappingSource::Constant(text) => Analysis { possible: Possible::few([text.as_str()]), notes: Vec::new() },
        MappingSource::Expression(expression) => expression.analyse(known),
        MappingSource::None => Analysis { possible: Possible::null(), notes: Vec::new() },
    }
}

impl Mapped<'_> {
    /// Whether it writes anything: it has a source, or a default value. What could not be read of it may be either.
    pub(super) fn flows(&self) -> bool {
        self.is_part || self.mapping.source != MappingSource::None || self.has_default()
    }

    pub(super) fn has_default(&self) -> bool {
        self.mapping.default_value.as_ref().is_some_and(|text| !text.is_empty())
    }

    /// The one source attribute whose value is written as it is.
    pub(super) fn direct(&self) -> Option<&str> {
        if let MappingSource::Attribute(name) = &self.mapping.source { Some(name) } else { None }
    }
}
