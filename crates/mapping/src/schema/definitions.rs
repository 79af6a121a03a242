//! Attribute definitions: Graph's entry and ours, and back.

use super::definition::{AttributeDefinition, AttributeType, Mutability, ReferencedObject};
use super::document::{AttributeEntry, Directory, Member, ObjectDefinition, ReferencedObjectEntry, Schema};

/// The words of Graph's `attributeType`.
const TYPES: [(&str, AttributeType); 6] = [
    ("String", AttributeType::String),
    ("Integer", AttributeType::Integer),
    ("Reference", AttributeType::Reference),
    ("Binary", AttributeType::Binary),
    ("Boolean", AttributeType::Boolean),
    ("DateTime", AttributeType::DateTime),
];

/// The words of Graph's `mutability`.
const MUTABILITIES: [(&str, Mutability); 4] = [
    ("ReadWrite", Mutability::ReadWrite),
    ("ReadOnly", Mutability::ReadOnly),
    ("Immutable", Mutability::Immutable),
    ("WriteOnly", Mutability::WriteOnly),
];

/// Where in a list stands what has this name: exactly so, or but for the case.
fn index_named<T>(items: &[T], name: &str, name_of: impl Fn(&T) -> &str) -> Option<usize> {
    let exact = items.iter().position(|item| name_of(item) == name);
    exact.or_else(|| items.iter().position(|item| name_of(item).eq_ignore_ascii_case(name)))
}

/// Where the directory of that name stands.
pub(super) fn directory_index(schema: &Schema, name: &str) -> Option<usize> {
    index_named(schema.directories.items(), name, |directory: &Directory| directory.name.text())
}

/// The place of a directory's object definition: its index among the directories, and among their objects.
pub(super) fn place_of(schema: &Schema, directory: &str, object: &str) -> Option<(usize, usize)> {
    let index = directory_index(schema, directory)?;
    let objects = schema.directories.items()[index].objects.items();
    Some((index, index_named(objects, object, |object: &ObjectDefinition| object.name.text())?))
}

/// The object definition of that name.
pub(super) fn object<'a>(schema: &'a Schema, directory: &str, object: &str) -> Option<&'a ObjectDefinition> {
    let (directory, object) = place_of(schema, directory, object)?;
    Some(&schema.directories.items()[directory].objects.items()[object])
}

/// Where in a list stands the attribute of this name.
pub(super) fn attribute_index(entries: &[AttributeEntry], name: &str) -> Option<usize> {
    index_named(entries, name, |entry: &AttributeEntry| entry.name.text())
}

/// What an entry says, and what of it is not understood.
pub(super) fn read(entry: &AttributeEntry) -> (AttributeDefinition, Vec<String>) {
    let mut odd = Vec::new();
    let referenced = entry.referenced_objects.items().iter().filter_map(|referenced| {
        let referenced_object_name = referenced.referenced_object_name.given()?.clone();
        let referenced_property = referenced.referenced_property.given().cloned();
        Some(ReferencedObject { referenced_object_name, referenced_property })
    });
    let is = |flag: &Member<bool>| flag.given().copied().unwrap_or_default();
    let definition = AttributeDefinition {
        name: entry.name.text().to_owned(),
        kind: word(&TYPES, &entry.kind, "type", "text", &mut odd),
        multivalued: is(&entry.multivalued),
        case_exact: is(&entry.case_exact),
        required: is(&entry.required),
        mutability: word(&MUTABILITIES, &entry.mutability, "mutability", "read and written", &mut odd),
        anchor: is(&entry.anchor),
        default_value: entry.default_value.given().cloned(),
        referenced_objects: referenced.collect(),
    };
    (definition, odd)
}

fn word<T: Copy + Default>(
    known: &[(&str, T)],
    member: &Member<String>,
    name: &str,
    instead: &str,
    odd: &mut Vec<String>,
) -> T {
    let text = member.text();
    match known.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        Some((_, value)) => *value,
        None if text.is_empty() => T::default(),
        None => {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            odd.push(format!("its {name} `{text}` is none of {}; it is taken as {instead}", words.join(", ")));
            T::default()
        }
    }
}

/// A new entry with all members that Graph has.
pub(super) fn entry_of(definition: &AttributeDefinition) -> AttributeEntry {
    let mut entry = AttributeEntry {
        flow_null_values: false.into(),
        metadata: Vec::new().into(),
        api_expressions: Vec::new().into(),
        ..AttributeEntry::default()
    };
    edit(&mut entry, definition);
    entry
}

/// Makes an entry say what the definition says. What it says already stays as it is written.
pub(super) fn edit(entry: &mut AttributeEntry, definition: &AttributeDefinition) {
    let (now, _) = read(entry);
    let is_new = |member: &Member<String>| *member == Member::Absent;
    let told = |kind: AttributeType| TYPES.iter().find(|(_, one)| *one == kind).map_or("String", |(word, _)| word);
    if entry.name.text() != definition.name {
        entry.name = definition.name.as_str().into();
    }
    if now.kind != definition.kind || is_new(&entry.kind) {
        entry.kind = told(definition.kind).into();
    }
    if now.mutability != definition.mutability || is_new(&entry.mutability) {
        let word = MUTABILITIES.iter().find(|(_, one)| *one == definition.mutability);
        entry.mutability = word.map_or("ReadWrite", |(word, _)| word).into();
    }
    if now.default_value != definition.default_value || is_new(&entry.default_value) {
        entry.default_value = definition.default_value.clone().into();
    }
    for (flag, value) in [
        (&mut entry.multivalued, definition.multivalued),
        (&mut entry.case_exact, definition.case_exact),
        (&mut entry.required, definition.required),
        (&mut entry.anchor, definition.anchor),
    ] {
        set(flag, value);
    }
    if now.referenced_objects != definition.referenced_objects || entry.referenced_objects == Member::Absent {
        entry.referenced_objects = Member::Given(definition.referenced_objects.iter().map(referenced_of).collect());
    }
}

/// Sets a flag, unless it says so already.
pub(super) fn set(flag: &mut Member<bool>, value: bool) {
    if *flag == Member::Absent || flag.given().copied().unwrap_or_default() != value {
        *flag = Member::Given(value);
    }
}

fn referenced_of(object: &ReferencedObject) -> ReferencedObjectEntry {
    ReferencedObjectEntry {
        referenced_object_name: object.referenced_object_name.as_str().into(),
        referenced_property: object.referenced_property.clone().into(),
        ..ReferencedObjectEntry::default()
    }
}
