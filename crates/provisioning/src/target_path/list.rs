//! What a target attribute is: by the attribute list of an administrator, else by RFC 7643, else by what the target tells.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::LazyLock;

use mapping::schema::{AttributeDefinition, AttributeType, Mutability};
use mapping::{ObjectType, with_colon_behind_version};
use scim::{AttributePath, Kind, Resolved, ResourceType};
use serde_json::Value;

use super::equality_terms;

/// Entries of one list that are looked at.
const ENTRIES_MAX: usize = 5000;

static USER: LazyLock<ResourceType> = LazyLock::new(ResourceType::user);
static GROUP: LazyLock<ResourceType> = LazyLock::new(ResourceType::group);

/// The SCIM definition of what is provisioned.
pub fn resource_type(object: ObjectType) -> &'static ResourceType {
    match object {
        ObjectType::User => &USER,
        ObjectType::Group => &GROUP,
    }
}

/// A path without its brackets, in the spelling of its definition.
#[derive(Clone, Debug)]
pub(super) struct Name {
    pub(super) urn: Option<String>,
    pub(super) attribute: String,
    pub(super) sub_attribute: Option<String>,
    /// It was written with a dot between the URN and the attribute.
    pub(super) was_dotted: bool,
}

impl Name {
    pub(super) fn of(path: &AttributePath, resolved: Option<&Resolved<'_>>) -> Self {
        if let Some(Resolved { extension, attribute, sub_attribute }) = resolved {
            let sub = sub_attribute.map(|sub| sub.name.clone());
            return Self {
                urn: extension.map(str::to_owned),
                attribute: attribute.name.clone(),
                was_dotted: path.urn.is_some() && path.sub_attribute.is_some() != sub.is_some(),
                sub_attribute: sub,
            };
        }
        let (urn, attribute, sub) = (path.urn.clone(), path.attribute.clone(), path.sub_attribute.clone());
        match (urn, sub) {
            // A URN of attributes ends with the name of their resource type: `urn:…:User.department`.
            (Some(urn), Some(sub)) if ["User", "Group"].iter().any(|kind| attribute.eq_ignore_ascii_case(kind)) => {
                Self { urn: Some(format!("{urn}:{attribute}")), attribute: sub, sub_attribute: None, was_dotted: true }
            }
            (urn, sub_attribute) => Self {
                urn: urn
                    .filter(|urn| ![scim::USER_URN, scim::GROUP_URN].iter().any(|core| urn.eq_ignore_ascii_case(core))),
                attribute,
                sub_attribute,
                was_dotted: false,
            },
        }
    }

    /// The name with brackets that say these terms.
    pub(super) fn with_terms(&self, terms: &[(String, Value)]) -> String {
        let urn = self.urn.as_ref().map(|urn| format!("{urn}:")).unwrap_or_default();
        let terms: Vec<String> = terms.iter().map(|(name, value)| format!("{name} eq {value}")).collect();
        let brackets = if terms.is_empty() { String::new() } else { format!("[{}]", terms.join(" and ")) };
        let sub = self.sub_attribute.as_ref().map(|sub| format!(".{sub}")).unwrap_or_default();
        format!("{urn}{}{brackets}{sub}", self.attribute)
    }

    pub(super) fn as_path(&self) -> AttributePath {
        AttributePath {
            urn: self.urn.clone(),
            attribute: self.attribute.clone(),
            filter: None,
            sub_attribute: self.sub_attribute.clone(),
        }
    }

    pub(super) fn is_of_the_same_attribute(&self, other: &Self) -> bool {
        let urn = |name: &Self| name.urn.as_deref().map(str::to_ascii_lowercase);
        self.attribute.eq_ignore_ascii_case(&other.attribute) && urn(self) == urn(other)
    }

    fn whole(&self) -> String {
        Self { sub_attribute: None, ..self.clone() }.key(&[])
    }

    /// Equal for names that say the same.
    fn key(&self, terms: &[(String, Value)]) -> String {
        let mut terms: Vec<(String, Value)> = terms.to_vec();
        terms.sort_by_cached_key(|(name, _)| name.to_ascii_lowercase());
        self.with_terms(&terms).to_ascii_lowercase()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_terms(&[]))
    }
}

/// The attribute list of one object: what an administrator says of attributes, and what the target told.
#[derive(Clone, Debug, Default)]
pub struct AttributeList {
    own: HashMap<String, AttributeDefinition>,
    told: HashMap<String, AttributeDefinition>,
    /// Attributes of which the lists name parts.
    complex: HashSet<String>,
}

impl AttributeList {
    /// The list of an object: `own` are the entries of an administrator or an import, `told` those of the target. What is
    /// no path is no attribute that anything could be written to, and is passed over.
    pub fn new(object: ObjectType, own: &[AttributeDefinition], told: &[AttributeDefinition]) -> Self {
        let mut list = Self::default();
        for (entries, is_own) in [(own, true), (told, false)] {
            for entry in entries.iter().take(ENTRIES_MAX) {
                let Some((name, key)) = key_of(object, &entry.name) else { continue };
                if name.sub_attribute.is_some() {
                    list.complex.insert(name.whole());
                }
                let entries = if is_own { &mut list.own } else { &mut list.told };
                entries.entry(key).or_insert_with(|| entry.clone());
            }
        }
        list
    }

    /// The entry for a name: the one with the same brackets, else the one without any.
    fn entry<'l>(
        entries: &'l HashMap<String, AttributeDefinition>,
        name: &Name,
        terms: &[(String, Value)],
    ) -> Option<&'l AttributeDefinition> {
        if entries.is_empty() {
            return None;
        }
        entries.get(&name.key(terms)).or_else(|| entries.get(&name.key(&[])))
    }
}

fn key_of(object: ObjectType, text: &str) -> Option<(Name, String)> {
    let path: AttributePath = with_colon_behind_version(text).parse().ok()?;
    let mut name = Name::of(&path, resource_type(object).resolve(&path).as_ref());
    if path.filter.is_some() {
        name.sub_attribute.get_or_insert_with(|| "value".to_owned());
    }
    let terms = path.filter.as_deref().map_or(Some(Vec::new()), |filter| equality_terms(filter).ok())?;
    let key = name.key(&terms);
    Some((name, key))
}

/// Equal for paths that name the same attribute, whatever their spelling.
pub fn attribute_key(object: ObjectType, text: &str) -> String {
    key_of(object, text).map_or_else(|| text.to_ascii_lowercase(), |(_, key)| key)
}

/// What an attribute is, as far as reading, writing and comparing need to know.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact of the attribute")]
pub(super) struct Nature {
    pub(super) kind: Kind,
    /// Only the target told the type: what does not fit is written as text, as it was before.
    pub(super) is_told: bool,
    pub(super) multi_valued: bool,
    /// A part of every element of a multi-valued attribute: without brackets the first one is meant.
    pub(super) in_elements: bool,
    /// An object that has a `value`.
    pub(super) has_value: bool,
    /// A difference of case alone is no change.
    pub(super) ignores_case: bool,
    /// A filter of the target minds the case.
    pub(super) matched_exactly: bool,
    pub(super) mutability: Mutability,
    pub(super) required: bool,
    pub(super) default_value: Option<String>,
}

impl Nature {
    /// An entry of the administrator's list stands above RFC 7643, and that above what the target tells: what a target
    /// adds never changes what an attribute is that was known before.
    pub(super) fn of(
        name: &Name,
        terms: &[(String, Value)],
        resolved: Option<&Resolved<'_>>,
        list: &AttributeList,
    ) -> Self {
        let defined = resolved.map(|resolved| resolved.sub_attribute.unwrap_or(resolved.attribute));
        let own = AttributeList::entry(&list.own, name, terms);
        let told = AttributeList::entry(&list.told, name, terms).filter(|_| defined.is_none());
        let entry = own.or(told);
        let kind = kind(entry, defined, name.sub_attribute.is_none() && list.complex.contains(&name.whole()));
        let is_part = name.sub_attribute.is_some();
        let is_list = entry.is_some_and(|entry| entry.multivalued) && !(is_part && defined.is_some());
        Self {
            kind,
            is_told: own.is_none() && told.is_some(),
            multi_valued: is_list || defined.is_some_and(|attribute| attribute.multi_valued),
            in_elements: is_part && resolved.is_some_and(|found| found.attribute.multi_valued),
            has_value: defined.is_none_or(|attribute| attribute.sub_attribute("value").is_some()),
            ignores_case: match own {
                Some(own) => !own.case_exact,
                // Only names that are unique without case are compared so; any other change of case is a change.
                None => defined.is_some_and(|attribute| attribute.name == "userName"),
            },
            // Text is compared without case unless its definition says otherwise (RFC 7643 §2.2, `caseExact`). What an
            // administrator says is about changes to be written, and makes no filter of the target another one.
            matched_exactly: defined
                .map_or_else(|| told.is_some_and(|told| told.case_exact), |attribute| attribute.case_exact),
            mutability: mutability(own, told, defined.map(|attribute| attribute.mutability)),
            required: own.is_some_and(|own| own.required),
            default_value: own.and_then(|own| own.default_value.clone()).filter(|text| !text.is_empty()),
        }
    }
}

/// `String` is what an entry says that says nothing: a type that RFC 7643 gives stays then. So does that of an object, whose
/// entry can only name its value's.
fn kind(entry: Option<&AttributeDefinition>, defined: Option<&scim::Attribute>, has_parts: bool) -> Kind {
    let given = entry.map(|entry| entry.kind);
    match (given, defined.map(|attribute| attribute.kind)) {
        (Some(AttributeType::String) | None, Some(kind)) => kind,
        (Some(_), Some(Kind::Complex)) => Kind::Complex,
        (Some(AttributeType::String) | None, None) if has_parts => Kind::Complex,
        (Some(AttributeType::String) | None, None) => Kind::String,
        (Some(AttributeType::Integer), _) => Kind::Integer,
        (Some(AttributeType::Boolean), _) => Kind::Boolean,
        (Some(AttributeType::DateTime), _) => Kind::DateTime,
        (Some(AttributeType::Binary), _) => Kind::Binary,
        (Some(AttributeType::Reference), _) => Kind::Reference,
    }
}

fn mutability(
    own: Option<&AttributeDefinition>,
    told: Option<&AttributeDefinition>,
    defined: Option<scim::Mutability>,
) -> Mutability {
    let defined = match defined {
        Some(scim::Mutability::ReadOnly) => Mutability::ReadOnly,
        Some(scim::Mutability::Immutable) => Mutability::Immutable,
        Some(scim::Mutability::WriteOnly) => Mutability::WriteOnly,
        // What a target tells stops no mapping: one that worked before it was told goes on. Only that a value is never told counts.
        Some(scim::Mutability::ReadWrite) | None => match told.map(|told| told.mutability) {
            Some(Mutability::WriteOnly) => Mutability::WriteOnly,
            _ => Mutability::ReadWrite,
        },
    };
    match own {
        Some(own) if own.anchor => Mutability::ReadOnly,
        // That a value is never told is a fact which no entry changes.
        Some(own) if own.mutability == Mutability::ReadWrite && defined == Mutability::WriteOnly => defined,
        Some(own) => own.mutability,
        None => defined,
    }
}
