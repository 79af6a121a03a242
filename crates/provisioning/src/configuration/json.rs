//! JSON read as values with their places, as TOML is, so that one reader tells what is wrong with either.

use mapping::NoJson;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::rows::Item;
use super::{ConfigurationProblem, Place};

/// A document, with the keys that an object of it has twice: where, and which.
pub(super) struct Json<'t> {
    pub(super) item: Item<'t>,
    pub(super) twice: Vec<(usize, String)>,
}

/// Whether a text is to be read as JSON: a TOML file begins with a key, a comment, or a header in brackets.
pub(super) fn is_json(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with('{') || text.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with(['{', ']']))
}

/// Reads a document; how deep its values may lie in one another is limited by `serde_json`.
pub(super) fn parse(text: &str) -> Result<Json<'_>, ConfigurationProblem> {
    if let Err(error) = serde_json::from_str::<serde_json::Value>(text) {
        let NoJson { what, line, column } = NoJson::of(text, &error);
        let place = Place { line, column };
        return Err(ConfigurationProblem { place: Some(place), what: format!("this is no JSON: {what}") });
    }
    let mut walk = Walk { text, at: 0, twice: Vec::new() };
    let item = walk.item();
    Ok(Json { item, twice: walk.twice })
}

/// A way through a text that is known to be JSON.
struct Walk<'t> {
    text: &'t str,
    at: usize,
    twice: Vec<(usize, String)>,
}

impl<'t> Walk<'t> {
    /// The next byte that is no blank.
    fn next(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let blanks = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.at += blanks;
        rest.get(blanks).copied()
    }

    fn item(&mut self) -> Item<'t> {
        let next = self.next();
        let start = self.at;
        let value = match next {
            Some(b'{') => DeValue::Table(self.table()),
            Some(b'[') => DeValue::Array(self.list()),
            Some(b'"') => DeValue::String(self.string().into()),
            _ => self.word(),
        };
        Spanned::new(start..self.at, value)
    }

    /// The members of an object. One that is null is as one that is not there: TOML has no null.
    fn table(&mut self) -> DeTable<'t> {
        let mut table = DeTable::new();
        self.at += 1;
        while let Some(b'"' | b',') = self.next() {
            if self.next() == Some(b',') {
                self.at += 1;
                self.next();
            }
            let start = self.at;
            let key = self.string();
            let span = start..self.at;
            if self.next() == Some(b':') {
                self.at += 1;
            }
            self.next();
            let is_null = self.text.get(self.at..).is_some_and(|rest| rest.starts_with("null"));
            let item = self.item();
            if !is_null && table.insert(Spanned::new(span, key.clone().into()), item).is_some() {
                self.twice.push((start, key));
            }
        }
        self.at += 1;
        table
    }

    fn list(&mut self) -> DeArray<'t> {
        let mut list = DeArray::new();
        self.at += 1;
        while self.next().is_some_and(|byte| byte != b']') {
            if self.next() == Some(b',') {
                self.at += 1;
            }
            list.push(self.item());
        }
        self.at += 1;
        list
    }

    fn string(&mut self) -> String {
        let start = self.at;
        let bytes = self.text.as_bytes();
        self.at += 1;
        while let Some(byte) = bytes.get(self.at).filter(|byte| **byte != b'"') {
            self.at += if *byte == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        serde_json::from_str(self.text.get(start..self.at).unwrap_or_default()).unwrap_or_default()
    }

    /// A number, a truth value, or null.
    fn word(&mut self) -> DeValue<'t> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, ',' | ']' | '}')).unwrap_or(rest.len());
        let word = &rest[..end];
        self.at += end;
        match word {
            "true" => DeValue::Boolean(true),
            "false" => DeValue::Boolean(false),
            // What is no number of TOML either is a text, and then not what is expected.
            _ => DeValue::parse(word).map_or_else(|_| DeValue::String(word.into()), Spanned::into_inner),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::super::rows::json_of;
    use super::*;

    #[test]
    fn json_is_told_from_toml() {
        for text in ["{}", " \n{\"a\": 1}", "[]", "[ {", "[\n  {\"name\": 1}]"] {
            assert!(is_json(text), "{text}");
        }
        for text in ["", "name = 1", "# {", "[[mappings]]", "[assignments]", "[\"a b\"]", "[ [ mappings ] ]"] {
            assert!(!is_json(text), "{text}");
        }
    }

    #[test]
    fn values_have_their_places() {
        let text = "{ \"a\": [1, -2.5, true, null, \"\\\"x\\u00e9\"],\n  \"b\": null, \"é\": {\"c\": 1, \"c\": 2} }";
        let read = parse(text).unwrap();
        assert_eq!(json_of(&read.item), json!({ "a": [1, -2.5, true, "null", "\"xé"], "é": { "c": 2 } }));
        assert_eq!(read.twice, [(text.rfind("\"c\"").unwrap(), "c".to_owned())]);
        let list = read.item.get_ref().get("a").unwrap();
        assert_eq!(&text[list.get_ref().get(1).unwrap().span()], "-2.5");
    }

    #[test]
    fn what_is_no_json_is_told_with_its_place() {
        for (text, line, column, words) in [
            (
                "{\n  \"a\": }",
                2,
                8,
                "a value is expected here: a text in quotation marks, a number, true, false, null, `[` or `{`",
            ),
            ("{\"a\": 1", 1, 7, "it ends before it is complete, within an object: a `}` is missing"),
            ("{\"a\": [\n", 2, 1, "it ends before it is complete, within a list: a `]` is missing"),
            ("{\"a\": 1} x", 1, 10, "something stands behind its end"),
        ] {
            let problem = parse(text).err().unwrap();
            assert_eq!(problem.place, Some(Place { line, column }), "{text}");
            assert_eq!(problem.what, format!("this is no JSON: {words}"));
        }
        assert!(parse(&"[".repeat(100_000)).err().unwrap().what.contains("too deep in one another"));
    }

    /// Values without what TOML does not have: null, and numbers beyond its own.
    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9_f64).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|all| Value::Object(all.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_serde_reads_is_read(value in values(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            let read = parse(&text).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(json_of(&read.item), value);
            prop_assert!(read.twice.is_empty());
        }

        #[test]
        fn nothing_breaks_it(text in "[\\[\\]{}\",:a1 \\\\\n-]{0,40}") {
            drop(parse(&text));
        }
    }
}
