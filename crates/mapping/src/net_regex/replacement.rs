//! What takes the place of a match, in .NET's notation: `${name}`, `$1`, `$$`, `$&` and its kin; any other `$` is itself:
//! <https://learn.microsoft.com/en-us/dotnet/standard/base-types/substitutions-in-regular-expressions>.

use super::groups::{GroupName, Groups};

/// One part of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(String),
    Group(GroupName),
    Whole,
    Before,
    After,
    LastGroup,
    Everything,
}

/// Takes a replacement apart.
pub(super) fn parts(text: &str, groups: &Groups) -> Vec<Part> {
    let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find('$') {
        literal.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        if let Some((part, length)) = substitution(behind, groups) {
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(part);
            rest = &behind[length..];
        } else {
            literal.push('$');
            rest = behind;
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    parts
}

/// What a `$` and the text behind it mean, with the length of that text.
fn substitution(behind: &str, groups: &Groups) -> Option<(Part, usize)> {
    let known = |name: GroupName| (name == GroupName::Number(0) || groups.find(&name).is_some()).then_some(name);
    let group = |name: GroupName| if name == GroupName::Number(0) { Part::Whole } else { Part::Group(name) };
    let first = behind.chars().next()?;
    let single = match first {
        '$' => Some(Part::Literal("$".to_owned())),
        '&' => Some(Part::Whole),
        '`' => Some(Part::Before),
        '\'' => Some(Part::After),
        '+' => Some(Part::LastGroup),
        '_' => Some(Part::Everything),
        _ => None,
    };
    if let Some(part) = single {
        return Some((part, 1));
    }
    if let Some(inner) = behind.strip_prefix('{') {
        let end = inner.find('}')?;
        return known(GroupName::read(&inner[..end])).map(|name| (group(name), end + 2));
    }
    let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
    let number = (1..=DIGITS_MAX).contains(&digits).then(|| GroupName::read(&behind[..digits]))?;
    known(number).map(|name| (group(name), digits))
}

/// Digits of a group's number.
const DIGITS_MAX: usize = 9;
