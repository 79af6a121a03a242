//! Sorting (RFC 7644 §3.4.2.3): which value of a resource decides its place, and how two such values compare.

use serde_json::{Number, Value};

use crate::comparison::{Comparison, user_name_key};
use crate::error::echo;
use crate::fold::{fold, fold_effort};
use crate::schema::{Attribute, Kind, Returned};
use crate::value::is_primary;
use crate::{AttributePath, Attributes, Moment, ResourceType, ScimError};

/// How much of a text decides its place, in bytes: what begins alike up to there is at the same place. No `userName` is longer when
/// it is folded.
pub const SORT_KEY_BYTES_MAX: usize = 2048;

/// An attribute to sort by.
///
/// ```
/// use scim::{ResourceType, Sort};
/// use serde_json::json;
///
/// let sort = Sort::read("name.familyName", &ResourceType::user())?;
/// let mut people = [json!({ "name": { "familyName": "lovelace" } }), json!({}), json!({ "name": { "familyName": "Hopper" } })];
/// people.sort_by_key(|person| sort.key(person.as_object().expect("written as an object")));
/// assert_eq!(people[0]["name"]["familyName"], "Hopper");
/// assert_eq!(people[2], json!({}), "who has none comes last");
/// # Ok::<(), scim::ScimError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sort {
    path: String,
    extension: Option<String>,
    attribute: String,
    sub_attribute: Option<String>,
    comparison: Comparison,
}

/// The place of a resource among others. Resources without value come last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    /// `false` comes before `true`.
    Boolean(bool),
    /// A number: what it is as a fraction, in bits that sort as it does, then the whole number, which a fraction may not hold exactly.
    Number(u64, i128),
    /// A moment.
    Instant(Moment),
    /// A text, folded unless its attribute is `caseExact`.
    Text(String),
    /// No value.
    Missing,
}

impl Sort {
    /// Reads the parameter `sortBy`.
    ///
    /// # Errors
    /// `invalidValue` for what is no path, names no attribute of the resource type, is never returned, or is complex without `value`.
    pub fn read(sort_by: &str, resource_type: &ResourceType) -> Result<Self, ScimError> {
        let refuse = |why: &str| Err(ScimError::invalid_value(format!("sortBy '{}' {why}", echo(sort_by))));
        let Ok(path) = sort_by.trim().parse::<AttributePath>() else { return refuse("is no attribute path") };
        let Some(found) = resource_type.resolve(&path) else {
            return refuse("names no attribute of this resource type");
        };
        if path.filter.is_some() {
            return refuse("has brackets; the primary value decides, or else the first");
        }
        let is_hidden = |attribute: &Attribute| attribute.returned == Returned::Never;
        if is_hidden(found.attribute) {
            return refuse("is never returned, so nothing is sorted by it");
        }
        let Some(compared) = found.compared() else {
            return refuse("is complex and has no value; name one of its sub-attributes");
        };
        if is_hidden(compared) {
            return refuse("is never returned, so nothing is sorted by it");
        }
        let is_part = found.sub_attribute.is_some() || found.attribute.kind == Kind::Complex;
        let sub_attribute = is_part.then(|| compared.name.clone());
        Ok(Self {
            path: crate::Resolved { sub_attribute: is_part.then_some(compared), ..found }.to_string(),
            extension: found.extension.map(str::to_owned),
            attribute: found.attribute.name.clone(),
            sub_attribute,
            comparison: resource_type.comparison(compared),
        })
    }

    /// The canonical path of what is compared, such as `emails.value`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The name under which a resource holds what decides: its attribute's, or the URN of the extension.
    pub fn held_under(&self) -> &str {
        self.extension.as_deref().unwrap_or(&self.attribute)
    }

    /// The place of a resource.
    pub fn key(&self, resource: &Attributes) -> SortKey {
        self.value(resource).and_then(|value| self.comparison.key(value)).unwrap_or(SortKey::Missing)
    }

    /// What finding that place costs; see [`fold_effort`].
    pub fn effort(&self, resource: &Attributes) -> u64 {
        self.value(resource).and_then(Value::as_str).map_or(0, fold_effort)
    }

    /// Of a multi-valued attribute the primary value decides, or else the first.
    fn value<'v>(&self, resource: &'v Attributes) -> Option<&'v Value> {
        let level = match &self.extension {
            None => Some(resource),
            Some(urn) => resource.get(urn).and_then(Value::as_object),
        };
        let element = match level.and_then(|level| level.get(&self.attribute)) {
            Some(Value::Array(elements)) => elements.iter().find(|element| is_primary(element)).or(elements.first()),
            single => single,
        };
        let part = match &self.sub_attribute {
            Some(name) => element.and_then(|element| element.get(name)),
            None => element,
        };
        match part {
            Some(Value::Array(parts)) => parts.first(),
            single => single,
        }
    }
}

impl Comparison {
    /// The place of a value; `None` for one that the type does not have.
    fn key(self, value: &Value) -> Option<SortKey> {
        match (self, value) {
            (_, Value::String(text)) if text.is_empty() => None,
            (Self::Exact, Value::String(text)) => Some(SortKey::text(text.clone())),
            (Self::Folded, Value::String(text)) => Some(SortKey::text(fold(text))),
            (Self::UserName, Value::String(text)) => Some(SortKey::text(user_name_key(text))),
            (Self::Boolean, Value::Bool(value)) => Some(SortKey::Boolean(*value)),
            (Self::Number, Value::Number(number)) => SortKey::number(number),
            (Self::Instant, Value::String(text)) => Moment::read(text).map(SortKey::Instant),
            _ => None,
        }
    }
}

impl SortKey {
    /// The key of a text that is folded already.
    pub fn text(mut text: String) -> Self {
        if text.len() > SORT_KEY_BYTES_MAX {
            let end = (0..=SORT_KEY_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(end.unwrap_or(0));
        }
        Self::Text(text)
    }

    /// A fraction is compared first, because whole numbers keep their order in it; those that it cannot tell apart by themselves.
    fn number(number: &Number) -> Option<Self> {
        let fraction = number.as_f64()?;
        // Adding nothing makes one zero of the two.
        let bits = (fraction + 0.0).to_bits();
        let sortable = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
        #[expect(clippy::cast_possible_truncation, reason = "what is too large for a whole number becomes the largest")]
        let whole = number.as_i128().unwrap_or(fraction as i128);
        Some(Self::Number(sortable, whole))
    }

    /// How much it holds, in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Boolean(_) | Self::Number(..) | Self::Instant(_) | Self::Missing => 0,
        }
    }

    /// Writes the key at the end of `out`, as [`SortKey::read`] reads it.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Boolean(value) => out.extend([0, u8::from(*value)]),
            Self::Number(sortable, whole) => {
                out.push(1);
                out.extend(sortable.to_be_bytes());
                out.extend(whole.to_be_bytes());
            }
            Self::Instant(at) => {
                out.push(2);
                out.extend(at.as_nanosecond().to_be_bytes());
            }
            Self::Text(text) => {
                out.push(3);
                out.extend(text.as_bytes());
            }
            Self::Missing => out.push(4),
        }
    }

    /// Reads what [`SortKey::write`] wrote; `None` for anything else.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (tag, rest) = bytes.split_first()?;
        match tag {
            0 => match rest {
                [0] => Some(Self::Boolean(false)),
                [1] => Some(Self::Boolean(true)),
                _ => None,
            },
            1 => {
                let (sortable, whole) = rest.split_first_chunk()?;
                Some(Self::Number(u64::from_be_bytes(*sortable), i128::from_be_bytes(whole.try_into().ok()?)))
            }
            2 => Some(Self::Instant(Moment::from_nanosecond(i128::from_be_bytes(rest.try_into().ok()?)))),
            3 => std::str::from_utf8(rest).ok().map(|text| Self::Text(text.to_owned())),
            4 if rest.is_empty() => Some(Self::Missing),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{Schema, ScimType};

    fn user() -> ResourceType {
        ResourceType::user()
    }

    fn key(sort_by: &str, resource: &Value) -> SortKey {
        Sort::read(sort_by, &user()).unwrap().key(resource.as_object().unwrap())
    }

    fn text(text: &str) -> SortKey {
        SortKey::Text(text.to_owned())
    }

    #[test]
    fn the_value_that_decides() {
        let ada = json!({
            "userName": "Ada@Example.COM", "externalId": "A-1", "active": true, "name": { "familyName": "Lovelace" },
            "emails": [{ "value": "b@x", "type": "home" }, { "value": "A@X", "primary": true }],
            "phoneNumbers": [{ "value": "2" }, { "value": "1" }], "title": "",
            "meta": { "created": "2026-01-01T01:00:00+01:00" },
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "manager": { "value": "M" }, "department": "Dép" },
        });
        for (sort_by, expected) in [
            ("userName", text("ada@example.com")),
            ("USERNAME", text("ada@example.com")),
            ("externalId", text("A-1")),
            ("active", SortKey::Boolean(true)),
            ("name.familyName", text("lovelace")),
            ("emails", text("a@x")),
            ("emails.value", text("a@x")),
            ("emails.type", SortKey::Missing),
            ("phoneNumbers", text("2")),
            ("title", SortKey::Missing),
            ("nickName", SortKey::Missing),
            ("meta.created", SortKey::Instant(Moment::read("2026-01-01T00:00:00Z").unwrap())),
            ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department", text("dép")),
            ("manager", text("M")),
        ] {
            assert_eq!(key(sort_by, &ada), expected, "{sort_by}");
        }
    }

    #[test]
    fn what_nothing_is_sorted_by() {
        for sort_by in [
            "",
            "unknown",
            "password",
            "name",
            "meta",
            "emails[type eq \"work\"].value",
            "id; select",
            "a b",
            "name.x",
            &"x".repeat(9000),
        ] {
            assert_eq!(Sort::read(sort_by, &user()).unwrap_err().scim_type, ScimType::InvalidValue, "{sort_by}");
        }
    }

    #[test]
    fn values_in_their_order() {
        let schema: Schema = serde_json::from_value(json!({ "id": "urn:x:y", "attributes": [
            { "name": "number", "type": "decimal" }, { "name": "whole", "type": "integer" }, { "name": "at", "type": "dateTime" },
            { "name": "exact", "type": "string", "caseExact": true }, { "name": "any", "type": "string" }, { "name": "on", "type": "boolean" },
        ] }))
        .unwrap();
        let kind = ResourceType::new("X", "/Xs", "", schema);
        for (name, values) in [
            (
                "number",
                json!([
                    -1e300,
                    -2,
                    -1.5,
                    0,
                    0.25,
                    1,
                    9_007_199_254_740_992_u64,
                    9_007_199_254_740_993_u64,
                    u64::MAX,
                    1e300
                ]),
            ),
            ("whole", json!([i64::MIN, -7, 0, 7, i64::MAX])),
            (
                "at",
                json!([
                    "2026-01-01T00:00:00+02:00",
                    "2025-12-31T23:00:00Z",
                    "2026-01-01T00:00:00.0001Z",
                    "2026-01-01T00:00:00.001Z",
                    "9999-12-31T23:59:59Z",
                    "9999-12-31T23:59:59-14:00"
                ]),
            ),
            ("exact", json!(["A", "B", "a", "b", "é"])),
            ("any", json!(["a", "B", "c", "É"])),
            ("on", json!([false, true])),
        ] {
            let sort = Sort::read(name, &kind).unwrap();
            let keys: Vec<SortKey> = values
                .as_array()
                .unwrap()
                .iter()
                .map(|value| sort.key(&Attributes::from_iter([(name.to_owned(), value.clone())])))
                .chain([sort.key(&Attributes::new())])
                .collect();
            assert!(keys.is_sorted_by(|left, right| left < right), "{name}: {keys:?}");
            assert_eq!(keys.last(), Some(&SortKey::Missing), "{name}");
        }
        assert_eq!(
            Sort::read("number", &kind).unwrap().key(json!({ "number": -0.0 }).as_object().unwrap()),
            Sort::read("number", &kind).unwrap().key(json!({ "number": 0 }).as_object().unwrap())
        );
    }

    #[test]
    fn a_long_text_decides_by_its_beginning() {
        let long = format!("{}é", "x".repeat(SORT_KEY_BYTES_MAX - 1));
        assert_eq!(SortKey::text(long).bytes(), SORT_KEY_BYTES_MAX - 1);
    }

    proptest! {
        #[test]
        fn keys_are_read_as_they_were_written(value in any::<String>(), whole in any::<i64>(), nanosecond in any::<i64>()) {
            for key in [SortKey::Text(value), SortKey::number(&whole.into()).unwrap(), SortKey::Missing, SortKey::Boolean(true),
                SortKey::Instant(Moment::from_nanosecond(nanosecond.into()))]
            {
                let mut written = Vec::new();
                key.write(&mut written);
                prop_assert_eq!(SortKey::read(&written), Some(key));
            }
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = SortKey::read(&bytes);
        }
    }
}
