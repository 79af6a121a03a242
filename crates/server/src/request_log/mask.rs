//! What of a request may be written down: ids, names of attributes and operations, booleans. Values are masked, secrets whatever they
//! are called, and so are literals of filters, which are addresses of people as often as not, and what is not of the form that its place
//! asks for: that may be anything. Which words are told is decided in `words`.

use http::{Method, Uri};
use percent_encoding::percent_decode_str;
use provider::Precondition;
use scim::{ERROR_URN, Moment, ScimType};
use serde_json::{Map, Value};

use super::words::{self, MASK, Names, is_id, is_one_of, is_urn, is_word, or_masked};

/// Longest address in a line, in bytes.
pub(super) const ADDRESS_BYTES_MAX: usize = 1024;
/// What is never told, whatever it looks like.
const PASSWORD: &str = "password";
/// Members of a body whose numbers are told.
const COUNTS: [&str; 6] = ["totalResults", "itemsPerPage", "startIndex", "count", "failOnErrors", "status"];
/// Operations of a PATCH (RFC 7644 §3.5.2).
const OPERATIONS: [&str; 3] = ["add", "replace", "remove"];
/// Methods that are told (RFC 9110 §9.3, RFC 5789).
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];

/// The method of a request, where it is one that somebody has heard of.
pub(super) fn method(method: &Method) -> &str {
    or_masked(method.as_str(), METHODS.contains(&method.as_str()))
}

/// Appends the address of a request as a JSON text.
pub(super) fn address(uri: &Uri, names: Names<'_>, text: &mut Vec<u8>) {
    let path = uri.path();
    // Most addresses are ids and words: nothing to mask, nothing to escape.
    let is_plain = path.len() <= ADDRESS_BYTES_MAX && memchr::memchr2(b'"', b'\\', path.as_bytes()).is_none();
    if uri.query().is_none() && is_plain && names.are_all_told(path) {
        text.push(b'"');
        text.extend_from_slice(path.as_bytes());
        text.push(b'"');
        return;
    }
    let mut told = String::with_capacity(path.len() + 2);
    names.path(path, &mut told, ADDRESS_BYTES_MAX);
    if let Some(query) = uri.query() {
        let mut separator = '?';
        for parameter in query.split('&') {
            told.push(separator);
            separator = '&';
            one_parameter(parameter, &mut told);
            if told.len() > ADDRESS_BYTES_MAX {
                break;
            }
        }
    }
    if told.len() > ADDRESS_BYTES_MAX {
        // A secret that the end would cut in two would not have the form of one any more.
        cut(&mut told, ADDRESS_BYTES_MAX + SECRET_BYTES);
        let mut bytes = told.into_bytes();
        secrets(&mut bytes);
        told = String::from_utf8_lossy(&bytes).into_owned();
        cut(&mut told, ADDRESS_BYTES_MAX);
        told.push('…');
    }
    quoted(&told, text);
}

/// Cuts a text where a character ends.
fn cut(text: &mut String, bytes_max: usize) {
    let end = (0..=bytes_max).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.truncate(end);
}

/// Whether an address bears what looks like a credential (RFC 6750 §5.3 forbids it).
pub(super) fn has_credential(uri: &Uri) -> bool {
    let path = uri.path().as_bytes();
    memchr::memmem::find_iter(path, b"ls").any(|at| matches!(path.get(at + 2..at + 4), Some(b"t_" | b"a_" | b"c_")))
        || uri.query().is_some_and(|query| {
            query.split('&').any(|parameter| {
                let name = parameter.split('=').next().unwrap_or_default();
                ["access_token", "token", "bearer_token", "client_secret", "authorization"]
                    .iter()
                    .any(|secret| name.eq_ignore_ascii_case(secret))
            })
        })
}

fn one_parameter(parameter: &str, told: &mut String) {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    if !words::is_name(name) {
        told.push_str(MASK);
        return;
    }
    told.push_str(name);
    told.push('=');
    let spaced = value.replace('+', " ");
    let value = percent_decode_str(&spaced).decode_utf8_lossy();
    told.push_str(words::parameter(name, &value).as_deref().unwrap_or(MASK));
}

/// Appends a body as JSON. What is no JSON is not told, but for its size.
pub(super) fn body(bytes: &[u8], names: Names<'_>, text: &mut Vec<u8>) {
    let read =
        (bytes.len() <= super::LOGGED_BODY_BYTES_MAX).then(|| serde_json::from_slice::<Value>(bytes).ok()).flatten();
    match read {
        Some(mut value) => {
            masked("", &mut value, names);
            drop(serde_json::to_writer(text, &value));
        }
        None => quoted(&format!("bytes: {}", bytes.len()), text),
    }
}

/// Masks what is in a member of that name. The depth is that of a JSON reader, which bounds it.
fn masked(name: &str, value: &mut Value, names: Names<'_>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        _ if name.eq_ignore_ascii_case(PASSWORD) => *value = Value::String(MASK.to_owned()),
        Value::Number(_) if is_one_of(&COUNTS, name) => {}
        Value::String(text) => *text = told(name, text, names),
        Value::Number(_) => *value = Value::String(MASK.to_owned()),
        Value::Array(items) => items.iter_mut().for_each(|item| masked(name, item, names)),
        Value::Object(members) => {
            let path = members.get("path").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
            if path.contains(PASSWORD) {
                members.retain(|name, _| !name.eq_ignore_ascii_case("value"));
            }
            let is_error = lists_error(members);
            *members = std::mem::take(members)
                .into_iter()
                .map(|(name, mut value)| {
                    match &mut value {
                        Value::String(text) if is_error && name == "detail" => *text = words::sentence(text),
                        value => masked(&name, value, names),
                    }
                    (words::member(&name).into_owned(), value)
                })
                .collect();
        }
    }
}

/// Whether an object is an error of the server, whose sentence is its own (RFC 7644 §3.12).
fn lists_error(members: &Map<String, Value>) -> bool {
    members.get("schemas").and_then(Value::as_array).is_some_and(|schemas| schemas.iter().any(|urn| urn == ERROR_URN))
}

/// What is told of the text of a member: what it is of and not who.
fn told(name: &str, text: &str, names: Names<'_>) -> String {
    let is_told = match name.to_ascii_lowercase().as_str() {
        "id" => is_id(text) || is_word(text),
        "schemas" => is_urn(text),
        "op" => is_one_of(&OPERATIONS, text),
        "method" => is_one_of(&METHODS, text),
        "scimtype" => text.parse::<ScimType>().is_ok(),
        "status" => words::is_whole_number(text),
        "bulkid" => is_word(text),
        "resourcetype" => names.is_type(text),
        "created" | "lastmodified" => Moment::read(text).is_some(),
        "version" => is_version(text),
        "location" | "$ref" => return names.reference(text),
        "path" => return names.operation_path(text),
        // Members name each other by their ids.
        name => match words::parameter(name, text) {
            Some(told) => return told.into_owned(),
            None => is_id(text),
        },
    };
    or_masked(text, is_told || text.is_empty()).to_owned()
}

/// An entity tag of ours, or one of the kind.
fn is_version(text: &str) -> bool {
    let is_of_tag = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'W' | b'/' | b'"' | b'-' | b'.');
    text.parse::<Precondition>().is_ok() && text.bytes().all(is_of_tag)
}

fn quoted(told: &str, text: &mut Vec<u8>) {
    drop(serde_json::to_writer(text, told));
}

/// Base64url digits of a secret.
const SECRET_DIGITS: usize = 43;
/// The same with what it begins with.
const SECRET_BYTES: usize = "lst_".len() + SECRET_DIGITS;

/// Overwrites what has the form of a secret of ours, wherever in a line a client put it: in a name, an operator, an id of its own.
pub(crate) fn secrets(line: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&line[at..], b"ls") {
        at += found + 2;
        let rest = &mut line[at..];
        let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if let [b't' | b'a' | b'c', b'_', digits @ ..] = rest
            && let Some(digits) = digits.get_mut(..SECRET_DIGITS)
            && digits.iter().all(is_digit)
        {
            digits.fill(b'*');
        }
    }
}

#[cfg(test)]
mod tests;
