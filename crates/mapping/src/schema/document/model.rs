//! The objects of a synchronization schema, as Microsoft Graph names them. Words of enumerations stay text, because Graph adds to
//! them; `read` says which are understood.

use serde_json::Value;

use super::json::{Json, Reader, object};
use super::member::Member;

object! {
    /// The whole (Graph `synchronizationSchema`).
    Schema("a synchronization schema", at most 1) {
        /// The job's or template's id.
        id: String = "id",
        /// Which version of the schema.
        version: String = "version",
        /// What there is on both sides.
        directories: Vec<Directory> = "directories",
        /// What flows between them.
        synchronization_rules: Vec<Rule> = "synchronizationRules",
    }
}

object! {
    /// One side (Graph `directoryDefinition`).
    Directory("a directory definition", at most 50) {
        /// Its id.
        id: String = "id",
        /// Its name, by which rules refer to it.
        name: String = "name",
        /// What discovery can find out, words with commas.
        discoverabilities: String = "discoverabilities",
        /// When discovery ran.
        discovery_date_time: String = "discoveryDateTime",
        /// Nothing is written to it.
        read_only: bool = "readOnly",
        /// Which version of the definition.
        version: String = "version",
        /// The kinds of object.
        objects: Vec<ObjectDefinition> = "objects",
    }
}

object! {
    /// A kind of object (Graph `objectDefinition`).
    ObjectDefinition("an object definition", at most 500) {
        /// Its name, by which object mappings refer to it.
        name: String = "name",
        /// Settings of the connector.
        metadata: Vec<KeyValue> = "metadata",
        /// What an object has.
        attributes: Vec<AttributeEntry> = "attributes",
        /// What the connector calls.
        supported_apis: Vec<Value> = "supportedApis",
    }
}

object! {
    /// An attribute (Graph `attributeDefinition`).
    AttributeEntry("an attribute definition", at most 5_000) {
        /// Its name.
        name: String = "name",
        /// String, Integer, Reference, Binary, Boolean or DateTime.
        kind: String = "type",
        /// The primary key.
        anchor: bool = "anchor",
        /// Case counts.
        case_exact: bool = "caseExact",
        /// What a required attribute gets when it would be empty.
        default_value: String = "defaultValue",
        /// An empty value may flow.
        flow_null_values: bool = "flowNullValues",
        /// Several values.
        multivalued: bool = "multivalued",
        /// ReadWrite, ReadOnly, Immutable or WriteOnly.
        mutability: String = "mutability",
        /// No object without it.
        required: bool = "required",
        /// Settings of the connector.
        metadata: Vec<KeyValue> = "metadata",
        /// Where the connector finds it.
        api_expressions: Vec<Value> = "apiExpressions",
        /// What a reference points at.
        referenced_objects: Vec<ReferencedObjectEntry> = "referencedObjects",
    }
}

object! {
    /// What a reference points at (Graph `referencedObject`).
    ReferencedObjectEntry("a referenced object", at most 100) {
        /// The object definition.
        referenced_object_name: String = "referencedObjectName",
        /// Its attribute; the primary key where there is none.
        referenced_property: String = "referencedProperty",
    }
}

object! {
    /// A setting.
    KeyValue("a key and a value", at most 1_000) {
        /// Which.
        key: String = "key",
        /// Text, often JSON inside.
        value: Value = "value",
    }
}

object! {
    /// What flows from one directory to another (Graph `synchronizationRule`).
    Rule("a synchronization rule", at most 100) {
        /// Its id.
        id: String = "id",
        /// Its name.
        name: String = "name",
        /// Whether it may be changed.
        editable: bool = "editable",
        /// The lowest comes first.
        priority: i64 = "priority",
        /// Only members of these groups.
        group_filter: Value = "groupFilter",
        /// Only objects in these containers.
        container_filter: Value = "containerFilter",
        /// From where.
        source_directory_name: String = "sourceDirectoryName",
        /// To where.
        target_directory_name: String = "targetDirectoryName",
        /// Settings.
        metadata: Vec<KeyValue> = "metadata",
        /// One for each kind of object.
        object_mappings: Vec<ObjectMappingEntry> = "objectMappings",
    }
}

object! {
    /// How one kind of object becomes another (Graph `objectMapping`).
    ObjectMappingEntry("an object mapping", at most 100) {
        /// Its name.
        name: String = "name",
        /// Off: none of these objects flow.
        enabled: bool = "enabled",
        /// Add, Update and Delete, with commas.
        flow_types: String = "flowTypes",
        /// The source's object definition.
        source_object_name: String = "sourceObjectName",
        /// The target's object definition.
        target_object_name: String = "targetObjectName",
        /// Who is in scope.
        scope: Scope = "scope",
        /// Settings.
        metadata: Vec<KeyValue> = "metadata",
        /// One for each target attribute.
        attribute_mappings: Vec<AttributeMappingEntry> = "attributeMappings",
    }
}

object! {
    /// The filters of an object mapping (Graph `filter`).
    Scope("a filter", at most 1) {
        /// Who leaves these is deprovisioned.
        groups: Vec<GroupEntry> = "groups",
        /// Who fails these is not read.
        input_filter_groups: Vec<GroupEntry> = "inputFilterGroups",
        /// Who fails these is not this mapping's.
        category_filter_groups: Vec<GroupEntry> = "categoryFilterGroups",
    }
}

object! {
    /// Clauses that must all hold (Graph `filterGroup`).
    GroupEntry("a filter group", at most 500) {
        /// Its title.
        name: String = "name",
        /// The clauses.
        clauses: Vec<ClauseEntry> = "clauses",
    }
}

object! {
    /// A condition (Graph `filterClause`).
    ClauseEntry("a filter clause", at most 500) {
        /// The source attribute.
        source_operand_name: String = "sourceOperandName",
        /// How it is compared.
        operator_name: String = "operatorName",
        /// With what.
        target_operand: OperandEntry = "targetOperand",
    }
}

object! {
    /// What a clause compares with (Graph `filterOperand`).
    OperandEntry("an operand", at most 1) {
        /// The values.
        values: Vec<String> = "values",
    }
}

object! {
    /// How one target attribute is made (Graph `attributeMapping`).
    AttributeMappingEntry("an attribute mapping", at most 1_000) {
        /// The target attribute.
        target_attribute_name: String = "targetAttributeName",
        /// What it gets when the source is empty.
        default_value: String = "defaultValue",
        /// Kept as it is.
        export_missing_references: bool = "exportMissingReferences",
        /// `FlowWhenChanged` or `FlowAlways`.
        flow_behavior: String = "flowBehavior",
        /// `Always`, `ObjectAddOnly`, `MultiValueAddOnly`, `ValueAddOnly` or `AttributeAddOnly`.
        flow_type: String = "flowType",
        /// Above 0: objects are matched by it.
        matching_priority: i64 = "matchingPriority",
        /// Where the value comes from.
        source: SourceEntry = "source",
    }
}

object! {
    /// Where a value comes from (Graph `attributeMappingSource`): an expression as text, and as a tree.
    SourceEntry("a source", at most 1) {
        /// Attribute, Constant or Function.
        kind: String = "type",
        /// The expression.
        expression: String = "expression",
        /// The attribute's or function's name, or the constant itself.
        name: String = "name",
        /// The arguments of a function, by the names of its parameters; those that are left out are not here.
        parameters: Vec<ParameterEntry> = "parameters",
    }
}

object! {
    /// An argument of a function.
    ParameterEntry("a parameter", at most 1_024) {
        /// The parameter's name.
        key: String = "key",
        /// The argument.
        value: SourceEntry = "value",
    }
}
