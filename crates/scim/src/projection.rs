//! Which attributes an answer holds (RFC 7644 §3.9, `returned` of RFC 7643 §7).

use serde_json::{Map, Value};

use crate::filter::{ElementMatcher, Folds};
use crate::limits::{FILTER_BYTES_MAX, PROJECTION_PATHS_MAX};
use crate::resource_type::{Resolved, Target};
use crate::schema::{Attribute, Kind, Returned};
use crate::{AttributePath, Attributes, ResourceType, ScimError};

/// What a request asked for with `attributes` or `excludedAttributes`. A path with a filter keeps the elements that match
/// (`emails[type eq "work"]`); names that lead nowhere ask for nothing.
///
/// ```
/// use scim::{Projection, ResourceType};
/// use serde_json::json;
///
/// let mut ada = json!({ "id": "1", "userName": "ada", "title": "Countess", "password": "never shown" });
/// let shown = ada.as_object_mut().expect("written as an object");
/// Projection::read(None, Some("title"))?.apply(&ResourceType::user(), shown);
/// assert_eq!(ada, json!({ "id": "1", "userName": "ada" }));
/// # Ok::<(), scim::ScimError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Projection {
    choice: Choice,
    /// What the request itself set: shown although it is shown on request only.
    set: Vec<AttributePath>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Choice {
    #[default]
    All,
    Only(Vec<AttributePath>),
    Without(Vec<AttributePath>),
}

impl Projection {
    /// Reads the two parameters, already URL-decoded. Empty text is like none.
    ///
    /// # Errors
    /// `invalidValue` when both are given, a path is malformed, or there are too many.
    pub fn read(attributes: Option<&str>, excluded: Option<&str>) -> Result<Self, ScimError> {
        let given = |text: Option<&str>| text.map(paths).transpose().map(Option::unwrap_or_default);
        let (only, without) = (given(attributes)?, given(excluded)?);
        let choice = match (only.is_empty(), without.is_empty()) {
            (true, true) => Choice::All,
            (false, true) => Choice::Only(only),
            (true, false) => Choice::Without(without),
            (false, false) => {
                return Err(ScimError::invalid_value("'attributes' and 'excludedAttributes' exclude each other"));
            }
        };
        Ok(Self { choice, set: Vec::new() })
    }

    /// Shows too what the request itself set and is shown on request only (RFC 7643 §7, `request`); `attributes` and
    /// `excludedAttributes` count for more.
    #[must_use]
    pub fn with_set(mut self, set: Vec<AttributePath>) -> Self {
        self.set = set;
        self
    }

    /// Whether the request asked for nothing in particular.
    pub fn is_all(&self) -> bool {
        self.choice == Choice::All && self.set.is_empty()
    }

    /// How many comparisons the filters in the paths make together.
    pub fn comparisons(&self) -> usize {
        let paths = match &self.choice {
            Choice::All => [].as_slice(),
            Choice::Only(paths) | Choice::Without(paths) => paths.as_slice(),
        };
        paths.iter().filter_map(|path| path.filter.as_ref()).map(|filter| filter.comparisons()).sum()
    }

    /// Whether the answer holds a group's `members`; if not, they need not be loaded.
    pub fn wants_members(&self, resource_type: &ResourceType) -> bool {
        let members = resource_type.core_attribute("members");
        members.is_some_and(|members| resource_type.is_members(members) && self.wants(resource_type, members))
    }

    /// Whether the answer holds a user's `groups`.
    pub fn wants_groups(&self, resource_type: &ResourceType) -> bool {
        resource_type.core_attribute("groups").is_some_and(|groups| self.wants(resource_type, groups))
    }

    /// Whether the answer holds anything of a core attribute.
    fn wants(&self, resource_type: &ResourceType, attribute: &Attribute) -> bool {
        let leads_there = |path: &AttributePath| match resource_type.target(path) {
            Some(Target::Attribute(resolved)) => {
                resolved.extension.is_none() && resolved.attribute.name == attribute.name
            }
            Some(Target::Core) => true,
            Some(Target::Extension(_)) | None => false,
        };
        match (&self.choice, attribute.returned) {
            (_, Returned::Never) | (Choice::All | Choice::Without(_), Returned::Request) => false,
            (_, Returned::Always) | (Choice::All, Returned::Default) => true,
            (Choice::Only(paths), Returned::Default | Returned::Request) => paths.iter().any(leads_there),
            (Choice::Without(paths), Returned::Default) => {
                !paths.iter().any(|path| path.sub_attribute.is_none() && path.filter.is_none() && leads_there(path))
            }
        }
    }

    /// Takes away what the answer must not hold. The resource is whole: with `schemas`, `id` and `meta`.
    pub fn apply(&self, resource_type: &ResourceType, resource: &mut Attributes) {
        let asked = Asked::new(self, resource_type);
        let keys: Vec<String> = resource.keys().cloned().collect();
        for key in keys {
            let keeps = match (resource_type.core_attribute(&key), resource_type.extension(&key)) {
                (Some(attribute), _) => asked.keeps(None, attribute, resource),
                (None, Some(schema)) => resource.get_mut(&key).and_then(Value::as_object_mut).is_some_and(|held| {
                    for attribute in &schema.attributes {
                        if !asked.keeps(Some(&schema.id), attribute, held) {
                            held.remove(&attribute.name);
                        }
                    }
                    !held.is_empty()
                }),
                (None, None) => !asked.is_only,
            };
            if !keeps {
                resource.remove(&key);
            }
        }
    }
}

/// Commas inside brackets and strings belong to a path's filter.
fn paths(text: &str) -> Result<Vec<AttributePath>, ScimError> {
    if text.len() > FILTER_BYTES_MAX {
        return Err(ScimError::invalid_value(format!("a list of attributes has at most {FILTER_BYTES_MAX} bytes")));
    }
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let parts = text.split(|c: char| {
        let was_escaped = std::mem::take(&mut escaped);
        match c {
            '\\' => escaped = quoted && !was_escaped,
            '"' if !was_escaped => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.saturating_sub(1),
            ',' => return depth == 0 && !quoted,
            _ => {}
        }
        false
    });
    let parts: Vec<&str> = parts.map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.len() > PROJECTION_PATHS_MAX {
        return Err(ScimError::invalid_value(format!("at most {PROJECTION_PATHS_MAX} attributes can be listed")));
    }
    parts
        .into_iter()
        .map(|part| part.parse().map_err(|error: ScimError| ScimError::invalid_value(error.detail)))
        .collect()
}

/// A projection's paths, looked up.
struct Asked<'a> {
    is_only: bool,
    is_without: bool,
    core: bool,
    extensions: Vec<&'a str>,
    attributes: Vec<(Resolved<'a>, Option<ElementMatcher<'a>>)>,
    set: Vec<Resolved<'a>>,
}

impl<'a> Asked<'a> {
    fn new(projection: &Projection, resource_type: &'a ResourceType) -> Self {
        let (is_only, is_without, paths) = match &projection.choice {
            Choice::All => (false, false, [].as_slice()),
            Choice::Only(paths) => (true, false, paths.as_slice()),
            Choice::Without(paths) => (false, true, paths.as_slice()),
        };
        let mut asked =
            Self { is_only, is_without, core: false, extensions: Vec::new(), attributes: Vec::new(), set: Vec::new() };
        if !is_only {
            asked.set.extend(projection.set.iter().filter_map(|path| resource_type.resolve(path)));
        }
        for path in paths {
            match resource_type.target(path) {
                Some(Target::Core) => asked.core = true,
                Some(Target::Extension(schema)) => asked.extensions.push(&schema.id),
                Some(Target::Attribute(resolved)) => match &path.filter {
                    None => asked.attributes.push((resolved, None)),
                    Some(_) if resolved.attribute.kind != Kind::Complex && !resolved.attribute.multi_valued => {}
                    // A filter that makes no sense selects no element, so it asks for nothing.
                    Some(filter) => asked.attributes.extend(
                        ElementMatcher::new(filter, resolved.attribute).ok().map(|matcher| (resolved, Some(matcher))),
                    ),
                },
                None => {}
            }
        }
        asked
    }

    /// Whether an attribute stays; of a complex one, takes away the parts that do not, and of a list the elements.
    fn keeps(&self, extension: Option<&str>, attribute: &Attribute, level: &mut Map<String, Value>) -> bool {
        if attribute.returned == Returned::Never {
            return false;
        }
        if attribute.returned == Returned::Always && attribute.kind != Kind::Complex {
            return true;
        }
        let named: Vec<&(Resolved<'_>, Option<ElementMatcher<'_>>)> = self
            .attributes
            .iter()
            .filter(|(resolved, _)| resolved.extension == extension && resolved.attribute.name == attribute.name)
            .collect();
        let whole_schema = extension.map_or(self.core, |urn| self.extensions.contains(&urn));
        let whole = whole_schema
            || named.iter().any(|(resolved, matcher)| resolved.sub_attribute.is_none() && matcher.is_none());
        let stays = match attribute.returned {
            Returned::Always => true,
            _ if self.is_only => whole || !named.is_empty(),
            Returned::Request => !(self.is_without && whole) && self.was_set(extension, attribute, None),
            Returned::Default | Returned::Never => !(self.is_without && whole),
        };
        let Some(value) = level.get_mut(&attribute.name).filter(|_| stays) else { return false };
        let only_parts = self.is_only && !whole;
        if attribute.kind == Kind::Complex {
            return shape(value, |element| self.keep_parts(extension, attribute, &named, only_parts, element));
        }
        // Of a list of plain values, those are meant that the brackets choose.
        if !only_parts && !self.is_without || named.is_empty() {
            return true;
        }
        shape(value, |element| {
            let mut folds = Folds::default();
            let mut matchers = named.iter().filter_map(|(_, matcher)| matcher.as_ref());
            matchers.any(|matcher| matcher.matches_among(element, &mut folds)) == only_parts
        })
    }

    /// Whether the request set an attribute, or a part of it.
    fn was_set(&self, extension: Option<&str>, attribute: &Attribute, part: Option<&Attribute>) -> bool {
        self.set.iter().any(|set| {
            set.extension == extension
                && set.attribute.name == attribute.name
                && (part.is_none() || set.sub_attribute.is_none() || set.sub_attribute == part)
        })
    }

    /// Keeps the wanted parts of one element; tells whether anything is left.
    fn keep_parts(
        &self,
        extension: Option<&str>,
        attribute: &Attribute,
        named: &[&(Resolved<'_>, Option<ElementMatcher<'_>>)],
        only_parts: bool,
        element: &mut Value,
    ) -> bool {
        let mut folds = Folds::default();
        let mut meant: Vec<&Resolved<'_>> = Vec::with_capacity(named.len());
        for (resolved, matcher) in named {
            if matcher.as_ref().is_none_or(|matcher| matcher.matches_among(element, &mut folds)) {
                meant.push(resolved);
            }
        }
        let is_named_whole = meant.iter().any(|resolved| resolved.sub_attribute.is_none());
        let is_always = attribute.returned == Returned::Always;
        if !is_always && (only_parts && meant.is_empty() || self.is_without && is_named_whole) {
            return false;
        }
        // What is always shown, and was not asked for in part, is shown as by default.
        let only_parts = only_parts && !(is_always && named.is_empty());
        let Some(object) = element.as_object_mut() else { return true };
        object.retain(|key, _| {
            let Some(sub) = attribute.sub_attribute(key) else { return !only_parts };
            let is_named =
                meant.iter().any(|resolved| resolved.sub_attribute.is_some_and(|named| named.name == sub.name));
            match sub.returned {
                Returned::Always => true,
                Returned::Never => false,
                Returned::Request if self.is_only => is_named,
                Returned::Request => !is_named && self.was_set(extension, attribute, Some(sub)),
                Returned::Default if only_parts => is_named || is_named_whole,
                Returned::Default => !(self.is_without && is_named),
            }
        });
        !object.is_empty()
    }
}

/// Applies to each element of a list, or to the only value; tells whether anything is left.
fn shape(value: &mut Value, mut keeps: impl FnMut(&mut Value) -> bool) -> bool {
    match value {
        Value::Array(elements) => {
            let had_elements = !elements.is_empty();
            elements.retain_mut(keeps);
            !had_elements || !elements.is_empty()
        }
        Value::Null => true,
        single => keeps(single),
    }
}
