//! Which words of a request tell nothing of people, so that the log may show them: addresses of the endpoint, ids, what is a filter, a
//! path or a number. What only looks like one is no word. Only those names are known that the standards or the tenant's schemas have.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use provider::Profile;
use scim::{AttributePath, Filter, Projection};

/// What stands for what is not told.
pub(super) const MASK: &str = "***";
/// Longest word of a client's own that is told, in bytes.
const WORD_BYTES_MAX: usize = 40;
/// Parts of the server's addresses.
const PARTS: [&str; 16] = [
    "t",
    "scim",
    "v2",
    "Users",
    "Groups",
    "Me",
    "Bulk",
    ".search",
    "Schemas",
    "ResourceTypes",
    "ServiceProviderConfig",
    "oauth2",
    "token",
    "schema",
    // Some clients put a whole address behind the endpoint's.
    "http:",
    "https:",
];
/// What is shown by discovery (RFC 7643 §5 to §7).
const TYPES: [&str; 5] = ["User", "Group", "ServiceProviderConfig", "ResourceType", "Schema"];
/// Canonical values of `type` (RFC 7643 §4.1.2, §4.2), which say which value is meant.
const CANONICAL: [&str; 13] = [
    "work",
    "home",
    "other",
    "mobile",
    "fax",
    "pager",
    "photo",
    "thumbnail",
    "direct",
    "indirect",
    "user",
    "group",
    "primary",
];
/// Comparisons of filters (RFC 7644 §3.4.2.2), after which a literal stands.
const COMPARISONS: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];
/// Ends an address in some clients (RFC 7644 §3.8).
const SUFFIX: &str = ".scim";

/// What parts of addresses may be called.
#[derive(Clone, Copy, Default)]
pub(crate) struct Names<'a> {
    /// The tenant in the address, which has a log only where there is one of that name.
    pub(crate) tenant: &'a str,
    /// What the tenant has, where its token came.
    pub(crate) profile: Option<&'a Profile>,
    /// The path of its own address.
    pub(crate) own: Option<&'a str>,
}

impl Names<'_> {
    /// A path with its unknown parts masked.
    pub(super) fn path(self, path: &str, told: &mut String, bytes_max: usize) {
        let mut before = "";
        for (index, part) in path.split('/').enumerate() {
            if index > 0 {
                told.push('/');
            }
            told.push_str(if self.is_told(before, part) { part } else { MASK });
            if told.len() > bytes_max {
                return;
            }
            before = part;
        }
    }

    /// Whether nothing of a path is masked.
    pub(super) fn are_all_told(self, path: &str) -> bool {
        let mut before = "";
        path.split('/').all(|part| self.is_told(std::mem::replace(&mut before, part), part))
    }

    /// A reference to something at the endpoint, and what it is at no other.
    pub(super) fn reference(self, text: &str) -> String {
        let mut told = String::with_capacity(text.len());
        match text.find(['?', '#']) {
            None => self.path(text, &mut told, usize::MAX),
            Some(end) => {
                self.path(&text[..end], &mut told, usize::MAX);
                told.push_str(MASK);
            }
        }
        told
    }

    fn is_told(self, before: &str, part: &str) -> bool {
        let end = part.len().saturating_sub(SUFFIX.len());
        let part = match part.split_at_checked(end) {
            Some((part, suffix)) if !part.is_empty() && suffix.eq_ignore_ascii_case(SUFFIX) => part,
            _ => part,
        };
        part.is_empty()
            || is_id(part)
            || is_one_of(&PARTS, part)
            || part == self.tenant
            || matches!(part, "." | "..")
            || self.own.is_some_and(|own| own.split('/').any(|own| own == part))
            || self.profile.is_some_and(|profile| profile.kind_at(part).is_some())
            || (before.eq_ignore_ascii_case("Schemas") && is_urn(&percent_decode_str(part).decode_utf8_lossy()))
            || (before.eq_ignore_ascii_case("ResourceTypes") && self.is_type(part))
    }

    /// Whether a resource type is called so.
    pub(super) fn is_type(self, name: &str) -> bool {
        let is_here = |profile: &Profile| profile.resource_types().any(|known| known.name.eq_ignore_ascii_case(name));
        is_one_of(&TYPES, name) || self.profile.is_some_and(is_here)
    }

    /// The `path` of an operation: that of an attribute, or in a bulk request that of a resource.
    pub(super) fn operation_path(self, text: &str) -> String {
        if text.parse::<AttributePath>().is_ok() {
            return literals_masked(text);
        }
        match text.rsplit_once("/bulkId:") {
            Some((endpoint, own)) => format!("{}/bulkId:{}", self.reference(endpoint), or_masked(own, is_word(own))),
            None => self.reference(text),
        }
    }
}

pub(super) fn is_one_of(words: &[&str], word: &str) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}

pub(super) fn or_masked(text: &str, is_told: bool) -> &str {
    if is_told { text } else { MASK }
}

/// The text form of a UUID (RFC 9562 §4).
pub(super) fn is_id(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// What a client may have made up to name something in its request.
pub(super) fn is_word(text: &str) -> bool {
    text.len() <= WORD_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What may name an attribute (RFC 7643 §2.1).
pub(super) fn is_name(text: &str) -> bool {
    let first = text.trim_start_matches('$');
    text.len() <= WORD_BYTES_MAX
        && first.starts_with(|c: char| c.is_ascii_alphabetic())
        && first.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// What may name a schema or a message.
pub(super) fn is_urn(text: &str) -> bool {
    text.get(..4).is_some_and(|urn| urn.eq_ignore_ascii_case("urn:"))
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'-' | b'_'))
}

pub(super) fn is_whole_number(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    (1..=WORD_BYTES_MAX).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The value of a parameter of a list, decoded; `None` where nobody knows such a parameter.
pub(super) fn parameter<'v>(name: &str, value: &'v str) -> Option<Cow<'v, str>> {
    let told = match name.to_ascii_lowercase().as_str() {
        "filter" => return Some(filter(value)),
        "attributes" | "excludedattributes" => return Some(attributes(value)),
        "sortby" => value.parse::<AttributePath>().is_ok_and(|path| path.filter.is_none()) && !value.contains('@'),
        "sortorder" => is_one_of(&["ascending", "descending"], value.trim()),
        "startindex" | "count" => is_whole_number(value.trim()),
        "api-version" => value.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-')),
        _ => return None,
    };
    Some(Cow::Borrowed(or_masked(value, told || value.is_empty())))
}

/// A filter with its literals masked; what is none, whole.
pub(super) fn filter(text: &str) -> Cow<'_, str> {
    match text.parse::<Filter>() {
        Ok(_) => Cow::Owned(literals_masked(text)),
        Err(_) => Cow::Borrowed(or_masked(text, text.is_empty())),
    }
}

/// Paths with commas between them, with the literals of their filters masked; what are none, whole.
pub(super) fn attributes(text: &str) -> Cow<'_, str> {
    match Projection::read(Some(text), None) {
        Ok(_) => Cow::Owned(literals_masked(text)),
        Err(_) => Cow::Borrowed(MASK),
    }
}

/// The name of a member, which may be a path with a filter.
pub(super) fn member(name: &str) -> Cow<'_, str> {
    match name.parse::<AttributePath>() {
        Ok(_) => Cow::Owned(literals_masked(name)),
        Err(_) => Cow::Borrowed(or_masked(name, is_name(name) || is_urn(name) || name.is_empty())),
    }
}

/// A sentence of an error: what it repeats of a request stands between quotation marks, and is told where they are single ones
/// and it can be nothing but a name.
pub(super) fn sentence(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(['\'', '"']) {
        let mark = &rest[begin..=begin];
        let is_apostrophe = mark == "'" && rest[..begin].ends_with(|c: char| c.is_alphanumeric());
        told.push_str(&rest[..=begin]);
        rest = &rest[begin + 1..];
        if is_apostrophe {
            continue;
        }
        // What is repeated may have such marks of its own: the last one ends it.
        let end = rest.rfind(mark).unwrap_or(rest.len());
        let quoted = &rest[..end];
        let is_path = quoted.parse::<AttributePath>().is_ok_and(|path| path.filter.is_none()) && !quoted.contains('@');
        told.push_str(or_masked(quoted, mark == "'" && (is_path || is_urn(quoted))));
        rest = &rest[end..];
        if let Some(after) = rest.strip_prefix(mark) {
            told.push_str(mark);
            rest = after;
        }
    }
    told.push_str(rest);
    told
}

/// What was read as a filter or as paths, with its literals masked, but those that say which kind of value is meant.
fn literals_masked(text: &str) -> String {
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
        if matches!(word, " " | "\t") {
            told.push_str(word);
            continue;
        }
        let is_kind = before.eq_ignore_ascii_case("type") && is_one_of(&CANONICAL, word.trim_matches('"'));
        let is_plain = is_kind
            || matches!(word, "true" | "false" | "null")
            // A URN may name a person too.
            || (!is_literal && first != '"' && !word.contains(['@', '%']));
        told.push_str(match (is_plain, first) {
            (true, _) => word,
            (false, '"') => "\"***\"",
            (false, _) => MASK,
        });
        let is_comparison = is_one_of(&COMPARISONS, word);
        if !is_comparison {
            before = word;
        }
        is_literal = is_comparison;
    }
    told
}

/// As the reader of filters has it.
fn is_of_word(c: char) -> bool {
    !matches!(c, ' ' | '\t' | '"' | '(' | ')' | '[' | ']')
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
