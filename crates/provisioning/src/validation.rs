//! What is wrong with the mappings of a job, as `mapping::validation` finds it, by what the directory has and what a target is known to have: the
//! administrator's attribute list, RFC 7643, and what the target told.

use std::collections::HashSet;
use std::sync::LazyLock;

use mapping::schema::{AttributeDefinition, AttributeType, Mutability, ReferencedObject};
use mapping::validation::{Finding, Known, Severity, Unread, UnreadMappings, validate};
use mapping::{AttributeMapping, EvaluationError, MappingSource, ObjectMapping, ObjectType};
use scim::{Attribute, AttributePath, Kind, ResourceType};

use crate::gallery::Template;
use crate::object_plan::{has_soft_delete, switches_off};
use crate::scope::ScopeSetting;
use crate::settings::JobSettings;
use crate::source::source_attribute;
use crate::target_path::resource_type;

/// Where accounts are switched off.
pub(crate) const ACTIVE: &str = "active";
/// How a default domain is set.
const SET_DEFAULT_DOMAIN: &str = "set `default_domain` in lockstep.toml";
/// Functions of the roles that somebody is assigned.
const ROLE_FUNCTIONS: [&str; 3] =
    ["AppRoleAssignmentsComplex", "AssertiveAppRoleAssignmentsComplex", "SingleAppRoleAssignment"];

static USERS: LazyLock<Vec<AttributeDefinition>> = LazyLock::new(|| defined(&ResourceType::user()));
static GROUPS: LazyLock<Vec<AttributeDefinition>> = LazyLock::new(|| defined(&ResourceType::group()));

/// Why an expression has failed, with the cure where the installation lacks something.
pub fn why_failed(error: &EvaluationError) -> String {
    if *error == EvaluationError::NoDefaultDomain {
        format!("{error}; {SET_DEFAULT_DOMAIN}")
    } else {
        error.to_string()
    }
}

/// What mappings may use of the installation, beside the directory and the target.
#[derive(Clone, Copy, Debug)]
pub struct Installation {
    /// Whether there is a default domain, for `DefaultDomain`.
    pub has_default_domain: bool,
}

impl Installation {
    /// One of which nothing is known: nothing is held against it.
    pub const UNKNOWN: Self = Self { has_default_domain: true };
}

impl JobSettings {
    /// All that is wrong with the mappings: problems, which keep them from being saved, and warnings.
    pub fn findings(&self, installation: Installation) -> Vec<Finding> {
        self.findings_of_part(installation, &UnreadMappings::default())
    }

    /// The same of mappings of which something could not be read: all that is wrong with the rest.
    pub(crate) fn findings_of_part(&self, installation: Installation, unread: &UnreadMappings) -> Vec<Finding> {
        let nothing = Unread::default();
        let targets: Vec<_> = self.objects.iter().map(|object| (own_and_defined(object), self.told(object))).collect();
        let sources: Vec<_> = self
            .objects
            .iter()
            .map(|object| {
                let source_object = object.source_object;
                move |name: &str| source_attribute(source_object, name)
            })
            .collect();
        let extensions: Vec<_> = self
            .objects
            .iter()
            .map(|object| {
                let target_object = object.target_object;
                move |name: &str| extension(target_object, name)
            })
            .collect();
        let around = sources.iter().zip(&extensions);
        let known =
            self.objects.iter().zip(&targets).zip(around).map(|((object, (target, told)), (source, extension))| {
                let core_schema = match object.target_object {
                    ObjectType::User => scim::USER_URN,
                    ObjectType::Group => scim::GROUP_URN,
                };
                let no_default_domain = Some(SET_DEFAULT_DOMAIN).filter(|_| !installation.has_default_domain);
                let unread = unread.objects.get(&object.target_object).unwrap_or(&nothing);
                (object, Known { source, target, told, core_schema, extension, no_default_domain, unread })
            });
        let mut findings = validate(&known.collect::<Vec<_>>());
        // What seems to be missing may be among what could not be read.
        findings.retain(|finding| !unread.more || finding.place.object.is_some());
        findings
    }

    /// What an administrator should know about mappings that can be saved; each is one sentence.
    pub fn warnings(&self, template: &Template) -> Vec<String> {
        let mut warnings: Vec<String> = self
            .findings(Installation::UNKNOWN)
            .iter()
            .filter(|finding| finding.severity == Severity::Warning)
            .map(ToString::to_string)
            .collect();
        let roles = self
            .objects
            .iter()
            .flat_map(|object| &object.attributes)
            .find(|mapping| ROLE_FUNCTIONS.iter().any(|function| mapping.source.uses_function(function)));
        if let Some(mapping) = roles.filter(|_| self.plain.scope == ScopeSetting::All) {
            warnings.push(format!(
                "`{}` of users: it writes assigned roles, and with the scope `all` most people have none; set the scope to `assigned`",
                mapping.target
            ));
        }
        warnings.extend(self.objects.iter().filter_map(|object| never_switched_off(object, template)));
        warnings
    }

    /// What the target told of attributes that nobody else knows.
    fn told(&self, object: &ObjectMapping) -> Vec<AttributeDefinition> {
        let name = |definition: &AttributeDefinition| full_name(object.target_object, &definition.name);
        let known: HashSet<String> =
            defined_of(object.target_object).iter().chain(&object.target_attributes).map(name).collect();
        let is_new = |told: &&AttributeDefinition| !known.contains(&name(told));
        self.discovered.of(object.target_object).iter().filter(is_new).cloned().collect()
    }
}

/// Says so where accounts stay active for good although the application can switch them off. Of a mapping of `active` that does not, and of
/// flow types without Update, is told elsewhere.
fn never_switched_off(object: &ObjectMapping, template: &Template) -> Option<String> {
    let is_expected = object.enabled && object.flow_types.update && template.has_soft_delete(object.target_object);
    let is_active = |mapping: &AttributeMapping| {
        let is_filled = mapping.default_value.as_ref().is_some_and(|text| !text.is_empty());
        is_active_name(&mapping.target) && (mapping.source != MappingSource::None || is_filled)
    };
    if !is_expected || object.attributes.iter().any(|mapping| switches_off(mapping) || is_active(mapping)) {
        return None;
    }
    let name = object.target_object.plural();
    let when = if has_soft_delete(object) { " after the account is created" } else { "" };
    Some(format!(
        "the mapping of {name}: no mapping reads `IsSoftDeleted`{when}, so who leaves the scope stays active at the target for good; map \
         `Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")` to `active`"
    ))
}

/// `active` in its spellings.
pub(crate) fn is_active_name(target: &str) -> bool {
    match target.trim().rsplit_once([':', '.']) {
        Some((urn, attribute)) => urn.eq_ignore_ascii_case(scim::USER_URN) && attribute.eq_ignore_ascii_case(ACTIVE),
        None => target.trim().eq_ignore_ascii_case(ACTIVE),
    }
}

/// The URN of the extension that an attribute belongs to which is named without one, as targets are read.
fn extension(object: ObjectType, name: &str) -> Option<&'static str> {
    let path = AttributePath { urn: None, attribute: name.to_owned(), filter: None, sub_attribute: None };
    resource_type(object).resolve(&path)?.extension
}

/// The name with the URN of its extension, in small letters.
fn full_name(object: ObjectType, name: &str) -> String {
    let attribute = name.split(['.', '[']).next().unwrap_or(name);
    let urn = extension(object, attribute).map(|urn| format!("{urn}:")).unwrap_or_default();
    format!("{urn}{name}").to_ascii_lowercase()
}

fn defined_of(object: ObjectType) -> &'static Vec<AttributeDefinition> {
    match object {
        ObjectType::User => &USERS,
        ObjectType::Group => &GROUPS,
    }
}

/// The administrator's entries, then what RFC 7643 defines and they leave alone. `String` is what an entry says that says
/// nothing about the type.
fn own_and_defined(object: &ObjectMapping) -> Vec<AttributeDefinition> {
    let defined = defined_of(object.target_object);
    let mut list = object.target_attributes.clone();
    for entry in &mut list {
        let name = full_name(object.target_object, &entry.name);
        let Some(known) = defined.iter().find(|known| known.name.eq_ignore_ascii_case(&name)) else { continue };
        if entry.kind == AttributeType::String {
            entry.kind = known.kind;
        }
        entry.multivalued |= known.multivalued;
        if entry.referenced_objects.is_empty() {
            entry.referenced_objects.clone_from(&known.referenced_objects);
        }
    }
    let own: HashSet<String> =
        object.target_attributes.iter().map(|entry| full_name(object.target_object, &entry.name)).collect();
    let is_own = |known: &&AttributeDefinition| own.contains(&known.name.to_ascii_lowercase());
    list.extend(defined.iter().filter(|known| !is_own(known)).cloned());
    list
}

/// What RFC 7643 defines: every attribute, and the parts of each.
fn defined(resource: &ResourceType) -> Vec<AttributeDefinition> {
    let mut list = vec![
        AttributeDefinition { name: "id".to_owned(), anchor: true, ..Default::default() },
        AttributeDefinition { name: "externalId".to_owned(), case_exact: true, ..Default::default() },
        AttributeDefinition { name: "meta".to_owned(), mutability: Mutability::ReadOnly, ..Default::default() },
    ];
    for attribute in &resource.schema.attributes {
        add(&mut list, "", attribute);
    }
    for (schema, _) in &resource.extensions {
        for attribute in &schema.attributes {
            let optional = Attribute { required: false, ..attribute.clone() };
            add(&mut list, &format!("{}:", schema.id), &optional);
        }
    }
    list
}

fn add(list: &mut Vec<AttributeDefinition>, prefix: &str, attribute: &Attribute) {
    let name = format!("{prefix}{}", attribute.name);
    let referenced = referenced(attribute);
    let kind = if referenced.is_empty() { kind(attribute) } else { AttributeType::Reference };
    list.push(AttributeDefinition { kind, referenced_objects: referenced, ..definition(name.clone(), attribute) });
    for part in &attribute.sub_attributes {
        let definition = definition(format!("{name}.{}", part.name), part);
        list.push(AttributeDefinition { kind: self::kind(part), required: false, ..definition });
    }
}

fn definition(name: String, attribute: &Attribute) -> AttributeDefinition {
    AttributeDefinition {
        name,
        multivalued: attribute.multi_valued,
        case_exact: attribute.case_exact,
        required: attribute.required,
        mutability: match attribute.mutability {
            scim::Mutability::ReadWrite => Mutability::ReadWrite,
            scim::Mutability::ReadOnly => Mutability::ReadOnly,
            scim::Mutability::Immutable => Mutability::Immutable,
            scim::Mutability::WriteOnly => Mutability::WriteOnly,
        },
        ..AttributeDefinition::default()
    }
}

/// Fractions and objects have no type of their own there.
const fn kind(attribute: &Attribute) -> AttributeType {
    match attribute.kind {
        Kind::String | Kind::Complex | Kind::Decimal => AttributeType::String,
        Kind::Boolean => AttributeType::Boolean,
        Kind::Integer => AttributeType::Integer,
        Kind::DateTime => AttributeType::DateTime,
        Kind::Reference => AttributeType::Reference,
        Kind::Binary => AttributeType::Binary,
    }
}

/// The types of objects that an attribute refers to by its `$ref`.
fn referenced(attribute: &Attribute) -> Vec<ReferencedObject> {
    let types = attribute.sub_attribute("$ref").map(|part| part.reference_types.as_slice()).unwrap_or_default();
    let object = |name: &String| ReferencedObject { referenced_object_name: name.clone(), referenced_property: None };
    types.iter().map(object).collect()
}

#[cfg(test)]
mod tests {
    use mapping::FlowType;
    use serde_json::json;

    use super::*;
    use crate::outlook::Outlook;

    fn settings(change: impl FnOnce(&mut JobSettings)) -> (Vec<String>, Vec<String>) {
        let template = Template::by_name("scim").unwrap();
        let mut settings = JobSettings::of(template, "https://app.example.com/scim");
        change(&mut settings);
        let Outlook { problems, warnings } = Outlook::of(&settings, template, Installation::UNKNOWN);
        (problems, warnings)
    }

    fn mapped(settings: &mut JobSettings, mapping: serde_json::Value) {
        let mapping: mapping::AttributeMapping = serde_json::from_value(mapping).unwrap();
        settings.objects[0].attributes.retain(|other| other.target != mapping.target);
        settings.objects[0].attributes.push(mapping);
    }

    #[test]
    fn the_templates_are_in_order() {
        for template in Template::all() {
            let settings = JobSettings::of(template, "https://app.example.com/scim");
            assert_eq!(settings.findings(Installation { has_default_domain: false }), [], "{}", template.name);
            assert_eq!(settings.warnings(template), [""; 0], "{}", template.name);
        }
    }

    #[test]
    fn who_stays_active_for_good_is_told_of_where_the_application_could_do_better() {
        type Change = fn(&mut ObjectMapping);
        let without: Change = |users| users.attributes.retain(|mapping| !reads_it(mapping));
        let elsewhere: Change = |users| {
            let reading = users.attributes.iter_mut().filter(|one| reads_it(one));
            reading.for_each(|one| "status".clone_into(&mut one.target));
        };
        let empty: Change = |users| {
            let active = users.attributes.iter_mut().find(|one| one.target == "active");
            active.unwrap().source = MappingSource::None;
        };
        let never_updated: Change = |users| users.flow_types.update = false;
        let only_created: Change = |users| {
            let reading = users.attributes.iter_mut().filter(|one| reads_it(one));
            reading.for_each(|one| {
                "title".clone_into(&mut one.target);
                one.flow_type = FlowType::ObjectAddOnly;
            });
        };
        for (change, expected) in [(without, 1), (elsewhere, 0), (empty, 1), (never_updated, 0), (only_created, 1)] {
            let told = settings(|settings| change(&mut settings.objects[0])).1;
            let count = told.iter().filter(|one| one.contains("stays active at the target for good")).count();
            assert_eq!(count, expected, "{told:?}");
        }
        // Nothing but a default value is told of once, by what it is.
        let filled = settings(|settings| {
            let active = settings.objects[0].attributes.iter_mut().find(|one| one.target == "active").unwrap();
            (active.source, active.default_value) = (MappingSource::None, Some("True".to_owned()));
        });
        assert_eq!(filled.1.len(), 1, "{filled:?}");
        // An application that cannot switch accounts off has them deleted.
        for template in Template::all() {
            let mut settings = JobSettings::of(template, "https://app.example.com/scim");
            without(&mut settings.objects[0]);
            let is_told = settings.warnings(template).iter().any(|one| one.contains("stays active"));
            assert_eq!(is_told, template.has_soft_delete(ObjectType::User), "{}", template.name);
        }
    }

    #[test]
    fn an_attribute_of_an_extension_is_the_same_without_its_urn() {
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        for (name, source) in [
            ("department", "department"),
            ("employeeNumber", "employeeId"),
            ("costCenter", "companyName"),
            ("manager", "manager"),
        ] {
            let short = json!({"target": name, "source": format!("[{source}]")});
            let long = json!({"target": format!("{urn}:{name}"), "source": format!("[{source}]")});
            let alone = |settings: &mut JobSettings| {
                settings.objects[0].attributes.retain(|mapping| !mapping.target.starts_with(urn));
                mapped(settings, short.clone());
            };
            assert_eq!(settings(alone), (Vec::new(), Vec::new()), "{name}");
            let both = settings(|settings| {
                alone(settings);
                mapped(settings, long.clone());
            });
            let what = format!("it is the same attribute as `{name}`, which is mapped too; remove one of the mappings");
            assert_eq!(both, (vec![format!("`{urn}:{name}` of users: {what}")], Vec::new()));
        }
        // An entry of the attribute list, and what the target tells, are about the same attribute too.
        let listed = settings(|settings| {
            settings.objects[0].attributes.retain(|mapping| !mapping.target.starts_with(urn));
            settings.objects[0].target_attributes = serde_json::from_value(json!([{"name": "manager"}])).unwrap();
            settings.discovered.users =
                serde_json::from_value(json!([{"name": "department", "type": "Integer"}])).unwrap();
            mapped(settings, json!({"target": format!("{urn}:manager"), "source": "[manager]"}));
            mapped(settings, json!({"target": "department", "source": "[objectId]"}));
        });
        assert_eq!(listed, (Vec::new(), Vec::new()));
        // The core schema has no such attribute.
        let core = "urn:ietf:params:scim:schemas:core:2.0:User:department";
        let unknown = settings(|settings| mapped(settings, json!({"target": core, "source": "[department]"})));
        assert!(unknown.1[0].contains("no such target attribute is known"), "{unknown:?}");
    }

    #[test]
    fn references_and_texts_do_not_stand_for_one_another() {
        let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager";
        for (target, source, expected) in [
            (
                manager,
                "[department]",
                "it refers to `User`, and its source gives a text, which is written as it is; map a source attribute that refers to objects, as `[manager]` or `[members]` does",
            ),
            (
                "locale",
                "[memberOf]",
                "it holds a single value and its source has several, so objects with more than one fail; take one with `Item(…, 1)` or put them together with `Join`",
            ),
            (
                "nickName",
                "[manager]",
                "it holds a text, and its source refers to the manager, whose id at the target would be written; take an attribute of the manager, such as `[manager.displayName]`, or say in the attribute list that it is a `Reference`",
            ),
        ] {
            let told = settings(|settings| mapped(settings, json!({"target": target, "source": source})));
            assert_eq!(told, (Vec::new(), vec![format!("`{target}` of users: {expected}")]));
        }
        let part = format!("{manager}.value");
        for (target, source) in [(manager, "[manager]"), (manager, "Switch([department], , \"A\", \"701984\")")] {
            let told = settings(|settings| mapped(settings, json!({"target": target, "source": source})));
            assert_eq!(told, (Vec::new(), Vec::new()), "{target} {source}");
        }
        let told = settings(|settings| {
            settings.objects[0].attributes.retain(|mapping| mapping.target != manager);
            mapped(settings, json!({"target": part, "source": "[manager]"}));
        });
        assert_eq!(told, (Vec::new(), Vec::new()));
    }

    fn reads_it(mapping: &AttributeMapping) -> bool {
        mapping.source.attributes().contains("IsSoftDeleted")
    }

    #[test]
    fn what_the_directory_and_rfc_7643_know_is_checked() {
        for (mapping, expected) in [
            (
                json!({"target": "nmae.givenName", "source": "[givenName]"}),
                "`nmae.givenName` of users: no such target attribute is known; did you mean `name.givenName`?",
            ),
            (
                json!({"target": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:departmnt", "source": "[department]"}),
                "`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:departmnt` of users: no such target attribute is known; did you mean `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department`?",
            ),
            (
                json!({"target": "nickName", "source": "[otherMails]"}),
                "`nickName` of users: it holds a single value and its source has several, so objects with more than one fail; take one with `Item(…, 1)` or put them together with `Join`",
            ),
            (
                json!({"target": "nickName", "source": "Switch([accountEnabled], \"\", \"true\", \"in\", \"False\", \"out\")"}),
                "`nickName` of users: `\"true\"`, at character 30, is a key that the source of `Switch` never equals; it can be empty, `False` or `True`",
            ),
        ] {
            let (problems, warnings) = settings(|settings| mapped(settings, mapping.clone()));
            assert_eq!((problems, warnings), (Vec::new(), vec![expected.to_owned()]), "{mapping}");
        }
        for (mapping, expected) in [
            (
                json!({"target": "active", "source": "[employeeHireDate]"}),
                "`active` of users: its source gives an instant, which is not true or false; write True or False, or make it of the source with `Switch`",
            ),
            (
                json!({"target": "groups", "source": "[otherMails]"}),
                "`groups` of users: only the target itself writes it (`ReadOnly`); remove the mapping, or say in the attribute list that it is `ReadWrite`",
            ),
            (
                json!({"target": "urn:ietf:params:scim:schemas:core:2.0:User:title", "source": "[jobTitle]"}),
                "`urn:ietf:params:scim:schemas:core:2.0:User:title` of users: it is the same attribute as `title`, which is mapped too; remove one of the mappings",
            ),
            (
                json!({"target": "nickName", "source": "Left([givenName], 0)"}),
                "`nickName` of users: its source never gives a value: it is always empty, by `Left([givenName], 0)` at character 1; correct it, or remove the mapping",
            ),
            (
                json!({"target": "password", "source": "[employeeId]", "matchingPriority": 2}),
                "`password` of users: it matches objects, and the target cannot be asked for it: it is never told (`WriteOnly`); match by another attribute",
            ),
        ] {
            let (problems, _) = settings(|settings| mapped(settings, mapping.clone()));
            assert_eq!(problems, [expected], "{mapping}");
        }
    }

    #[test]
    fn what_every_target_requires_is_told_of_once() {
        let (problems, _) = settings(|settings| {
            settings.objects[0].attributes.retain(|mapping| mapping.target != "userName");
            mapped(settings, json!({"target": "externalId", "source": "[objectId]", "matchingPriority": 1}));
        });
        assert_eq!(
            problems,
            [
                "`userName` of users: the target requires it and no mapping writes it; map a source attribute to it, or a constant"
            ]
        );
    }

    #[test]
    fn the_attribute_list_and_the_target_add_to_what_is_known() {
        let unknown =
            |settings: &mut JobSettings| mapped(settings, json!({"target": "shoeSize", "source": "[employeeId]"}));
        assert_eq!(settings(unknown).1.len(), 1);
        let listed = settings(|settings| {
            unknown(settings);
            settings.objects[0].target_attributes =
                serde_json::from_value(json!([{"name": "shoeSize", "type": "Integer"}, {"name": "groups"}])).unwrap();
            mapped(settings, json!({"target": "groups", "source": "[otherMails]"}));
        });
        assert_eq!(listed, (Vec::new(), Vec::new()));
        let told = settings(|settings| {
            unknown(settings);
            settings.discovered.users = serde_json::from_value(json!([{"name": "shoeSize"}])).unwrap();
        });
        assert_eq!(told, (Vec::new(), Vec::new()));
    }

    #[test]
    fn roles_need_assignments() {
        let (problems, warnings) = settings(|settings| {
            settings.plain.scope = ScopeSetting::All;
            let source = "AssertiveAppRoleAssignmentsComplex([appRoleAssignments])";
            mapped(settings, json!({"target": "roles", "source": source}));
        });
        assert_eq!(problems, [""; 0]);
        let told = "`roles` of users: it writes assigned roles, and with the scope `all` most people have none; set the scope to `assigned`";
        assert_eq!(warnings, [told]);
    }
}
