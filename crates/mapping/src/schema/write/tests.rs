//! Laws of writing and reading: nothing is lost on the way out and back, and what is not touched stays as it was.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::read::{Imported, read};
use super::super::{AttributeDefinition, standard};
use super::*;
use crate::attribute_mapping::{AttributeMapping, MappingSource};
use crate::expression::Language;
use crate::scoping::{Clause, FilterGroup, FilterOperator, RegexMode, ScopingFilters};

fn names() -> Names {
    Names {
        schema_id: "job-1".into(),
        rule_id: "rule-1".into(),
        source_directory_id: "source-1".into(),
        target_directory_id: "target-1".into(),
        source_directory: SOURCE_DIRECTORY.into(),
        target_directory: TARGET_DIRECTORY.into(),
    }
}

/// Targets that RFC 7643 defines, so that no entry of the attribute list is needed.
const TARGETS: [&str; 6] = [
    "userName",
    "title",
    "emails[type eq \"work\"].value",
    "active",
    "externalId",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
];
const SOURCES: [&str; 8] = [
    "",
    "[mail]",
    "\"x\"",
    "Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")",
    "Replace([a], , \"x+\", , \"$0\")",
    "IIF([a] <> \"1\", IgnoreAttributeFlow, Mid([b], 1, 2))",
    "Trim([c])",
    "[emails[type eq \"work\"].value]",
];

fn attributes() -> impl Strategy<Value = Vec<AttributeMapping>> {
    let one =
        (prop::sample::select(SOURCES.to_vec()), 0_u32..3, 0_usize..5, prop::option::of("[x]?"), any::<[bool; 3]>());
    let mapping = one.prop_map(|(source, matching_priority, flow, default_value, [always, required, clears])| {
        let source = if source.is_empty() {
            Ok(MappingSource::None)
        } else {
            MappingSource::parse_with(source, Language::EXTENDED)
        };
        AttributeMapping {
            source: source.unwrap(),
            matching_priority,
            default_value,
            flow_type: read::FLOW_TYPES[flow].1,
            flow_behavior: read::FLOW_BEHAVIORS[usize::from(always)].1,
            required,
            // What objects are matched by, or need, is never cleared.
            flow_null_values: clears && !required && matching_priority == 0,
            ..AttributeMapping::default()
        }
    });
    let targets = prop::sample::subsequence(TARGETS.to_vec(), 0..=TARGETS.len()).prop_shuffle();
    (prop::collection::vec(mapping, TARGETS.len()), targets).prop_map(|(mappings, targets)| {
        let with_target =
            |(mapping, target): (AttributeMapping, &str)| AttributeMapping { target: target.to_owned(), ..mapping };
        mappings.into_iter().zip(targets).map(with_target).collect()
    })
}

fn filters() -> impl Strategy<Value = ScopingFilters> {
    let operators: Vec<FilterOperator> = FilterOperator::all().collect();
    // A number fits every operator that takes a value, but dates and groups.
    let clause =
        ("[ab]", prop::sample::select(operators), "[0-9]").prop_filter_map("fits", |(attribute, operator, value)| {
            Clause::new(attribute, operator, operator.takes_value().then_some(value), RegexMode::Search).ok()
        });
    let group =
        ("[FG]?", prop::collection::vec(clause, 0..3)).prop_map(|(name, clauses)| FilterGroup { name, clauses });
    prop::collection::vec(group, 0..3).prop_map(ScopingFilters)
}

/// Entries of the attribute list that say something.
fn list(object: ObjectType) -> impl Strategy<Value = Vec<AttributeDefinition>> {
    let names = vec!["title", "externalId", "urn:x:custom", "members", "roles"];
    let entry =
        (any::<[bool; 4]>(), prop::sample::select(vec!["String", "Integer", "Reference"]), prop::option::of("[d]?"));
    let entry = entry.prop_map(|([multivalued, case_exact, read_only, points], kind, default)| {
        json!({"type": kind, "multivalued": multivalued, "caseExact": case_exact,
            "mutability": if read_only { "ReadOnly" } else { "ReadWrite" }, "defaultValue": default,
            "referencedObjects": if points { json!([{"referencedObjectName": "User"}]) } else { json!([]) }})
    });
    let names = prop::sample::subsequence(names, 0..4).prop_shuffle();
    (prop::collection::vec(entry, 4), names).prop_map(move |(entries, names)| {
        let list = entries.into_iter().zip(names).map(|(mut entry, name)| {
            entry["name"] = json!(name);
            serde_json::from_value::<AttributeDefinition>(entry).unwrap()
        });
        list.filter(|one| standard::of_target(object, &one.name).is_none_or(|standard| standard != *one)).collect()
    })
}

fn object(object: ObjectType) -> impl Strategy<Value = ObjectMapping> {
    let nulls = prop::collection::btree_set("mail|a|c", 0..3);
    let switches = any::<[bool; 4]>();
    (attributes(), filters(), filters(), filters(), list(object), nulls, switches).prop_map(
        move |(mut attributes, scoping, input_filters, category_filters, mut target_attributes, nulls, switches)| {
            // A mapping and the entry of its target say the same about `required`.
            for mapping in &mut attributes {
                let entry = target_attributes.iter_mut().find(|entry| entry.name == mapping.target);
                if let Some(entry) = entry {
                    entry.required = mapping.required;
                }
            }
            ObjectMapping {
                source_object: object,
                target_object: object,
                enabled: switches[0],
                flow_types: FlowTypes { create: switches[1], update: switches[2], delete: switches[3] },
                scoping,
                input_filters,
                category_filters,
                // Groups have few attributes of the RFC, so what is mapped is listed.
                target_attributes: if object == ObjectType::Group {
                    listed(target_attributes, &attributes)
                } else {
                    target_attributes
                },
                flow_null_values: nulls,
                extensions: attributes.iter().any(|mapping| mapping.source.extension().is_some()),
                attributes,
            }
        },
    )
}

fn listed(mut list: Vec<AttributeDefinition>, attributes: &[AttributeMapping]) -> Vec<AttributeDefinition> {
    for mapping in attributes {
        let is_known = standard::of_target(ObjectType::Group, &mapping.target).is_some();
        if !is_known && !list.iter().any(|entry| entry.name == mapping.target) {
            let text = standard::or_text(ObjectType::Group, &mapping.target);
            list.push(AttributeDefinition { required: mapping.required, ..text });
        }
    }
    list
}

fn objects() -> impl Strategy<Value = Vec<ObjectMapping>> {
    (prop::option::of(object(ObjectType::User)), prop::option::of(object(ObjectType::Group)))
        .prop_map(|(users, groups)| users.into_iter().chain(groups).collect())
}

/// The attribute list in order of names, and without entries that say nothing: neither changes what the mapping does.
fn in_order(mut objects: Vec<ObjectMapping>) -> Vec<ObjectMapping> {
    objects.sort_by_key(|mapping| mapping.source_object);
    for mapping in &mut objects {
        let object = mapping.source_object;
        mapping.target_attributes.sort_by(|one, other| one.name.cmp(&other.name));
        let required = |name: &str| mapping.attributes.iter().find(|one| one.target == name).map(|one| one.required);
        mapping.target_attributes.retain(|one| {
            let required = required(&one.name).unwrap_or_default();
            *one != AttributeDefinition { required, ..standard::or_text(object, &one.name) }
        });
    }
    objects
}

fn json_of(document: &Document) -> Value {
    serde_json::to_value(document).unwrap()
}

/// Adds what Lockstep does not know to every object and list that may have it.
fn with_unknown(json: &mut Value) {
    match json {
        Value::Object(members) => {
            members.values_mut().for_each(with_unknown);
            members.insert("@lockstep.test".to_owned(), json!({"kept": true}));
        }
        Value::Array(items) => items.iter_mut().for_each(with_unknown),
        _ => {}
    }
}

proptest! {
    // A case is several whole documents.
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_is_written_is_read_back(objects in objects()) {
        let exported = write(None, &objects, &names());
        let text = exported.document.to_text();
        let document = Document::parse(text.as_bytes()).unwrap();
        prop_assert_eq!(&document, &exported.document);
        prop_assert_eq!(read(&document).objects, objects);
    }

    #[test]
    fn what_is_not_changed_stays_equal_json(objects in objects()) {
        let mut json = json_of(&write(None, &objects, &names()).document);
        with_unknown(&mut json);
        let base = Document::from_json(json.clone()).unwrap();
        let Imported { objects, .. } = read(&base);
        prop_assert_eq!(json_of(&write(Some(&base), &objects, &names()).document), json);
    }

    #[test]
    fn any_change_arrives(before in objects(), after in objects()) {
        let mut json = json_of(&write(None, &before, &names()).document);
        with_unknown(&mut json);
        let base = Document::from_json(json).unwrap();
        let changed = write(Some(&base), &after, &names()).document;
        prop_assert_eq!(in_order(read(&changed).objects), in_order(after.clone()));
        prop_assert_eq!(write(Some(&changed), &read(&changed).objects, &names()).document, changed);
    }
}
