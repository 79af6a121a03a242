//! Functions that change letters: upper and lower case, words, diacritics. Independent of the machine's locale.

use std::sync::LazyLock;

use fancy_regex::Regex;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::super::evaluate::{Arguments, Evaluated};

/// Letters whose mark is no separate character in Unicode, with what Entra writes for them.
const LETTERS: &[(char, &str)] = &[
    ('æ', "ae"),
    ('Æ', "AE"),
    ('ø', "oe"),
    ('Ø', "OE"),
    ('œ', "oe"),
    ('Œ', "OE"),
    ('ß', "ss"),
    ('ł', "l"),
    ('Ł', "L"),
    ('ı', "i"),
];

pub(super) fn to_lower(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    change_case(arguments, lower, &[('I', 'ı'), ('İ', 'i')])
}

pub(super) fn to_upper(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    change_case(arguments, upper, &[('i', 'İ'), ('ı', 'I')])
}

fn change_case(
    arguments: &mut Arguments<'_, '_, '_>,
    invariant: fn(char) -> char,
    turkic: &[(char, char)],
) -> Evaluated {
    let Some(source) = arguments.text(0)? else {
        return Ok(None.into());
    };
    arguments.charge_letters(&source)?;
    let culture = arguments.text(1)?.unwrap_or_default();
    if !is_culture(&culture) {
        return Err(arguments.refuse("`culture` is not the name of one, such as `tr-TR`"));
    }
    let exceptions = if is_turkic(&culture) { turkic } else { &[] };
    let change = |letter: char| {
        exceptions.iter().find(|(from, _)| *from == letter).map_or_else(|| invariant(letter), |(_, to)| *to)
    };
    Ok(source.chars().map(change).collect::<String>().into())
}

/// Whether .NET takes a text for the name of a culture, known or not: letters and digits in parts of at most eight. `""` is the invariant one.
pub(in super::super) fn is_culture(text: &str) -> bool {
    let is_part = |part: &str| (1..=PART_MAX).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_language = text.split(['-', '_']).next().is_some_and(|part| part.bytes().all(|b| b.is_ascii_alphabetic()));
    text.is_empty() || text.len() <= CULTURE_MAX && is_language && text.split(['-', '_']).all(is_part)
}

/// Whether a name may be that of a culture that there is: languages have two letters or three.
pub(in super::super) fn has_language(culture: &str) -> bool {
    culture.is_empty() || (2..=3).contains(&culture.split(['-', '_']).next().unwrap_or_default().len())
}

/// Characters of a part of a culture's name (RFC 5646 §2.1).
const PART_MAX: usize = 8;
/// Characters of a culture's name in Windows.
const CULTURE_MAX: usize = 85;

/// Turkish and Azerbaijani tell the dotted from the dotless i.
fn is_turkic(culture: &str) -> bool {
    let language = culture.split(['-', '_']).next().unwrap_or_default();
    language.eq_ignore_ascii_case("tr") || language.eq_ignore_ascii_case("az")
}

/// Letter for letter, as .NET's invariant culture: `ß` has no capital, `İ` no small form.
pub(super) fn lower(letter: char) -> char {
    only(letter.to_lowercase()).unwrap_or(letter)
}

/// Letter for letter; the dotless `ı` has no capital in the invariant culture.
fn upper(letter: char) -> char {
    if letter == 'ı' { letter } else { only(letter.to_uppercase()).unwrap_or(letter) }
}

/// The first letter of a word. Letters of two have a form for it in which only the first is a capital: `ǆ`, `ǉ`, `ǌ` and `ǳ`.
fn title(letter: char) -> char {
    match letter {
        '\u{1c6}' => '\u{1c5}',
        '\u{1c9}' => '\u{1c8}',
        '\u{1cc}' => '\u{1cb}',
        '\u{1f3}' => '\u{1f2}',
        _ => upper(letter),
    }
}

fn only(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|_| letters.next().is_none())
}

/// Small letters throughout, then a capital for the first letter of each word.
pub(super) fn p_case(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let Some(source) = arguments.text(0)? else {
        return Ok(None.into());
    };
    arguments.charge_letters(&source)?;
    let separators = arguments.text(1)?.filter(|separators| !separators.is_empty());
    let separates = |letter: char| match &separators {
        Some(separators) => separators.contains(letter),
        None => !letter.is_alphanumeric() && !is_combining_mark(letter),
    };
    let mut at_start = true;
    let change = |letter: char| {
        if separates(letter) {
            at_start = true;
        } else if letter.is_alphabetic() && std::mem::take(&mut at_start) {
            return title(lower(letter));
        }
        lower(letter)
    };
    Ok(source.chars().map(change).collect::<String>().into())
}

/// The marks that take no room of their own (Unicode's category Mn), by the tables that regular expressions have.
static NON_SPACING: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\p{Mn}+").expect("the category of a character is a regular expression"));

/// Takes the non-spacing marks off, in every script: the accents of Latin letters as the tones of Thai. What is left is composed again, so
/// that Hangul keeps its syllables.
pub(super) fn normalize_diacritics(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let Some(source) = arguments.text(0)? else {
        return Ok(None.into());
    };
    arguments.charge_letters(&source)?;
    if source.is_ascii() {
        return Ok(source.into_owned().into());
    }
    let decomposed: String = source.nfd().collect();
    let bare = NON_SPACING.replace_all(&decomposed, "");
    let mut plain = String::with_capacity(source.len());
    for letter in bare.nfc() {
        match LETTERS.iter().find(|(marked, _)| *marked == letter) {
            Some((_, letters)) => plain.push_str(letters),
            None => plain.push(letter),
        }
    }
    Ok(plain.into())
}
