//! What of a request may be written down: ids, names of attributes and operations, booleans. Values are masked, secrets whatever they
//! are called, and so are literals of filters, which are addresses of people as often as not.

use http::Uri;
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// What stands for what is not told.
const MASK: &str = "***";
/// Longest address in a line, in bytes.
pub(super) const ADDRESS_BYTES_MAX: usize = 1024;
/// Parameters whose values are told.
const PLAIN_PARAMETERS: [&str; 7] =
    ["attributes", "excludedAttributes", "startIndex", "count", "sortBy", "sortOrder", "api-version"];
/// Longest part of a path that is told although it is no id.
const WORD_BYTES_MAX: usize = 40;
/// Members of a body whose text is told: what they are of, not who.
const PLAIN_MEMBERS: [&str; 15] = [
    "schemas",
    "id",
    "op",
    "scimType",
    "status",
    "method",
    "bulkId",
    "resourceType",
    "created",
    "lastModified",
    "version",
    "location",
    "$ref",
    "attributes",
    "excludedAttributes",
];
/// The same, with literals of filters masked.
const PATHS: [&str; 4] = ["path", "filter", "sortBy", "detail"];
/// Members whose numbers are told.
const COUNTS: [&str; 6] = ["totalResults", "itemsPerPage", "startIndex", "count", "failOnErrors", "status"];
/// What is never told, whatever it looks like.
const PASSWORD: &str = "password";
/// Comparisons of filters (RFC 7644 §3.4.2.2), after which a literal stands.
const COMPARISONS: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];

/// Appends the address of a request as a JSON text.
pub(super) fn address(uri: &Uri, text: &mut Vec<u8>) {
    // Most addresses are ids and words: nothing to mask, nothing to escape.
    if uri.query().is_none() && uri.path().len() <= ADDRESS_BYTES_MAX && uri.path().split('/').all(is_word) {
        text.push(b'"');
        text.extend_from_slice(uri.path().as_bytes());
        text.push(b'"');
        return;
    }
    let mut told = String::with_capacity(uri.path().len() + 2);
    for (index, part) in uri.path().split('/').enumerate() {
        if index > 0 {
            told.push('/');
        }
        told.push_str(if is_told(part) { part } else { MASK });
        if told.len() > ADDRESS_BYTES_MAX {
            break;
        }
    }
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
        let end = (0..=ADDRESS_BYTES_MAX).rev().find(|end| told.is_char_boundary(*end)).unwrap_or(0);
        told.truncate(end);
        told.push('…');
    }
    quoted(&told, text);
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

fn is_word(part: &str) -> bool {
    part.len() <= WORD_BYTES_MAX
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'$'))
}

/// Ids, and words that no person is called: letters, or a version.
fn is_told(part: &str) -> bool {
    is_word(part) || part.get(..4).is_some_and(|urn| urn.eq_ignore_ascii_case("urn:"))
}

fn one_parameter(parameter: &str, told: &mut String) {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    if !is_told(&name.replace('_', "-")) {
        told.push_str(MASK);
        return;
    }
    told.push_str(name);
    told.push('=');
    if PLAIN_PARAMETERS.iter().any(|plain| name.eq_ignore_ascii_case(plain)) {
        told.push_str(value);
    } else if name.eq_ignore_ascii_case("filter") {
        let spaced = value.replace('+', " ");
        told.push_str(&filter(&percent_decode_str(&spaced).decode_utf8_lossy()));
    } else {
        told.push_str(MASK);
    }
}

/// A filter or path with its literals masked, but those that say which kind of value is meant.
fn filter(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let (mut rest, mut before, mut is_literal) = (text, "", false);
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' => literal_end(rest),
            first if is_of_word(first) => rest.find(|next| !is_of_word(next)).unwrap_or(rest.len()),
            other => other.len_utf8(),
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        if word.trim().is_empty() {
            told.push_str(word);
            continue;
        }
        let is_plain = !is_literal && first != '"'
            || matches!(word, "true" | "false" | "null")
            || (before.eq_ignore_ascii_case("type") && first == '"');
        told.push_str(match (is_plain, first) {
            (true, _) => word,
            (false, '"') => "\"***\"",
            (false, _) => MASK,
        });
        let is_comparison = COMPARISONS.iter().any(|comparison| word.eq_ignore_ascii_case(comparison));
        if !is_comparison {
            before = word;
        }
        is_literal = is_comparison;
    }
    told
}

fn is_of_word(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '"' | '(' | ')' | '[' | ']')
}

/// Behind the quotation mark that ends a literal.
fn literal_end(text: &str) -> usize {
    let mut is_escaped = true;
    for (at, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Appends a body as JSON. What is no JSON is not told, but for its size.
pub(super) fn body(bytes: &[u8], text: &mut Vec<u8>) {
    let read =
        (bytes.len() <= super::LOGGED_BODY_BYTES_MAX).then(|| serde_json::from_slice::<Value>(bytes).ok()).flatten();
    match read {
        Some(mut value) => {
            masked("", &mut value);
            drop(serde_json::to_writer(text, &value));
        }
        None => quoted(&format!("bytes: {}", bytes.len()), text),
    }
}

/// Masks what is in a member of that name. The depth is that of a JSON reader, which bounds it.
fn masked(name: &str, value: &mut Value) {
    let is_one_of = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
    match value {
        Value::Null | Value::Bool(_) => {}
        _ if name.eq_ignore_ascii_case(PASSWORD) => *value = Value::String(MASK.to_owned()),
        Value::Number(_) if is_one_of(&COUNTS) => {}
        Value::String(_) if is_one_of(&PLAIN_MEMBERS) => {}
        Value::String(text) if is_one_of(&PATHS) => *text = filter(text),
        // Members name each other by their ids.
        Value::String(text) if is_id(text) => {}
        Value::Number(_) | Value::String(_) => *value = Value::String(MASK.to_owned()),
        Value::Array(items) => items.iter_mut().for_each(|item| masked(name, item)),
        Value::Object(members) => {
            let path = members.get("path").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
            if path.contains(PASSWORD) {
                members.retain(|name, _| !name.eq_ignore_ascii_case("value"));
            }
            *members = std::mem::take(members)
                .into_iter()
                .map(|(name, mut value)| {
                    masked(&name, &mut value);
                    (filter(&name), value)
                })
                .collect();
        }
    }
}

/// The text form of a UUID (RFC 9562 §4).
fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn quoted(told: &str, text: &mut Vec<u8>) {
    drop(serde_json::to_writer(text, told));
}

/// Base64url digits of a secret.
const SECRET_DIGITS: usize = 43;

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
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_has_the_form_of_a_secret_is_told_nowhere() {
        let digits = "a-_B".repeat(11);
        let (whole, masked, short) = (&digits[..43], "*".repeat(43), &digits[..42]);
        for (line, expected) in [
            (
                format!("{{\"path\":\"/Users?sortBy=lst_{whole}\"}}"),
                format!("{{\"path\":\"/Users?sortBy=lst_{masked}\"}}"),
            ),
            (format!("lsa_{whole} lsc_{whole}"), format!("lsa_{masked} lsc_{masked}")),
            (format!("lslst_{whole}"), format!("lslst_{masked}")),
            (format!("lst_{short}"), format!("lst_{short}")),
            (format!("lsk_{whole}"), format!("lsk_{whole}")),
            ("ls".to_owned(), "ls".to_owned()),
        ] {
            let mut text = line.clone().into_bytes();
            secrets(&mut text);
            assert_eq!(String::from_utf8(text).unwrap(), expected, "{line}");
        }
    }

    fn told(path: &str) -> String {
        let mut text = Vec::new();
        address(&path.parse().unwrap(), &mut text);
        serde_json::from_slice(&text).unwrap()
    }

    /// AU-12.
    #[test]
    fn addresses_tell_no_secret_and_no_person() {
        const ID: &str = "/t/contoso/scim/v2/Users/01890a5d-ac96-774b-bcce-b302099a8057";
        let token = format!("lst_{}", "A".repeat(43));
        for (path, expected) in [
            (ID.to_owned(), ID),
            ("/t/a/scim/v2/Users?startIndex=1&count=100".to_owned(), "/t/a/scim/v2/Users?startIndex=1&count=100"),
            (
                format!("/t/a/scim/v2/Users?access_token={token}&Token=x"),
                "/t/a/scim/v2/Users?access_token=***&Token=***",
            ),
            (format!("/t/a/scim/v2/{token}/Users"), "/t/a/scim/v2/***/Users"),
            ("/t/a/scim/v2/Users/ann@contoso.example".to_owned(), "/t/a/scim/v2/Users/***"),
            ("/t/a/scim/v2/Users/Ann%20B".to_owned(), "/t/a/scim/v2/Users/***"),
            ("/x?filter=userName+eq+%22ann%40contoso.example%22".to_owned(), "/x?filter=userName eq \"***\""),
            ("/x?filter=userName%20eq%20ann".to_owned(), "/x?filter=userName eq ***"),
            (
                "/x?filter=emails%5Btype+eq+%22work%22+and+value+co+%22a%5C%22nn%22%5D.value+pr".to_owned(),
                "/x?filter=emails[type eq \"work\" and value co \"***\"].value pr",
            ),
            ("/x?filter=active+eq+true+and+(title+pr)".to_owned(), "/x?filter=active eq true and (title pr)"),
            ("/x?filter=%22ann".to_owned(), "/x?filter=\"***\""),
            ("/x?ann%40contoso.example".to_owned(), "/x?***"),
        ] {
            assert_eq!(told(&path), expected, "{path}");
        }
        assert!(has_credential(&format!("/x?a=b&ACCESS_TOKEN={token}").parse().unwrap()));
        assert!(has_credential(&format!("/{token}/x").parse().unwrap()));
        assert!(has_credential(&format!("/{}/x", token.replace("lst_", "lsa_")).parse().unwrap()));
        assert!(!has_credential(&"/x?filter=token".parse().unwrap()));
    }

    /// SH-11.
    #[test]
    fn no_address_is_longer_than_allowed() {
        for path in
            [format!("/x?attributes={}", "y".repeat(9999)), "/a".repeat(9999), format!("/x?{}", "a&".repeat(9999))]
        {
            assert!(told(&path).len() <= ADDRESS_BYTES_MAX + '…'.len_utf8());
        }
    }

    #[test]
    fn bodies_tell_what_is_done_and_not_to_whom() {
        for (sent, expected) in [
            (
                r#"{"schemas":["urn:x"],"id":"1","userName":"ann","active":true,"name":{"familyName":"B"},"emails":[{"type":"work","value":"a@b"}],"password":"p","age":7}"#,
                r#"{"schemas":["urn:x"],"id":"1","userName":"***","active":true,"name":{"familyName":"***"},"emails":[{"type":"***","value":"***"}],"password":"***","age":"***"}"#,
            ),
            (
                r#"{"Operations":[{"op":"replace","path":"emails[value eq \"a@b\"].value","value":"c"},{"op":"add","value":{"emails[type eq \"work\"].value":"d","a eq \"b\"":null}}]}"#,
                r#"{"Operations":[{"op":"replace","path":"emails[value eq \"***\"].value","value":"***"},{"op":"add","value":{"emails[type eq \"work\"].value":"***","a eq \"***\"":null}}]}"#,
            ),
            (
                r#"{"totalResults":2,"members":[{"value":"01890a5d-ac96-774b-bcce-b302099a8057","display":"Ann"}]}"#,
                r#"{"totalResults":2,"members":[{"value":"01890a5d-ac96-774b-bcce-b302099a8057","display":"***"}]}"#,
            ),
            (
                r#"{"password":"01890a5d-ac96-774b-bcce-b302099a8057","Operations":[{"path":"urn:x:password","VALUE":"01890a5d-ac96-774b-bcce-b302099a8057"}]}"#,
                r#"{"password":"***","Operations":[{"path":"urn:x:password"}]}"#,
            ),
            ("not json", r#""bytes: 8""#),
            ("-", r#""bytes: 1""#),
            (r#""secret""#, r#""***""#),
        ] {
            let mut text = Vec::new();
            body(sent.as_bytes(), &mut text);
            let (text, expected): (Value, Value) =
                (serde_json::from_slice(&text).unwrap(), serde_json::from_str(expected).unwrap());
            assert_eq!(text, expected);
        }
        let mut text = Vec::new();
        body(&vec![b'1'; super::super::LOGGED_BODY_BYTES_MAX + 1], &mut text);
        assert_eq!(text, b"\"bytes: 65537\"");
    }

    proptest! {
        #[test]
        fn what_is_quoted_in_a_filter_is_never_told(before in "[a-z \\[\\]()]{0,9}", secret in "[A-Z]{4,9}", after in "[ a-z)\\]]{0,9}") {
            let shown = filter(&format!("{before}\"{secret}\"{after}"));
            prop_assert!(!shown.contains(&secret) || before.trim_end().ends_with("type") || before.contains("type "), "{}", shown);
        }
    }
}
