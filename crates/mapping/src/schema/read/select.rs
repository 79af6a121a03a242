//! Which object mappings of a document count: of users and of groups, out of Entra's directory.

use serde_json::Value;

use super::super::document::{KeyValue, Member, ObjectMappingEntry, Rule, Schema};
use super::super::finding::Finding;
use super::place;
use crate::object_mapping::ObjectType;

/// The metadata key of object mappings that Entra itself passes over.
const UNSYNCHRONIZED: &str = "Unsynchronized";

/// The names under which Entra's directory is a source.
const ENTRA: [&str; 5] =
    ["Azure Active Directory", "Microsoft Entra ID", "Azure AD", "Entra ID", "Windows Azure Active Directory"];

/// An object mapping that counts.
pub(in crate::schema) struct Chosen {
    pub(in crate::schema) rule: usize,
    pub(in crate::schema) index: usize,
    pub(in crate::schema) object: ObjectType,
}

/// Whether a directory's name is that of Entra's directory.
fn is_entra(name: &str) -> bool {
    ENTRA.iter().any(|entra| entra.eq_ignore_ascii_case(name.trim()))
}

/// Whether a rule starts at Entra's directory.
pub(in crate::schema) fn is_outbound(rule: &Rule) -> bool {
    direction_problem(rule).is_none()
}

/// The places of all object mappings of a type that could count.
pub(in crate::schema) fn candidates(schema: &Schema, object: ObjectType) -> Vec<(usize, usize)> {
    let mut candidates = Vec::new();
    let rules = schema.synchronization_rules.items().iter().enumerate();
    for (index, rule) in rules.filter(|(_, rule)| is_outbound(rule)) {
        candidates_of(rule, index, &mut candidates, &mut Vec::new());
    }
    candidates.into_iter().filter(|one| one.object == object).map(|one| (one.rule, one.index)).collect()
}

/// One object mapping for each type, in the order of the document; all others are told.
pub(in crate::schema) fn chosen(schema: &Schema, findings: &mut Vec<Finding>) -> Vec<Chosen> {
    let rules = schema.synchronization_rules.items();
    let mut candidates = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        match direction_problem(rule) {
            Some(reason) => {
                let finding = Finding::not_supported(format!("rule {}", rule.name.text()), reason);
                findings.push(if is_any_enabled(rule) { finding } else { noted(finding) });
            }
            None => candidates_of(rule, index, &mut candidates, findings),
        }
    }
    let mut chosen = Vec::new();
    for object in [ObjectType::User, ObjectType::Group] {
        let mut of_type: Vec<&Chosen> = candidates.iter().filter(|one| one.object == object).collect();
        // What is switched on comes first, then the rule with the lowest priority, then the order of the document.
        of_type.sort_by_key(|one| {
            let rule = &rules[one.rule];
            (!is_enabled(&rule.object_mappings.items()[one.index]), rule.priority.given().copied().unwrap_or(i64::MAX))
        });
        let mut of_type = of_type.into_iter();
        let Some(first) = of_type.next() else { continue };
        chosen.push(Chosen { ..*first });
        findings.extend(of_type.map(|other| surplus(rules, first, other)));
    }
    chosen.sort_by_key(|one| (one.rule, one.index));
    chosen
}

/// Why a rule cannot be carried out: it does not start at Entra's directory.
fn direction_problem(rule: &Rule) -> Option<String> {
    let (source, target) = (rule.source_directory_name.text(), rule.target_directory_name.text());
    if source.is_empty() || is_entra(source) {
        return None;
    }
    Some(if is_entra(target) {
        format!(
            "it is inbound, from `{source}` into the directory; only rules out of the directory are carried out, so it is left out"
        )
    } else {
        format!("it reads from `{source}`; only rules out of `{}` are carried out, so it is left out", ENTRA[0])
    })
}

fn candidates_of(rule: &Rule, index: usize, candidates: &mut Vec<Chosen>, findings: &mut Vec<Finding>) {
    for (mapping, entry) in rule.object_mappings.items().iter().enumerate() {
        let (source, target) = (entry.source_object_name.text(), entry.target_object_name.text());
        let reason = match (object_type(source), target_type(target)) {
            (Some(object), Some(meant)) if object == meant => {
                candidates.push(Chosen { rule: index, index: mapping, object });
                continue;
            }
            (Some(_), _) => {
                format!("its target objects are `{target}`; users become users here, and groups become groups")
            }
            (None, _) => format!("its source objects are `{source}`; users and groups are provisioned here"),
        };
        let finding = Finding::not_supported(place(rule.name.text(), entry), format!("{reason}, so it is left out"));
        findings.push(if is_enabled(entry) { finding } else { noted(finding) });
    }
}

fn surplus(rules: &[Rule], first: &Chosen, other: &Chosen) -> Finding {
    let entry = |one: &Chosen| &rules[one.rule].object_mappings.items()[one.index];
    let told = |one: &Chosen| place(rules[one.rule].name.text(), entry(one));
    let (mut counts, mut left_out) = (told(first), told(other));
    if counts == left_out {
        let index = |one: &Chosen| format!(" (synchronizationRules[{}].objectMappings[{}])", one.rule, one.index);
        counts += &index(first);
        left_out += &index(other);
    }
    let reason = format!("one object mapping counts for each type, which is {counts}; this one is left out");
    let finding = Finding::not_supported(left_out, reason);
    if is_enabled(entry(other)) { finding } else { noted(finding) }
}

/// What is switched off in Entra does nothing there either.
fn noted(finding: Finding) -> Finding {
    Finding::note(finding.place, format!("{}; it is switched off in Entra, too", finding.reason))
}

/// Whether Entra carries an object mapping out.
pub(in crate::schema) fn is_enabled(entry: &ObjectMappingEntry) -> bool {
    entry.enabled.given().copied().unwrap_or(true) && !entry.metadata.items().iter().any(is_unsynchronized)
}

/// Whether a setting of an object mapping makes Entra pass it over. Its value is text, which may have quotes of its own.
pub(in crate::schema) fn is_unsynchronized(setting: &KeyValue) -> bool {
    let value = setting.value.given().map(ToString::to_string).unwrap_or_default();
    setting.key.text() == UNSYNCHRONIZED && value.trim_matches(['"', '\\']).eq_ignore_ascii_case("true")
}

fn is_any_enabled(rule: &Rule) -> bool {
    rule.object_mappings.items().iter().any(is_enabled)
}

fn object_type(name: &str) -> Option<ObjectType> {
    match () {
        () if name.eq_ignore_ascii_case("User") => Some(ObjectType::User),
        () if name.eq_ignore_ascii_case("Group") => Some(ObjectType::Group),
        () => None,
    }
}

/// The type that a target's name means: `User`, or a SCIM URN that ends so.
fn target_type(name: &str) -> Option<ObjectType> {
    let last = name.rsplit([':', '/', '.', '#']).next().unwrap_or(name);
    object_type(last).or_else(|| object_type(last.strip_suffix(['s', 'S']).unwrap_or(last)))
}

/// Whether a filter of a rule says nothing: absent, null, or with nothing but empty lists in it.
pub(super) fn is_blank(filter: &Member<Value>) -> bool {
    match filter {
        Member::Absent | Member::Null => true,
        Member::Given(Value::Object(members)) => {
            members.iter().filter(|(name, _)| !name.starts_with('@')).all(|(_, value)| is_nothing(value))
        }
        Member::Given(other) => is_nothing(other),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}
