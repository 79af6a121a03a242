//! From bytes to JSON, refusing what parsers disagree about. What a document means is decided in [`crate::ResourceType::read`].
//!
//! serde_json lets the last of two equal keys win, rounds integers that do not fit and fractions that are too small, and accepts NUL; each
//! has been a way around a check that looked at another parser's reading.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::ScimError;
use crate::limits::JSON_DEPTH_MAX;

/// Above this many keys a set finds duplicates faster than a scan does.
const SCANNED_KEYS_MAX: usize = 24;
/// 2^64 and -2^63: a float at or beyond them may be an integer that did not fit.
const INTEGERS_END: f64 = 18_446_744_073_709_551_616.0;
const INTEGERS_START: f64 = -9_223_372_036_854_775_808.0;

/// Parses one JSON document (RFC 8259) and nothing after it.
///
/// ```
/// assert_eq!(scim::parse_json(br#"{ "userName": "ada" }"#)?["userName"], "ada");
/// assert!(scim::parse_json(br#"{ "userName": "ada", "USERNAME": "eve" }"#).is_err(), "which of the two counts?");
/// # Ok::<(), scim::ScimError>(())
/// ```
///
/// # Errors
/// `invalidSyntax` for malformed JSON, a byte order mark, deeper nesting than [`JSON_DEPTH_MAX`], two keys of one object that differ
/// at most in ASCII case (attribute names are case-insensitive, RFC 7643 §2.1), or NUL in a string. `invalidValue` for a whole number
/// that would have to be rounded, and for a fraction so small that nothing would be left of it.
pub fn parse_json(bytes: &[u8]) -> Result<Value, ScimError> {
    let (refusal, numbers) = (Cell::new(None), RefCell::new(Numbers(bytes)));
    let mut parser = serde_json::Deserializer::from_slice(bytes);
    let strict = Strict { depth: 0, refusal: &refusal, numbers: &numbers };
    let parsed = strict.deserialize(&mut parser).and_then(|value| parser.end().map(|()| value));
    parsed.map_err(|error| match refusal.get() {
        Some(refusal) => refusal.error(),
        None if bytes.starts_with(b"\xEF\xBB\xBF") => {
            ScimError::invalid_syntax("the body starts with a byte order mark")
        }
        None if error.to_string().starts_with("number out of range") => Refusal::Number.error(),
        None => ScimError::invalid_syntax(format!(
            "the body is not valid JSON (line {}, column {})",
            error.line(),
            error.column()
        )),
    })
}

/// Why valid JSON is refused all the same.
#[derive(Clone, Copy)]
enum Refusal {
    Depth,
    Duplicate,
    Nul,
    Number,
}

impl Refusal {
    fn error(self) -> ScimError {
        match self {
            Self::Depth => ScimError::invalid_syntax(format!("the body is nested deeper than {JSON_DEPTH_MAX} levels")),
            Self::Duplicate => {
                ScimError::invalid_syntax("an object names the same attribute twice (names are compared without case)")
            }
            Self::Nul => ScimError::invalid_syntax("a string holds the NUL character"),
            Self::Number => ScimError::invalid_value("a number is too large, or too small a fraction, to be kept"),
        }
    }
}

/// Builds one value; remembers in `refusal` why it stopped, because serde carries only text.
#[derive(Clone, Copy)]
struct Strict<'r> {
    depth: usize,
    refusal: &'r Cell<Option<Refusal>>,
    /// The numbers as they are written, behind the last that had to be looked at.
    numbers: &'r RefCell<Numbers<'r>>,
}

impl Strict<'_> {
    fn refuse<T, E: Error>(self, refusal: Refusal) -> Result<T, E> {
        self.refusal.set(Some(refusal));
        Err(E::custom("refused"))
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= JSON_DEPTH_MAX {
            return self.refuse(Refusal::Depth);
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    /// A number at an end of what is told apart, by what was written: `1e-400` is not 0, and `1e20` is exact where a whole number of as
    /// many digits is not. `-0` is a fraction as `0.0` is: which sign an integer of no sign had would else be lost.
    fn as_written<E: Error>(self, value: f64) -> Result<Value, E> {
        let is_meant = |number: &&str| {
            let is_at_end = number.parse().is_ok_and(|other: f64| is_end(other) && (other == 0.0) == (value == 0.0));
            is_at_end && (*number == "-0" || number.parse::<u64>().is_err() && number.parse::<i64>().is_err())
        };
        match self.numbers.borrow_mut().find(is_meant) {
            Some("-0") => Ok(Value::from(value)),
            Some(number) if number.contains(['.', 'e', 'E']) && has_digits(number) == (value != 0.0) => {
                Ok(Value::from(value))
            }
            _ => self.refuse(Refusal::Number),
        }
    }

    fn checked<E: Error>(self, text: String) -> Result<String, E> {
        if text.as_bytes().contains(&0) { self.refuse(Refusal::Nul) } else { Ok(text) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// Reads a key, so that its text is checked like any other string.
struct Key<'r>(Strict<'r>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = String;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        let key = <String as serde::Deserialize>::deserialize(deserializer)?;
        self.0.checked(key)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }
    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        if is_end(value) {
            return self.as_written(value);
        }
        Number::from_f64(value).map_or_else(|| self.refuse(Refusal::Number), |number| Ok(Value::Number(number)))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        self.visit_string(text.to_owned())
    }
    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        self.checked(text).map(Value::String)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut elements = Vec::new();
        while let Some(element) = access.next_element_seed(inner)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        let mut seen = HashSet::new();
        while let Some(key) = access.next_key_seed(Key(inner))? {
            if is_duplicate(&object, &mut seen, &key) {
                return self.refuse(Refusal::Duplicate);
            }
            let value = access.next_value_seed(inner)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

/// Whether something else may have been written than what was read.
const fn is_end(value: f64) -> bool {
    value == 0.0 || value <= INTEGERS_START || value >= INTEGERS_END
}

/// Whether a number has a digit other than 0 before its exponent.
pub(crate) fn has_digits(number: &str) -> bool {
    number.bytes().take_while(|b| !matches!(b, b'e' | b'E')).any(|b| matches!(b, b'1'..=b'9'))
}

/// The numbers of a document, as they are written; what is between quotation marks is passed over.
struct Numbers<'b>(&'b [u8]);

impl<'b> Iterator for Numbers<'b> {
    type Item = &'b str;

    fn next(&mut self) -> Option<&'b str> {
        let is_part = |b: &u8| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E');
        let mut is_text = false;
        let mut at = 0;
        loop {
            match self.0.get(at)? {
                b'\\' if is_text => at += 1,
                b'"' => is_text = !is_text,
                b'-' | b'0'..=b'9' if !is_text => break,
                _ => {}
            }
            at += 1;
        }
        let found = self.0.get(at..)?;
        let (number, rest) = found.split_at(found.iter().take_while(|b| is_part(b)).count());
        self.0 = rest;
        std::str::from_utf8(number).ok()
    }
}

/// Whether the object already has the key in some case. `seen` stays empty until the object outgrows scanning.
fn is_duplicate(object: &Map<String, Value>, seen: &mut HashSet<String>, key: &str) -> bool {
    if object.len() < SCANNED_KEYS_MAX {
        return object.keys().any(|known| known.eq_ignore_ascii_case(key));
    }
    if seen.is_empty() {
        seen.extend(object.keys().map(|known| known.to_ascii_lowercase()));
    }
    !seen.insert(key.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ScimType;

    #[test]
    fn what_parsers_disagree_about_is_refused() {
        use ScimType::{InvalidSyntax, InvalidValue};
        let nested = "[".repeat(100_000);
        for (body, expected) in [
            (&b"{\"userName\":\"a\",\"userName\":\"b\"}"[..], InvalidSyntax),
            (b"{\"userName\":\"a\",\"USERNAME\":\"b\"}", InvalidSyntax),
            (b"{\"a\":\"x\\u0000y\"}", InvalidSyntax),
            (b"{\"a\\u0000\":1}", InvalidSyntax),
            (b"{\"userName\":\"a\"}{\"userName\":\"b\"}", InvalidSyntax),
            (b"{\"userName\":\"a\"}xx", InvalidSyntax),
            (b"\xEF\xBB\xBF{}", InvalidSyntax),
            (b"\xFF\xFE{\0}\0", InvalidSyntax),
            (b"\"\xC0\xAF\"", InvalidSyntax),
            (b"\"\\ud800\"", InvalidSyntax),
            (b"", InvalidSyntax),
            (b"NaN", InvalidSyntax),
            (nested.as_bytes(), InvalidSyntax),
            (b"18446744073709551617", InvalidValue),
            (b"-9223372036854775809", InvalidValue),
            (b"1e400", InvalidValue),
            (b"-1E400", InvalidValue),
            (b"[1e20, 18446744073709551615, 18446744073709551616]", InvalidValue),
            (b"1e-400", InvalidValue),
            (b"[0.0, -0.00000001E-400]", InvalidValue),
            (b"{\"a \\\" 0.0\": 0, \"1\": 0.0, \"b\": 1e-999}", InvalidValue),
        ] {
            assert_eq!(
                parse_json(body).unwrap_err().scim_type,
                expected,
                "{}",
                String::from_utf8_lossy(&body[..body.len().min(40)])
            );
        }
    }

    #[test]
    fn whole_integers_are_kept() {
        for text in ["18446744073709551615", "-9223372036854775808", "0", "1.5", "1e10", "1e20", "-1.7e308"] {
            assert!(parse_json(text.as_bytes()).is_ok(), "{text}");
        }
        assert_eq!(parse_json(b"18446744073709551615").unwrap(), Value::from(u64::MAX));
    }

    /// RFC 8259 §6: how a number is written does not change what it is.
    #[test]
    fn zero_has_many_forms() {
        for (text, expected) in [
            ("-0", "-0.0"),
            ("0", "0"),
            ("-0.0", "-0.0"),
            ("0e5", "0.0"),
            ("0E-999", "0.0"),
            ("[-0,0.0,-0,{\"-0\":-0}]", "[-0.0,0.0,-0.0,{\"-0\":-0.0}]"),
            ("[\"a\\\\\",-0,\"\\\"0.0\",0.0,1e-300]", "[\"a\\\\\",-0.0,\"\\\"0.0\",0.0,1e-300]"),
        ] {
            assert_eq!(parse_json(text.as_bytes()).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn nesting_ends_at_the_limit() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse_json(nested(JSON_DEPTH_MAX).as_bytes()).is_ok());
        assert!(parse_json(nested(JSON_DEPTH_MAX + 1).as_bytes()).is_err());
    }

    #[test]
    fn many_keys_are_compared_like_few() {
        let body = |last: &str| {
            let keys: Vec<String> = (0..60_000).map(|n| format!("\"k{n}\":0")).collect();
            format!("{{{},\"{last}\":1}}", keys.join(","))
        };
        assert!(parse_json(body("another").as_bytes()).is_ok());
        assert!(parse_json(body("K59999").as_bytes()).is_err());
        assert!(parse_json(body("K3").as_bytes()).is_err());
    }

    proptest! {
        /// However many there are, each is what it is alone.
        #[test]
        fn numbers_are_told_apart(numbers in proptest::collection::vec(proptest::sample::select(
            &["-0", "0", "0.0", "1e30", "-2.5E22", "18446744073709551615", "-0.0e1", "7", "-1.5", "\"-0\"", "{\"0.0\":-0}", "[0.0,\"\\\\\"]", "null"][..]), 0..12)) {
            let alone: Vec<Value> = numbers.iter().map(|one| parse_json(one.as_bytes()).unwrap()).collect();
            prop_assert_eq!(parse_json(format!("[{}]", numbers.join(" ,")).as_bytes()), Ok(Value::from(alone.clone())));
            let tiny = format!("[{},1e-400]", numbers.join(",")).replace("[,", "[");
            prop_assert!(parse_json(tiny.as_bytes()).is_err());
        }

        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_json(&bytes);
        }
    }
}
