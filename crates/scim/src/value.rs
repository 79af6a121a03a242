//! One value of one attribute: from what a client sent to what is stored (RFC 7643 §2.3, §2.4, §2.5). Used by `input` and `patch`;
//! which attributes there are is decided there.

use serde_json::{Map, Value};

use crate::error::echo;
use crate::limits::{KEY_BYTES_MAX, STRING_BYTES_MAX, VALUES_MAX};
use crate::repeats::drop_repeated;
use crate::schema::{Attribute, Kind, Mutability};
use crate::{Moment, ResourceType, ScimError, fold_username, reference};

/// Schemes that run code when a console shows the reference as a link, or lead into the machine of who follows it.
const UNSAFE_SCHEMES: [&str; 8] =
    ["javascript:", "vbscript:", "data:", "blob:", "file:", "filesystem:", "jar:", "view-source:"];
const IMAGE_DATA: &str = "data:image/";
const BETWEEN_DIGITS: &[u8] = b" \t\r\n";
/// What is looked at of a reference, in characters: the longest of these.
const SCHEME_CHARS: usize = "view-source:".len();
const _: () = assert!(IMAGE_DATA.len() <= SCHEME_CHARS && "filesystem:".len() <= SCHEME_CHARS);

/// `"True"`, `"false"`: how some clients write booleans.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

fn refuse<T>(attribute: &Attribute, expected: &str) -> Result<T, ScimError> {
    Err(ScimError::invalid_value(format!("'{}' must be {expected}", echo(&attribute.name))))
}

/// Reads the whole value of an attribute. `None` means unassigned: null, `""`, an empty list, an object without values.
pub(crate) fn read(
    resource_type: &ResourceType,
    attribute: &Attribute,
    value: Value,
) -> Result<Option<Value>, ScimError> {
    if !attribute.multi_valued {
        let read = read_single(attribute, value)?;
        check_key(resource_type, attribute, read.as_ref())?;
        return Ok(read);
    }
    let elements = read_elements(resource_type, attribute, value)?;
    Ok((!elements.is_empty()).then_some(Value::Array(elements)))
}

/// Reads the elements of a multi-valued attribute; an object, or a plain value where the elements are plain, is one element. Text where
/// objects belong is none: in a list it is an element's `value`, but alone it is more often a mistake.
pub(crate) fn read_elements(
    resource_type: &ResourceType,
    attribute: &Attribute,
    value: Value,
) -> Result<Vec<Value>, ScimError> {
    let given = match value {
        Value::Array(given) => given,
        // An element may come without its list, but an object that says nothing is neither.
        Value::Object(nothing) if nothing.is_empty() => return refuse(attribute, "a list"),
        Value::String(text) if attribute.kind == Kind::Complex && !text.is_empty() => {
            return refuse(attribute, "a list of objects");
        }
        one => vec![one],
    };
    check_count(resource_type, attribute, given.len())?;
    let mut elements = Vec::with_capacity(given.len());
    for element in given {
        elements.extend(read_element(attribute, element)?);
    }
    if elements.iter().filter(|element| is_primary(element)).count() > 1 {
        return Err(ScimError::invalid_value(format!("'{}' has more than one primary value", echo(&attribute.name))));
    }
    drop_repeated(attribute, &mut elements);
    Ok(elements)
}

/// Refuses more elements than the attribute may have.
pub(crate) fn check_count(resource_type: &ResourceType, attribute: &Attribute, count: usize) -> Result<(), ScimError> {
    check_most(attribute, count, resource_type.values_max(attribute))
}

fn check_most(attribute: &Attribute, count: usize, max: usize) -> Result<(), ScimError> {
    if count > max {
        return Err(ScimError::too_many(format!("'{}' has more than {max} values", echo(&attribute.name))));
    }
    Ok(())
}

/// Whether an element is marked `primary`.
pub(crate) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// Reads a single-valued attribute or a sub-attribute.
pub(crate) fn read_single(attribute: &Attribute, value: Value) -> Result<Option<Value>, ScimError> {
    match value {
        Value::Array(mut given) if attribute.kind == Kind::Complex && given.len() <= 1 => match given.pop() {
            Some(Value::Array(_)) => refuse(attribute, "an object"),
            Some(only) => read_element(attribute, only),
            None => Ok(None),
        },
        // RFC 7643 lets sub-attributes be lists; their elements are simple. One may come without its list.
        Value::Array(given) if attribute.multi_valued => read_parts(attribute, given),
        one if attribute.multi_valued => read_parts(attribute, vec![one]),
        other => read_element(attribute, other),
    }
}

/// Reads the elements of a sub-attribute that is a list.
fn read_parts(attribute: &Attribute, given: Vec<Value>) -> Result<Option<Value>, ScimError> {
    check_most(attribute, given.len(), VALUES_MAX)?;
    let elements = given.into_iter().filter_map(|element| read_scalar(attribute, element).transpose());
    let mut read = elements.collect::<Result<Vec<_>, _>>()?;
    drop_repeated(attribute, &mut read);
    Ok((!read.is_empty()).then_some(Value::Array(read)))
}

/// Adds to a list that a sub-attribute has what it does not have yet (RFC 7644 §3.5.2.1).
pub(crate) fn add_parts(attribute: &Attribute, held: Option<&Value>, added: Value) -> Result<Value, ScimError> {
    let mut elements = match held {
        Some(Value::Array(elements)) => elements.clone(),
        Some(Value::Null) | None => Vec::new(),
        Some(one) => vec![one.clone()],
    };
    match added {
        Value::Array(added) => elements.extend(added),
        one => elements.push(one),
    }
    drop_repeated(attribute, &mut elements);
    check_most(attribute, elements.len(), VALUES_MAX)?;
    Ok(Value::Array(elements))
}

/// Reads one element of a multi-valued attribute, or the only value of another.
pub(crate) fn read_element(attribute: &Attribute, value: Value) -> Result<Option<Value>, ScimError> {
    if attribute.kind != Kind::Complex {
        return read_scalar(attribute, value);
    }
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::Object(given) => read_object(attribute, given),
        Value::String(text) => {
            let Some(sub) = attribute.sub_attribute("value") else { return refuse(attribute, "an object") };
            let read = read_scalar(sub, Value::String(text))?;
            Ok(read.map(|value| Value::Object(Map::from_iter([(sub.name.clone(), value)]))))
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => refuse(attribute, "an object"),
    }
}

/// Reads the sub-attributes of a complex value; unknown and readOnly ones are dropped.
fn read_object(attribute: &Attribute, given: Map<String, Value>) -> Result<Option<Value>, ScimError> {
    let mut object = Map::new();
    for (name, value) in given {
        let Some(sub) = attribute.sub_attribute(&name).filter(|sub| sub.mutability != Mutability::ReadOnly) else {
            continue;
        };
        if let Some(value) = read_single(sub, value)? {
            // The sent key is re-used when it already has the right spelling.
            let key = if name == sub.name { name } else { sub.name.clone() };
            object.insert(key, value);
        }
    }
    Ok((!object.is_empty()).then_some(Value::Object(object)))
}

fn read_scalar(attribute: &Attribute, value: Value) -> Result<Option<Value>, ScimError> {
    match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) => read_text(attribute, text),
        Value::Bool(_) if attribute.kind == Kind::Boolean => Ok(value),
        Value::Number(ref number)
            if attribute.kind == Kind::Decimal || attribute.kind == Kind::Integer && !number.is_f64() =>
        {
            Ok(value)
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            refuse(attribute, expected(attribute.kind))
        }
    }
    .map(Some)
}

fn expected(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "a string",
        Kind::Boolean => "a boolean",
        Kind::Decimal => "a number",
        Kind::Integer => "a whole number",
        Kind::DateTime => "a date and time such as 2026-01-31T08:00:00Z",
        Kind::Reference => "a URI, absolute or relative, with blanks and the like encoded (%20)",
        Kind::Binary => "base64",
        Kind::Complex => "an object",
    }
}

fn read_text(attribute: &Attribute, text: String) -> Result<Value, ScimError> {
    if text.len() > STRING_BYTES_MAX {
        return refuse(attribute, &format!("at most {STRING_BYTES_MAX} bytes long"));
    }
    let fits = match attribute.kind {
        Kind::String => true,
        Kind::Boolean => {
            return boolean(&text).map_or_else(|| refuse(attribute, "a boolean"), |value| Ok(Value::Bool(value)));
        }
        Kind::DateTime => Moment::read(&text).is_some(),
        Kind::Reference => !is_unsafe(&text) && reference::is_reference(&text),
        Kind::Binary => is_base64(&text),
        Kind::Decimal | Kind::Integer | Kind::Complex => false,
    };
    if fits { Ok(Value::String(text)) } else { refuse(attribute, expected(attribute.kind)) }
}

/// The two keys of a resource are compared and indexed whole, so they are shorter than other text, and a userName must have a key. What
/// other schemas call by these names is text like any other.
pub(crate) fn check_key(
    resource_type: &ResourceType,
    attribute: &Attribute,
    value: Option<&Value>,
) -> Result<(), ScimError> {
    let Some(Value::String(text)) = value else { return Ok(()) };
    let is_user_name = resource_type.is_user_name(attribute);
    if (is_user_name || resource_type.is_external_id(attribute)) && text.len() > KEY_BYTES_MAX {
        return refuse(attribute, &format!("at most {KEY_BYTES_MAX} bytes long"));
    }
    if is_user_name && !text.trim().is_empty() {
        fold_username(text)?;
    }
    Ok(())
}

fn is_unsafe(text: &str) -> bool {
    // Browsers skip control characters and blanks in front of and inside a scheme.
    let start: String = text
        .chars()
        .filter(|c| !c.is_control() && !c.is_whitespace())
        .take(SCHEME_CHARS)
        .collect::<String>()
        .to_ascii_lowercase();
    !start.starts_with(IMAGE_DATA) && UNSAFE_SCHEMES.iter().any(|scheme| start.starts_with(scheme))
}

/// Blanks and ends of lines between the digits are not looked at: RFC 7643 §8.2 prints certificates so.
fn is_base64(text: &str) -> bool {
    let solid = text.bytes().filter(|b| !BETWEEN_DIGITS.contains(b));
    let len = solid.clone().count();
    let padding = solid.clone().rev().take_while(|b| *b == b'=').count();
    let digits = len - padding;
    let padded = padding == 0 || padding <= 2 && len.is_multiple_of(4);
    // One alphabet or the other (RFC 4648 §4, §5).
    let is_of = |others: &[u8; 2]| solid.clone().take(digits).all(|b| b.is_ascii_alphanumeric() || others.contains(&b));
    digits > 0 && padded && digits % 4 != 1 && (is_of(b"+/") || is_of(b"-_"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Reads a value of a kind; `"refused"` stands for a refusal, and `null` for nothing.
    fn assert_read(kind: Kind, value: Value, expected: &Value) {
        let told = format!("{kind:?} {value}");
        let got = read_single(&Attribute::new("a", kind), value);
        let got = got.map_or_else(|_| json!("refused"), |read| read.unwrap_or(Value::Null));
        assert_eq!(got, *expected, "{told}");
    }

    #[test]
    fn values_fit_their_type_or_are_refused() {
        use Kind::{Boolean, DateTime, Decimal, Integer, String};
        let refused = json!("refused");
        let parsed = |text: &str| crate::parse_json(text.as_bytes()).unwrap();
        for (kind, value, expected) in [
            (String, json!("x"), json!("x")),
            (String, json!(""), Value::Null),
            (String, json!(123), refused.clone()),
            (String, json!([]), refused.clone()),
            (Boolean, json!("True"), json!(true)),
            (Boolean, json!("fALSE"), json!(false)),
            (Boolean, json!(0), refused.clone()),
            (Boolean, json!("yes"), refused.clone()),
            (Boolean, json!([]), refused.clone()),
            (Boolean, json!({}), refused.clone()),
            (Boolean, Value::Null, Value::Null),
            (Integer, json!(7), json!(7)),
            (Integer, json!(7.5), refused.clone()),
            (Integer, json!("7"), refused.clone()),
            (Decimal, json!(7.5), json!(7.5)),
            (DateTime, json!("2015-10-10T14:38:21Z"), json!("2015-10-10T14:38:21Z")),
            (DateTime, json!("2015-10-10T14:38:21"), json!("2015-10-10T14:38:21")),
            (DateTime, json!("2015-10-10T14:38:21.8617979-07:00"), json!("2015-10-10T14:38:21.8617979-07:00")),
            (DateTime, json!("today"), refused.clone()),
            (DateTime, json!("2015-10-10"), refused.clone()),
            (DateTime, json!("2015-10-10T14:38Z"), refused.clone()),
            (DateTime, json!("20151010T143821Z"), refused.clone()),
            (DateTime, json!("2015-10-10T14:38:21.Z"), refused.clone()),
            (DateTime, json!("2015-10-10T14:38:21+0700"), refused.clone()),
            (DateTime, json!("2015-10-10 14:38:21Z"), refused.clone()),
            (DateTime, json!("2015-02-30T14:38:21Z"), refused.clone()),
            (DateTime, json!(1_444_487_901), refused.clone()),
            // RFC 7643 §2.3.4: without fraction and exponent, though JSON calls it the same number.
            (Integer, json!(7.0), refused.clone()),
            (Integer, parsed("-0"), refused.clone()),
            (Integer, parsed("-0.0"), refused.clone()),
            (Integer, parsed("5e0"), refused.clone()),
            (Integer, json!(i64::MIN), json!(i64::MIN)),
            (Integer, json!(u64::MAX), json!(u64::MAX)),
            (Decimal, parsed("-0"), json!(-0.0)),
            (Decimal, parsed("1E300"), json!(1e300)),
            (Integer, json!(1e2), refused.clone()),
            (Decimal, json!("7.5"), refused.clone()),
        ] {
            assert_read(kind, value, &expected);
        }
    }

    #[test]
    fn references_and_binaries_have_their_form_or_are_refused() {
        use Kind::{Binary, Complex, Reference};
        let refused = json!("refused");
        for (kind, value, expected) in [
            (Binary, json!("-_-_"), json!("-_-_")),
            (Binary, json!("+/-_"), refused.clone()),
            (Reference, json!("https://a.example/x"), json!("https://a.example/x")),
            (Reference, json!("java\nscript:alert(1)"), refused.clone()),
            (Reference, json!(" DATA:text/html,x"), refused.clone()),
            (Reference, json!("view-source:javascript:alert(1)"), refused.clone()),
            (Reference, json!("File:///etc/passwd"), refused.clone()),
            (Reference, json!("blob:https://a.example/1"), refused.clone()),
            (Reference, json!("filesystem:https://a.example/1"), refused.clone()),
            (Reference, json!("photos/1.png"), json!("photos/1.png")),
            (Reference, json!("PROFILE"), json!("PROFILE")),
            (Reference, json!("../x?a=b[0]&c='(1)';*!~#f"), json!("../x?a=b[0]&c='(1)';*!~#f")),
            (Reference, json!("//cdn.example/%7Ea"), json!("//cdn.example/%7Ea")),
            (Reference, json!("https://[::1]:8080/"), json!("https://[::1]:8080/")),
            (Reference, json!("https://ü.example/ж/日本"), json!("https://ü.example/ж/日本")),
            (Reference, json!("urn:uuid:1"), json!("urn:uuid:1")),
            (Reference, json!("mailto:a@b.example"), json!("mailto:a@b.example")),
            (Reference, json!("https://x/ y"), refused.clone()),
            (Reference, json!(" https://x/"), refused.clone()),
            (Reference, json!("https://x/\n"), refused.clone()),
            (Reference, json!("https://x/\ty"), refused.clone()),
            (Reference, json!("https://x/\u{a0}"), refused.clone()),
            (Reference, json!("https://x/\u{7f}"), refused.clone()),
            (Reference, json!("https://x/<b>"), refused.clone()),
            (Reference, json!("https://x/\"y"), refused.clone()),
            (Reference, json!("\\\\server\\photo"), refused.clone()),
            (Reference, json!("https://x/{id}"), refused.clone()),
            (Reference, json!("https://x/a|b^c`"), refused.clone()),
            (Reference, json!("https://x/%"), refused.clone()),
            (Reference, json!("https://x/%2"), refused.clone()),
            (Reference, json!("https://x/%é1"), refused.clone()),
            (Reference, json!("https://x/100%zz"), refused.clone()),
            (Reference, json!("data:image/png;base64,AA=="), json!("data:image/png;base64,AA==")),
            (Binary, json!("AAECAw=="), json!("AAECAw==")),
            (Binary, json!("AA=CAw=="), refused.clone()),
            (Binary, json!("not base64"), refused.clone()),
            (Binary, json!("AAEC\r\n  Aw=\t= "), json!("AAEC\r\n  Aw=\t= ")),
            (Binary, json!(" \n"), refused.clone()),
            (Binary, json!("AA\u{a0}EC"), refused.clone()),
            (Complex, json!("x"), refused.clone()),
        ] {
            assert_read(kind, value, &expected);
        }
    }

    #[test]
    fn text_ends_at_its_limit() {
        let plain = |name: &str| Attribute::new(name, Kind::String);
        let attributes = vec![
            plain("userName"),
            Attribute { sub_attributes: vec![plain("userName")], ..Attribute::new("c", Kind::Complex) },
        ];
        let schema =
            crate::Schema { id: "urn:x:y".to_owned(), name: String::new(), description: String::new(), attributes };
        let user = ResourceType::user().with_extension(schema.clone(), false);
        let device = ResourceType::new("Device", "/Devices", "", schema);
        for (resource_type, name, max) in [
            (&user, "displayName", STRING_BYTES_MAX),
            (&user, "userName", KEY_BYTES_MAX),
            (&user, "externalId", KEY_BYTES_MAX),
            (&user, "urn:x:y:userName", STRING_BYTES_MAX),
            (&user, "urn:x:y:c.userName", STRING_BYTES_MAX),
            (&device, "userName", STRING_BYTES_MAX),
            (&device, "externalId", KEY_BYTES_MAX),
        ] {
            for (length, fits) in [(max, true), (max + 1, false)] {
                let text = "x".repeat(length);
                let mut body = json!({ "schemas": [resource_type.schema.id], "userName": "ada" });
                body[name] = json!(text);
                assert_eq!(resource_type.read(body).is_ok(), fits, "{length} of {name} made");
                let operation = json!({ "op": "add", "path": name, "value": text });
                let patch =
                    crate::PatchOp::read(json!({ "schemas": [crate::PATCH_OP_URN], "Operations": [operation] }));
                let mut held = Map::from_iter([("userName".to_owned(), json!("ada"))]);
                assert_eq!(patch.unwrap().apply(resource_type, &mut held).is_ok(), fits, "{length} of {name} patched");
            }
        }
    }

    #[test]
    fn only_users_have_login_names() {
        let schema: crate::Schema =
            serde_json::from_value(json!({ "id": "urn:x:y", "attributes": [{ "name": "userName" }] })).unwrap();
        let user = ResourceType::user().with_extension(schema, false);
        let body = |core: &str| json!({ "schemas": [crate::USER_URN], "userName": core, "urn:x:y": { "userName": "two  blanks" } });
        assert_eq!(user.read(body("ada")).unwrap()["urn:x:y"]["userName"], "two  blanks");
        assert!(user.read(body("two  blanks")).is_err());
    }
}
