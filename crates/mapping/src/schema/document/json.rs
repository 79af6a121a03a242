//! Takes JSON values apart: every misfit is told with its place, and members that nobody knows stay.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::member::Member;
use super::{MISFITS_MAX, Misfit, Misspelling, TEXT_BYTES_MAX};
use crate::nearest::nearest;

/// What can be read out of a JSON value. What does not fit is told to the reader, and a default stands in for it.
pub(in crate::schema) trait Json: Default {
    /// Elements of one list of these.
    const LISTED_MAX: usize;

    fn read(json: Value, reader: &mut Reader) -> Self;
}

/// One step into a document.
enum Step {
    Member(&'static str),
    Element(usize),
}

/// Where the reading stands, and what it has found.
#[derive(Default)]
pub(in crate::schema) struct Reader {
    path: Vec<Step>,
    pub(super) misfits: Vec<Misfit>,
    pub(super) misspellings: Vec<Misspelling>,
}

impl Reader {
    /// `synchronizationRules[0].objectMappings[2].scope`; `the document` at its top.
    fn place(&self) -> String {
        let mut place = String::new();
        for step in &self.path {
            let separator = if place.is_empty() { "" } else { "." };
            let _ = match step {
                Step::Member(name) => write!(place, "{separator}{name}"),
                Step::Element(index) => write!(place, "[{index}]"),
            };
        }
        if place.is_empty() { "the document".to_owned() } else { place }
    }

    pub(super) fn misfit(&mut self, expected: impl Into<String>, found: impl Into<String>) {
        if self.misfits.len() < MISFITS_MAX {
            let place = self.place();
            self.misfits.push(Misfit { place, expected: expected.into(), found: found.into() });
        }
    }

    /// The members of an object.
    pub(super) fn object(&mut self, json: Value, what: &str) -> Map<String, Value> {
        match json {
            Value::Object(members) => members,
            other => {
                self.misfit(format!("an object ({what})"), kind_of(&other));
                Map::new()
            }
        }
    }

    /// Takes a member out of its object.
    pub(super) fn member<T: Json>(&mut self, members: &mut Map<String, Value>, name: &'static str) -> Member<T> {
        match members.remove(name) {
            None => Member::Absent,
            Some(Value::Null) => Member::Null,
            Some(json) => {
                self.path.push(Step::Member(name));
                let value = T::read(json, self);
                self.path.pop();
                Member::Given(value)
            }
        }
    }

    /// Looks through the members that are left for names that were probably meant to be known ones.
    pub(super) fn others(&mut self, others: &Map<String, Value>, absent: &[&'static str]) {
        for written in others.keys().filter(|name| !name.starts_with('@')) {
            let Some(meant) = nearest(written, absent.iter().copied()) else { continue };
            if self.misspellings.len() < MISFITS_MAX {
                let place = self.place();
                self.misspellings.push(Misspelling { place, written: written.clone(), meant });
            }
        }
    }
}

/// What a JSON value is, for people.
pub(super) fn kind_of(json: &Value) -> &'static str {
    match json {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl<T: Json> Json for Vec<T> {
    const LISTED_MAX: usize = 0;

    fn read(json: Value, reader: &mut Reader) -> Self {
        let Value::Array(elements) = json else {
            reader.misfit("a list", kind_of(&json));
            return Self::new();
        };
        if elements.len() > T::LISTED_MAX {
            reader.misfit(format!("at most {} elements", T::LISTED_MAX), elements.len().to_string());
            return Self::new();
        }
        let read = |(index, element)| {
            reader.path.push(Step::Element(index));
            let value = T::read(element, reader);
            reader.path.pop();
            value
        };
        elements.into_iter().enumerate().map(read).collect()
    }
}

impl Json for Value {
    const LISTED_MAX: usize = 1_000;

    fn read(json: Value, _: &mut Reader) -> Self {
        json
    }
}

impl Json for String {
    const LISTED_MAX: usize = 1_000;

    fn read(json: Value, reader: &mut Reader) -> Self {
        match json {
            Value::String(text) if text.len() <= TEXT_BYTES_MAX => text,
            Value::String(text) => {
                reader.misfit(format!("text of at most {TEXT_BYTES_MAX} bytes"), format!("{} bytes", text.len()));
                Self::new()
            }
            other => {
                reader.misfit("text in quotes, or null", kind_of(&other));
                Self::new()
            }
        }
    }
}

impl Json for bool {
    const LISTED_MAX: usize = 0;

    fn read(json: Value, reader: &mut Reader) -> Self {
        json.as_bool().unwrap_or_else(|| {
            reader.misfit("true or false, without quotes", kind_of(&json));
            false
        })
    }
}

impl Json for i64 {
    const LISTED_MAX: usize = 0;

    fn read(json: Value, reader: &mut Reader) -> Self {
        json.as_i64().unwrap_or_else(|| {
            let found = if json.is_number() { json.to_string() } else { kind_of(&json).to_owned() };
            reader.misfit("a whole number, without quotes", found);
            0
        })
    }
}

/// A JSON object of the document: its members by name, and the others as they came.
macro_rules! object {
    ($(#[$doc:meta])* $name:ident ($what:literal, at most $max:literal) {
        $($(#[$member_doc:meta])* $field:ident: $type:ty = $key:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $($(#[$member_doc])* pub $field: Member<$type>,)*
            /// Members that this program does not know. They are kept.
            pub other: serde_json::Map<String, serde_json::Value>,
        }

        impl Json for $name {
            const LISTED_MAX: usize = $max;

            fn read(json: serde_json::Value, reader: &mut Reader) -> Self {
                let mut members = reader.object(json, $what);
                $(let $field = reader.member(&mut members, $key);)*
                let mut absent = Vec::new();
                $(if $field == Member::Absent { absent.push($key); })*
                reader.others(&members, &absent);
                Self { $($field,)* other: members }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                let mut map = serializer.serialize_map(None)?;
                $(match &self.$field {
                    Member::Absent => {}
                    Member::Null => map.serialize_entry($key, &())?,
                    Member::Given(value) => map.serialize_entry($key, value)?,
                })*
                for (name, value) in &self.other {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    };
}
pub(super) use object;
