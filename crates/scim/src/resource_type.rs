//! A resource type: which attributes its resources have and how a path finds them (RFC 7643 §6, RFC 7644 §3.10).
//! Reading bodies is in `input`, changing them in `patch`.

use std::fmt;

use crate::error::echo;
use crate::path::AttributePath;
use crate::schema::{Attribute, Kind, Mutability, Returned, Schema, Uniqueness, find};
use crate::{GROUP_URN, ScimError, USER_URN, limits};

/// A kind of resource: a core schema with its extensions, perhaps restricted to what one application knows.
///
/// ```
/// use scim::{Attribute, Kind, ResourceType, Schema};
/// use serde_json::json;
///
/// // Users as one application knows them.
/// let users = ResourceType::user().restrict(["userName", "name.familyName", "active"])?.require("name.familyName")?;
/// assert!(users.find("emails").is_none());
///
/// // And devices.
/// let serial = Attribute { required: true, case_exact: true, ..Attribute::new("serialNumber", Kind::String) };
/// let schema = Schema::new("urn:example:schemas:1.0:Device", "Device", vec![serial]);
/// schema.check()?;
/// let devices = ResourceType::new("Device", "/Devices", "Things with a serial number", schema);
/// let device = devices.read(json!({ "schemas": ["urn:example:schemas:1.0:Device"], "SERIALNUMBER": "S-1" }))?;
/// assert_eq!(device["serialNumber"], "S-1");
/// # Ok::<(), scim::ScimError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceType {
    /// Its name and id, such as `User`.
    pub name: String,
    /// Where it lives, such as `/Users`.
    pub endpoint: String,
    /// For people.
    pub description: String,
    /// The core schema.
    pub schema: Schema,
    /// The extensions, each with whether a resource must have it.
    pub extensions: Vec<(Schema, bool)>,
    /// `schemas`, `id`, `externalId`, `meta`: every resource's attributes (RFC 7643 §3.1).
    pub(crate) shared: Vec<Attribute>,
}

/// What a path names in a resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolved<'a> {
    /// The URN of the extension that holds the attribute; `None` for core attributes.
    pub extension: Option<&'a str>,
    /// The attribute.
    pub attribute: &'a Attribute,
    /// The sub-attribute, if the path names one.
    pub sub_attribute: Option<&'a Attribute>,
}

impl Resolved<'_> {
    /// The definition that a comparison uses: the sub-attribute, or the attribute itself, or its `value` when it is complex.
    pub fn compared(&self) -> Option<&Attribute> {
        self.sub_attribute.or_else(|| self.attribute.compared())
    }
}

/// The canonical spelling, without any filter.
impl fmt::Display for Resolved<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(urn) = self.extension {
            write!(f, "{urn}:")?;
        }
        f.write_str(&self.attribute.name)?;
        self.sub_attribute.map_or(Ok(()), |sub| write!(f, ".{}", sub.name))
    }
}

/// What a name or path leads to: one attribute, or all attributes of one schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    Attribute(Resolved<'a>),
    Extension(&'a Schema),
    Core,
}

impl ResourceType {
    /// A resource type of one schema, with the attributes that every resource has.
    pub fn new(
        name: impl Into<String>,
        endpoint: impl Into<String>,
        description: impl Into<String>,
        schema: Schema,
    ) -> Self {
        Self {
            name: name.into(),
            endpoint: endpoint.into(),
            description: description.into(),
            schema,
            extensions: Vec::new(),
            shared: shared(),
        }
    }

    /// Users with the whole core schema and the enterprise extension.
    pub fn user() -> Self {
        Self::new("User", "/Users", "User Account", crate::core_user()).with_extension(crate::enterprise_user(), false)
    }

    /// Groups with the whole core schema.
    pub fn group() -> Self {
        Self::new("Group", "/Groups", "Group", crate::core_group())
    }

    /// Adds an extension; `required` means that every resource must have it.
    #[must_use]
    pub fn with_extension(mut self, schema: Schema, required: bool) -> Self {
        self.extensions.push((schema, required));
        self
    }

    /// Keeps only the attributes named (`userName`, `name.givenName`, `emails`, `urn:…:User:department`); a filter in a path is not
    /// looked at. A complex attribute named whole keeps all its parts; one named by parts keeps those, and `type` and `primary` of a
    /// multi-valued one. `schemas`, `id` and `meta` always stay, `externalId` only when named, and an extension without attributes goes.
    ///
    /// # Errors
    /// `invalidPath` when a path is malformed or names nothing.
    pub fn restrict<'p>(mut self, paths: impl IntoIterator<Item = &'p str>) -> Result<Self, ScimError> {
        let mut kept: Vec<String> = Vec::new();
        for text in paths {
            let path: AttributePath = text.parse()?;
            match self.target(&path).ok_or_else(|| unknown_path(text))? {
                Target::Attribute(resolved) => keep(&mut kept, resolved),
                Target::Extension(schema) => {
                    kept.extend(schema.attributes.iter().map(|a| format!("{}:{}", schema.id, a.name)));
                }
                Target::Core => kept.extend(self.schema.attributes.iter().map(|a| a.name.clone())),
            }
        }
        restrict_level(&mut self.schema.attributes, "", &kept);
        for (schema, _) in &mut self.extensions {
            let prefix = format!("{}:", schema.id);
            restrict_level(&mut schema.attributes, &prefix, &kept);
        }
        self.extensions.retain(|(schema, _)| !schema.attributes.is_empty());
        self.shared.retain(|a| a.name != "externalId" || kept.contains(&a.name));
        Ok(self)
    }

    /// Makes an attribute required; with a sub-attribute, also the attribute that holds it, and of an extension,
    /// also the extension.
    ///
    /// # Errors
    /// `invalidPath` when the path is malformed or names nothing.
    pub fn require(mut self, path: &str) -> Result<Self, ScimError> {
        let parsed: AttributePath = path.parse()?;
        let resolved = self.resolve(&parsed).ok_or_else(|| unknown_path(path))?;
        let (extension, name, sub) = (
            resolved.extension.map(str::to_owned),
            resolved.attribute.name.clone(),
            resolved.sub_attribute.map(|a| a.name.clone()),
        );
        let level = match &extension {
            Some(urn) => {
                self.extensions.iter_mut().find(|(schema, _)| schema.id == *urn).and_then(|(schema, required)| {
                    *required = true;
                    schema.attributes.iter_mut().find(|a| a.name == name)
                })
            }
            None => self.schema.attributes.iter_mut().chain(&mut self.shared).find(|a| a.name == name),
        };
        if let Some(attribute) = level {
            attribute.required = true;
            if let Some(part) = attribute.sub_attributes.iter_mut().find(|a| Some(&a.name) == sub.as_ref()) {
                part.required = true;
            }
        }
        Ok(self)
    }

    /// The attribute that a name leads to: `userName`, `urn:…:User:department`, also a bare name of an extension's attribute. Any case.
    pub fn find(&self, name: &str) -> Option<&Attribute> {
        if let Some(attribute) = self.core_attribute(name) {
            return Some(attribute);
        }
        self.resolve(&name.parse().ok()?)
            .filter(|resolved| resolved.sub_attribute.is_none())
            .map(|resolved| resolved.attribute)
    }

    /// Finds what a path names; its filter is not looked at. `None` when it names nothing known, or a whole schema.
    ///
    /// A name without URN is looked for in the core schema first, then in the extensions (`manager`).
    pub fn resolve(&self, path: &AttributePath) -> Option<Resolved<'_>> {
        match self.target(path)? {
            Target::Attribute(resolved) => Some(resolved),
            Target::Extension(_) | Target::Core => None,
        }
    }

    /// The URNs of the core schema and the extensions, in that order.
    pub fn schema_ids(&self) -> impl Iterator<Item = &str> {
        self.schemas().map(|schema| schema.id.as_str())
    }

    /// The core schema and the extensions, in that order.
    pub fn schemas(&self) -> impl Iterator<Item = &Schema> {
        std::iter::once(&self.schema).chain(self.extensions.iter().map(|(schema, _)| schema))
    }

    /// The extension of this URN, in any case.
    pub fn extension(&self, urn: &str) -> Option<&Schema> {
        self.extensions.iter().map(|(schema, _)| schema).find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }

    /// A core attribute or one that every resource has, by its name in any case.
    pub(crate) fn core_attribute(&self, name: &str) -> Option<&Attribute> {
        find(&self.schema.attributes, name).or_else(|| find(&self.shared, name))
    }

    /// The definitions of a level of a resource: the top (`None`) or an extension's object.
    pub(crate) fn level(&self, extension: Option<&str>, name: &str) -> Option<&Attribute> {
        match extension {
            Some(urn) => self.extension(urn)?.attribute(name),
            None => self.core_attribute(name),
        }
    }

    /// How many elements an attribute may have.
    pub(crate) fn values_max(&self, attribute: &Attribute) -> usize {
        if self.is_members(attribute) { limits::MEMBERS_MAX } else { limits::VALUES_MAX }
    }

    /// Whether the attribute, one of this resource type's own definitions, is a group's `members` (RFC 7643 §4.2). An extension may have
    /// an attribute of the same name.
    pub(crate) fn is_members(&self, attribute: &Attribute) -> bool {
        attribute.name == "members" && self.schema.id == GROUP_URN && is_of(&self.schema.attributes, attribute)
    }

    /// Whether the attribute, one of this resource type's own definitions, is a user's login name (RFC 7643 §4.1.1).
    pub(crate) fn is_user_name(&self, attribute: &Attribute) -> bool {
        attribute.name == "userName" && self.schema.id == USER_URN && is_of(&self.schema.attributes, attribute)
    }

    /// Whether the attribute, one of this resource type's own definitions, is the `externalId` that every resource has (RFC 7643 §3.1).
    pub(crate) fn is_external_id(&self, attribute: &Attribute) -> bool {
        attribute.name == "externalId"
            && self.core_attribute("externalId").is_some_and(|own| std::ptr::eq(own, attribute))
    }

    pub(crate) fn target(&self, path: &AttributePath) -> Option<Target<'_>> {
        match &path.urn {
            Some(urn) => self.qualified(urn, path),
            None => self.bare(path),
        }
    }

    fn bare(&self, path: &AttributePath) -> Option<Target<'_>> {
        let sub = path.sub_attribute.as_deref();
        if let Some(attribute) = self.core_attribute(&path.attribute) {
            return part(None, attribute, sub);
        }
        self.extensions.iter().find_map(|(schema, _)| part(Some(&schema.id), schema.attribute(&path.attribute)?, sub))
    }

    /// The longest schema id wins, so that a schema whose id extends another's is never taken for an attribute of it. The text decides, not
    /// how it was split: an id may end like a sub-attribute, or not like an attribute at all.
    fn qualified(&self, urn: &str, path: &AttributePath) -> Option<Target<'_>> {
        let written = |between: char| match (&path.filter, &path.sub_attribute) {
            (None, Some(sub)) => format!("{urn}{between}{}.{sub}", path.attribute),
            (None, None) | (Some(_), _) => format!("{urn}{between}{}", path.attribute),
        };
        // Of two dots in the last part the first was taken for a colon.
        let had_dots = path.filter.is_none() && path.sub_attribute.is_some();
        self.led_to(&written(':'), path).or_else(|| had_dots.then(|| self.led_to(&written('.'), path)).flatten())
    }

    /// What a text without its filter leads to.
    fn led_to(&self, text: &str, path: &AttributePath) -> Option<Target<'_>> {
        let mut begun: Vec<(usize, &Schema)> =
            self.schemas().enumerate().filter(|(_, schema)| behind(text, &schema.id).is_some()).collect();
        begun.sort_by_key(|(_, schema)| std::cmp::Reverse(schema.id.len()));
        begun.into_iter().find_map(|(number, schema)| {
            let extension = (number > 0).then_some(schema.id.as_str());
            let rest = behind(text, &schema.id)?;
            if rest.is_empty() {
                return Some(if number > 0 { Target::Extension(schema) } else { Target::Core });
            }
            let name = rest.get(1..)?;
            let (name, sub) = match (&path.filter, name.split_once('.')) {
                (Some(_), _) => (name, path.sub_attribute.as_deref()),
                (None, Some((name, sub))) => (name, Some(sub)),
                (None, None) => (name, None),
            };
            part(extension, self.level(extension, name)?, sub)
        })
    }
}

/// What comes after a schema's id, in any case: nothing, or what begins with a colon or, as once was usual, with a dot.
fn behind<'t>(text: &'t str, id: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(id.len())?;
    (start.eq_ignore_ascii_case(id) && (rest.is_empty() || rest.starts_with([':', '.']))).then_some(rest)
}

/// Whether a definition is one of these, not only named like one.
fn is_of(attributes: &[Attribute], attribute: &Attribute) -> bool {
    attributes.iter().any(|own| std::ptr::eq(own, attribute))
}

fn part<'a>(extension: Option<&'a str>, attribute: &'a Attribute, sub: Option<&str>) -> Option<Target<'a>> {
    let sub_attribute = match sub {
        Some(name) => Some(attribute.sub_attribute(name)?),
        None => None,
    };
    Some(Target::Attribute(Resolved { extension, attribute, sub_attribute }))
}

pub(crate) fn unknown_path(text: &str) -> ScimError {
    ScimError::invalid_path(format!("'{}' names no attribute of this resource type", echo(text)))
}

fn keep(kept: &mut Vec<String>, resolved: Resolved<'_>) {
    let whole = Resolved { sub_attribute: None, ..resolved };
    if resolved.sub_attribute.is_some() && resolved.attribute.multi_valued {
        kept.extend(["type", "primary"].map(|name| format!("{whole}.{name}")));
    }
    kept.push(resolved.to_string());
}

/// Drops what `kept` does not name, at one level and below it.
fn restrict_level(attributes: &mut Vec<Attribute>, prefix: &str, kept: &[String]) {
    attributes.retain_mut(|attribute| {
        let name = format!("{prefix}{}", attribute.name);
        if kept.contains(&name) {
            return true;
        }
        attribute.sub_attributes.retain(|sub| kept.contains(&format!("{name}.{}", sub.name)));
        !attribute.sub_attributes.is_empty()
    });
}

fn shared() -> Vec<Attribute> {
    let read_only = |name: &str, kind| Attribute {
        mutability: Mutability::ReadOnly,
        case_exact: true,
        ..Attribute::new(name, kind)
    };
    vec![
        Attribute { multi_valued: true, returned: Returned::Always, ..read_only("schemas", Kind::Reference) },
        Attribute { returned: Returned::Always, uniqueness: Uniqueness::Server, ..read_only("id", Kind::String) },
        Attribute { case_exact: true, ..Attribute::new("externalId", Kind::String) },
        Attribute {
            sub_attributes: vec![
                read_only("resourceType", Kind::String),
                read_only("created", Kind::DateTime),
                read_only("lastModified", Kind::DateTime),
                read_only("location", Kind::Reference),
                read_only("version", Kind::String),
            ],
            ..read_only("meta", Kind::Complex)
        },
    ]
}
