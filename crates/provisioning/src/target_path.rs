//! Where a mapping writes to: a target attribute as a path, what the attribute is, and reading and writing it in a resource's
//! JSON. What it is comes from the attribute list (`list`); values are made in `value`, compared in `compare`, found and put
//! in `place`.

mod compare;
mod list;
mod place;
mod value;

use mapping::schema::Mutability;
use mapping::{ObjectType, with_colon_behind_version};
use scim::{AttributePath, Filter, Kind, Literal, Operator};
use serde_json::Value;

pub use list::{AttributeList, attribute_key, resource_type};
use list::{Name, Nature};
pub use value::Unfit;

/// A target attribute of a mapping, parsed once for a job.
#[derive(Clone, Debug)]
pub struct TargetPath {
    text: String,
    /// The path as RFC 7644 has it to the letter, where that is another text.
    strict: Option<String>,
    name: Name,
    terms: Vec<(String, Value)>,
    nature: Nature,
}

/// A target attribute that cannot be written to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the target attribute `{target}` is not understood: {reason}")]
pub struct BadTarget {
    /// The attribute as it is written.
    pub(crate) target: String,
    reason: String,
}

impl TargetPath {
    /// Parses a target attribute such as `emails[type eq "work"].value`. Attributes that RFC 7643 does not define are
    /// taken as text.
    pub fn parse(text: &str, object: ObjectType) -> Result<Self, BadTarget> {
        Self::parse_by(text, object, &AttributeList::default())
    }

    /// The same, where an attribute list says what attributes are.
    pub fn parse_by(text: &str, object: ObjectType, list: &AttributeList) -> Result<Self, BadTarget> {
        let bad = |reason: &str| BadTarget { target: text.to_owned(), reason: reason.to_owned() };
        let path: AttributePath = with_colon_behind_version(text)
            .parse()
            .map_err(|error: scim::ScimError| bad(too_deep(text).unwrap_or(&error.detail)))?;
        if !may_be_written(&path) {
            return Err(bad("it names a schema and no attribute of it; a name has letters, digits, `-`, `_` and `$`"));
        }
        let core = resource_type(object);
        let resolved = core.resolve(&path);
        let mut name = Name::of(&path, resolved.as_ref());
        let mut terms = match path.filter.as_deref() {
            None => Vec::new(),
            Some(filter) => equality_terms(filter).map_err(bad)?,
        };
        if let Some(attribute) = resolved.as_ref().map(|resolved| resolved.attribute) {
            for (term, _) in &mut terms {
                if let Some(known) = attribute.sub_attribute(term) {
                    term.clone_from(&known.name);
                }
            }
        }
        // Brackets alone choose an element, and what is written there is its value.
        let text = if path.filter.is_some() && name.sub_attribute.is_none() {
            name.sub_attribute = Some("value".to_owned());
            format!("{path}.value")
        } else if path.filter.is_some() {
            path.to_string()
        } else if name.was_dotted {
            name.to_string()
        } else {
            path.to_string()
        };
        // The definition is looked for by the whole name: a part of an element has one of its own.
        let found = core.resolve(&name.as_path());
        let nature = Nature::of(&name, &terms, found.as_ref(), list);
        let strict = Some(name.with_terms(&terms)).filter(|strict| !terms.is_empty() && *strict != text);
        Ok(Self { text, strict, name, terms, nature })
    }

    /// The path as the mapping has it, but for forms that nobody writes any more.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The path by RFC 7644 to the letter: a boolean in brackets is no text.
    pub fn strict_text(&self) -> &str {
        self.strict.as_deref().unwrap_or(&self.text)
    }

    /// Whether brackets choose one element of a multi-valued attribute.
    pub const fn is_filtered(&self) -> bool {
        !self.terms.is_empty()
    }

    /// The extension the attribute belongs to.
    pub fn extension(&self) -> Option<&str> {
        self.name.urn.as_deref()
    }

    /// The multi-valued attribute without brackets and sub-attribute.
    pub fn whole_attribute(&self) -> &str {
        &self.name.attribute
    }

    /// The name of the sub-attribute that is written.
    pub fn sub_attribute(&self) -> Option<&str> {
        self.name.sub_attribute.as_deref()
    }

    /// Who may write it.
    pub const fn mutability(&self) -> Mutability {
        self.nature.mutability
    }

    /// Whether the target never tells what it holds.
    pub fn is_write_only(&self) -> bool {
        self.nature.mutability == Mutability::WriteOnly
    }

    /// Whether the attribute list says that objects cannot be created without it.
    pub const fn is_required(&self) -> bool {
        self.nature.required
    }

    /// What the attribute list gives a required attribute that has no value.
    pub fn default_value(&self) -> Option<&str> {
        self.nature.default_value.as_deref()
    }

    /// Whether it is a list of objects, written whole.
    pub fn is_list_of_objects(&self) -> bool {
        self.nature.multi_valued && self.nature.kind == Kind::Complex
    }

    /// Whether it is an object for which its `value` stands, such as `manager`.
    pub fn is_object_with_value(&self) -> bool {
        self.nature.kind == Kind::Complex && !self.nature.multi_valued && self.nature.has_value
    }

    /// Whether another path leads into the same element.
    pub fn chooses_the_same(&self, other: &Self) -> bool {
        let has = |(name, value): &(String, Value)| {
            other.terms.iter().any(|(other, wanted)| other.eq_ignore_ascii_case(name) && wanted == value)
        };
        (self.is_filtered() || self.nature.in_elements)
            && self.terms.len() == other.terms.len()
            && self.terms.iter().all(has)
            && self.name.is_of_the_same_attribute(&other.name)
    }
}

/// Says of a name with too many parts that it has them.
fn too_deep(text: &str) -> Option<&'static str> {
    let name = text.split('[').next().unwrap_or_default();
    let is_deep = name.rsplit(':').next().unwrap_or_default().matches('.').count() > 1;
    is_deep.then_some("a path has one `.` at most, between an attribute and its part, as in `name.givenName`")
}

/// Whether it names an attribute. Those of extensions need not begin with a letter, as they must by RFC 7643 §2.1: agents of directories
/// call the distinguished name `-dn-`.
fn may_be_written(path: &AttributePath) -> bool {
    let is_lenient = |name: &str| {
        name.bytes().any(|byte| byte.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_$".contains(&byte))
    };
    path.may_name_attribute() || path.urn.is_some() && is_lenient(&path.attribute)
}

/// What the brackets say: that these sub-attributes have these values.
fn equality_terms(filter: &Filter) -> Result<Vec<(String, Value)>, &'static str> {
    match filter {
        Filter::Compare { path, operator: Operator::Eq, value } => {
            let name = path.attribute.clone();
            let value = match value {
                Literal::String(text) if name.eq_ignore_ascii_case("primary") => {
                    let is_true = text.eq_ignore_ascii_case("true");
                    if !is_true && !text.eq_ignore_ascii_case("false") {
                        return Err("`primary` in its brackets is compared with true or false");
                    }
                    Value::Bool(is_true)
                }
                Literal::String(text) => text.as_str().into(),
                Literal::Boolean(value) => (*value).into(),
                Literal::Number { value, .. } => Value::Number(value.clone()),
                Literal::Null => return Err("nothing in its brackets can be compared with null"),
            };
            Ok(vec![(name, value)])
        }
        Filter::And(parts) => {
            let lists: Result<Vec<_>, _> = parts.iter().map(equality_terms).collect();
            Ok(lists?.into_iter().flatten().collect())
        }
        Filter::Compare { .. } | Filter::Or(_) | Filter::Not(_) | Filter::Present(_) | Filter::ValuePath { .. } => {
            Err("only `eq` and `and` can stand in its brackets")
        }
    }
}

#[cfg(test)]
mod tests;
