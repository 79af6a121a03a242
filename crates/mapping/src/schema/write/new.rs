//! Parts of a document that are new, with all members that Microsoft Graph has.

use serde_json::Value;

use super::super::definitions;
use super::super::document::{
    AttributeMappingEntry, ClauseEntry, Directory, GroupEntry, KeyValue, Member, ObjectDefinition, ObjectMappingEntry,
    OperandEntry, Rule, Schema, Scope,
};
use super::super::read::{FLOW_BEHAVIORS, FLOW_TYPES};
use super::super::source;
use super::super::standard::{self, SOURCE_ANCHOR, TARGET_ANCHOR};
use super::flow_types;
use crate::attribute_mapping::{AttributeMapping, FlowBehavior, FlowType};
use crate::object_mapping::{ObjectMapping, ObjectType};
use crate::scoping::{Clause, FilterGroup, RegexMode, ScopingFilters};

/// The name of Entra's directory in documents.
pub const SOURCE_DIRECTORY: &str = "Azure Active Directory";
/// The name of a SCIM application that is in no gallery.
pub const TARGET_DIRECTORY: &str = "customappsso";

/// Ids and names of a document that is made anew. Where ids come from is the caller's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The id of the schema, which is the job's or the template's.
    pub schema_id: String,
    /// The id of the synchronization rule.
    pub rule_id: String,
    /// The id of the source directory.
    pub source_directory_id: String,
    /// The id of the target directory.
    pub target_directory_id: String,
    /// The name of the source directory; Entra's own is [`SOURCE_DIRECTORY`].
    pub source_directory: String,
    /// The name of the target directory, such as [`TARGET_DIRECTORY`].
    pub target_directory: String,
}

/// Metadata of an object mapping as Entra sets it.
const METADATA: [(&str, &str); 6] = [
    ("EscrowBehavior", "\"Default\""),
    ("DisableMonitoringForChanges", "false"),
    ("Disposition", "\"Normal\""),
    ("IsCustomerDefined", "false"),
    ("ExcludeFromReporting", "false"),
    ("Unsynchronized", "false"),
];

pub(super) fn schema(names: &Names) -> Schema {
    let directories = vec![
        directory(&names.source_directory_id, &names.source_directory),
        directory(&names.target_directory_id, &names.target_directory),
    ];
    Schema {
        id: names.schema_id.as_str().into(),
        version: "v1".into(),
        directories: directories.into(),
        synchronization_rules: vec![rule(names)].into(),
        ..Schema::default()
    }
}

pub(super) fn directory(id: &str, name: &str) -> Directory {
    Directory {
        id: id.into(),
        name: name.into(),
        discoverabilities: "AttributeNames".into(),
        discovery_date_time: Member::Null,
        read_only: false.into(),
        version: "v1".into(),
        objects: Vec::new().into(),
        ..Directory::default()
    }
}

pub(super) fn rule(names: &Names) -> Rule {
    Rule {
        id: names.rule_id.as_str().into(),
        name: "USER_OUTBOUND_USER".into(),
        editable: true.into(),
        priority: 1.into(),
        group_filter: Member::Null,
        container_filter: Member::Null,
        source_directory_name: names.source_directory.as_str().into(),
        target_directory_name: names.target_directory.as_str().into(),
        metadata: Vec::new().into(),
        object_mappings: Vec::new().into(),
        ..Rule::default()
    }
}

/// An object definition with its primary key.
pub(super) fn object_definition(name: &str, object: ObjectType, is_source: bool) -> ObjectDefinition {
    let anchor = if is_source { standard::of_source(SOURCE_ANCHOR) } else { standard::or_text(object, TARGET_ANCHOR) };
    ObjectDefinition {
        name: name.into(),
        metadata: Vec::new().into(),
        attributes: vec![definitions::entry_of(&anchor)].into(),
        supported_apis: Vec::new().into(),
        ..ObjectDefinition::default()
    }
}

pub(super) fn object_mapping(mapping: &ObjectMapping) -> ObjectMappingEntry {
    let (name, source, target) = match mapping.source_object {
        ObjectType::User => ("Users", "User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"),
        ObjectType::Group => ("Groups", "Group", "urn:ietf:params:scim:schemas:core:2.0:Group"),
    };
    let setting = |(key, value): (&str, &str)| KeyValue {
        key: key.into(),
        value: Member::Given(Value::from(value)),
        ..KeyValue::default()
    };
    let is_filtered =
        [&mapping.scoping, &mapping.input_filters, &mapping.category_filters].iter().any(|one| !one.is_empty());
    ObjectMappingEntry {
        name: format!("Provision Azure Active Directory {name}").into(),
        enabled: mapping.enabled.into(),
        flow_types: flow_types(mapping.flow_types).into(),
        source_object_name: source.into(),
        target_object_name: target.into(),
        scope: if is_filtered { Member::Given(scope(mapping)) } else { Member::Null },
        metadata: METADATA.map(setting).to_vec().into(),
        attribute_mappings: mapping.attributes.iter().map(attribute).collect::<Vec<_>>().into(),
        ..ObjectMappingEntry::default()
    }
}

/// A scope that everyone is in.
pub(super) fn no_scope() -> Scope {
    let none = || Member::Given(Vec::new());
    Scope { groups: none(), input_filter_groups: none(), category_filter_groups: none(), ..Scope::default() }
}

fn scope(mapping: &ObjectMapping) -> Scope {
    let groups = |filters: &ScopingFilters| Member::Given(filters.0.iter().map(group).collect());
    Scope {
        groups: groups(&mapping.scoping),
        input_filter_groups: groups(&mapping.input_filters),
        category_filter_groups: groups(&mapping.category_filters),
        ..Scope::default()
    }
}

pub(super) fn group(group: &FilterGroup) -> GroupEntry {
    let clauses: Vec<ClauseEntry> = group.clauses.iter().map(clause).collect();
    GroupEntry { name: group.name.as_str().into(), clauses: clauses.into(), ..GroupEntry::default() }
}

/// A clause; what asks for the whole value says so in its pattern, because Graph has no other place for it.
pub(super) fn clause(clause: &Clause) -> ClauseEntry {
    let value = clause.value().map(|value| match clause.regex_mode() {
        RegexMode::Search => value.to_owned(),
        RegexMode::Full => format!("^(?:{value})$"),
    });
    let values: Vec<String> = value.into_iter().collect();
    ClauseEntry {
        source_operand_name: clause.attribute().into(),
        operator_name: clause.operator().to_string().into(),
        target_operand: OperandEntry { values: values.into(), ..OperandEntry::default() }.into(),
        ..ClauseEntry::default()
    }
}

pub(super) fn attribute(mapping: &AttributeMapping) -> AttributeMappingEntry {
    AttributeMappingEntry {
        target_attribute_name: mapping.target.as_str().into(),
        default_value: mapping.default_value.clone().into(),
        export_missing_references: false.into(),
        flow_behavior: flow_behavior(mapping.flow_behavior).into(),
        flow_type: flow_type(mapping.flow_type).into(),
        matching_priority: i64::from(mapping.matching_priority).into(),
        source: source::write(&mapping.source),
        ..AttributeMappingEntry::default()
    }
}

pub(super) fn flow_type(flow_type: FlowType) -> &'static str {
    FLOW_TYPES.iter().find(|(_, one)| *one == flow_type).map_or("Always", |(word, _)| word)
}

pub(super) fn flow_behavior(flow_behavior: FlowBehavior) -> &'static str {
    FLOW_BEHAVIORS.iter().find(|(_, one)| *one == flow_behavior).map_or("FlowWhenChanged", |(word, _)| word)
}
