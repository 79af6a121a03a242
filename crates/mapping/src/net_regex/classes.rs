//! Classes of characters and escapes, from .NET's notation to the engine's: in its classes brackets, `&&`, `--` and `~~` mean something,
//! and `\<` is no letter.

use super::blocks;
use super::surrogates::{self, Units};

/// What was translated.
#[derive(Debug)]
pub(super) struct Piece {
    /// Empty where it stands for a half of a character.
    pub(super) text: String,
    /// What one step through it costs, roughly.
    pub(super) weight: usize,
    /// Bytes that it takes when it is compiled.
    pub(super) size: usize,
    /// The halves of characters that it stands for: .NET looks at units of UTF-16.
    pub(super) half: Option<Units>,
}

impl Piece {
    fn new(text: String, weight: usize, size: usize) -> Self {
        Self { text, weight, size, half: None }
    }

    pub(super) fn letter(letter: char) -> Self {
        let mut text = String::new();
        push_literal(&mut text, letter);
        Self::new(text, 1, size_of(u32::from(letter)))
    }

    /// Whether it is one letter: an escape of a letter is a class.
    pub(super) fn is_letter(&self) -> bool {
        let mut shown = self.text.chars();
        match (shown.next(), shown.next(), shown.next()) {
            (Some(_), None, None) => true,
            (Some('\\'), Some(letter), None) => !letter.is_ascii_alphabetic(),
            _ => false,
        }
    }

    pub(super) fn half(first: u32, last: u32) -> Self {
        Self { text: String::new(), weight: 1, size: 0, half: Some(Units { first, last }) }
    }

    /// The characters from one to another.
    pub(super) fn range(first: u32, last: u32) -> Self {
        Self::new(format!("[{}]", shown_range(first, last)), 1, size_of(last))
    }
}

/// What a class weighs that Unicode defines by hundreds of ranges, and what the others do.
const UNICODE_WEIGHT: usize = 64;
const SMALL_WEIGHT: usize = 8;
/// Bytes of such a class: `\w`, `\d`, and `\s`.
const UNICODE_SIZE: usize = 84 << 10;
const DIGITS_SIZE: usize = 12 << 10;
const BLANKS_SIZE: usize = 4 << 10;
/// Bytes of a letter of ASCII, of another one, and of what makes a class that of all others.
const ASCII_SIZE: usize = 128;
const LETTER_SIZE: usize = 1 << 10;
pub(super) const NEGATION_SIZE: usize = 5 << 9;
/// Classes taken away from one another.
const SUBTRACTIONS_MAX: usize = 8;

fn size_of(letter: u32) -> usize {
    if letter < 0x80 { ASCII_SIZE } else { LETTER_SIZE }
}

fn shown_range(first: u32, last: u32) -> String {
    format!("\\x{{{first:X}}}-\\x{{{last:X}}}")
}

/// Writes a letter so that it means itself, inside classes and outside.
pub(super) fn push_literal(text: &mut String, letter: char) {
    if "\\.+*?()|[]{}^$#&-~".contains(letter) {
        text.push('\\');
    }
    text.push(letter);
}

/// An escape, from behind its backslash: a class, or a letter by another spelling.
pub(super) fn escape(letters: &[char], at: &mut usize) -> Result<Piece, String> {
    let letter = *letters.get(*at).ok_or("ends with a backslash that escapes nothing")?;
    *at += 1;
    Ok(match letter {
        'w' | 'W' => Piece::new(format!("\\{letter}"), UNICODE_WEIGHT, UNICODE_SIZE),
        'd' | 'D' => Piece::new(format!("\\{letter}"), SMALL_WEIGHT, DIGITS_SIZE),
        's' | 'S' => Piece::new(format!("\\{letter}"), SMALL_WEIGHT, BLANKS_SIZE),
        'p' | 'P' => return property(letters, at, letter == 'P'),
        'a' => Piece::letter('\u{7}'),
        'b' => Piece::letter('\u{8}'),
        'e' => Piece::letter('\u{1b}'),
        'f' => Piece::letter('\u{c}'),
        'n' => Piece::letter('\n'),
        'r' => Piece::letter('\r'),
        't' => Piece::letter('\t'),
        'v' => Piece::letter('\u{b}'),
        'x' => return by_number(letters, at, 'x', 2),
        'u' => return by_number(letters, at, 'u', 4),
        'c' => {
            let control = letters.get(*at).copied().map(|letter| letter.to_ascii_uppercase());
            *at += 1;
            match control {
                Some(letter @ '@'..='_') => Piece::letter(char::from(u8::try_from(letter).unwrap_or(b'@') - b'@')),
                _ => return Err("has a `\\c` without the letter of a control character".to_owned()),
            }
        }
        '0'..='7' => {
            let digits: String =
                letters[*at - 1..].iter().take(3).take_while(|digit| ('0'..='7').contains(*digit)).collect();
            *at += digits.len() - 1;
            let number = u32::from_str_radix(&digits, 8).unwrap_or(0) & 0xff;
            Piece::letter(char::from_u32(number).unwrap_or('\0'))
        }
        letter if letter.is_ascii_alphanumeric() => {
            return Err(format!("has `\\{letter}`, which is no escape"));
        }
        letter => Piece::letter(letter),
    })
}

/// So many hexadecimal digits behind `\x` or `\u`: a character, or a half of one.
fn by_number(letters: &[char], at: &mut usize, escape: char, digits: usize) -> Result<Piece, String> {
    let text: String = letters[*at..].iter().take(digits).collect();
    *at += text.chars().count();
    let is_number = text.len() == digits && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = if is_number { u32::from_str_radix(&text, 16).ok() } else { None };
    let number =
        number.ok_or_else(|| format!("has a `\\{escape}` without {digits} hexadecimal digits of a character"))?;
    Ok(char::from_u32(number).map_or_else(|| Piece::half(number, number), Piece::letter))
}

/// `{name}` behind `\p` or `\P`.
fn property(letters: &[char], at: &mut usize, is_negated: bool) -> Result<Piece, String> {
    let rest = &letters[*at..];
    let end = rest.iter().take(PROPERTY_LETTERS_MAX).position(|letter| *letter == '}');
    let Some(end) = end.filter(|_| rest.first() == Some(&'{')) else {
        return Err("has a `\\p` without `{name}`".to_owned());
    };
    *at += end + 1;
    let name: String = rest[1..end].iter().collect();
    let negation = if is_negated { "^" } else { "" };
    if let Some((first, last)) = blocks::find(&name) {
        return if !surrogates::is_unit(first) {
            Ok(Piece::new(format!("[{negation}{}]", shown_range(first, last)), 1, NEGATION_SIZE))
        } else if is_negated {
            Err(surrogates::HALF.to_owned())
        } else {
            Ok(Piece::half(first, last))
        };
    }
    if name == "Cs" {
        return Ok(Piece::new(format!("[{negation}{}]", surrogates::WHOLE), 1, NEGATION_SIZE));
    }
    if !CATEGORIES.contains(&name.as_str()) {
        return Err(format!("has `\\p{{{name}}}`, which is no category or block that is known"));
    }
    let sign = if is_negated { 'P' } else { 'p' };
    Ok(Piece::new(format!("\\{sign}{{{name}}}"), UNICODE_WEIGHT, UNICODE_SIZE))
}

/// Unicode's general categories.
const CATEGORIES: [&str; 36] = [
    "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe", "Pi",
    "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Co", "Cn",
];
const PROPERTY_LETTERS_MAX: usize = 48;

/// A class, from behind its bracket: `[a-z]`, `[^a-z]`, `[a-z-[aeiou]]`.
pub(super) fn class(letters: &[char], at: &mut usize) -> Result<Piece, String> {
    let mut sets = vec![set(letters, at)?];
    while let Some(End::Subtraction) = sets.last().map(|set| set.end) {
        if sets.len() > SUBTRACTIONS_MAX {
            return Err(format!("takes classes away more than {SUBTRACTIONS_MAX} deep"));
        }
        sets.push(set(letters, at)?);
    }
    // Each is closed by a bracket of its own.
    for _ in 1..sets.len() {
        if letters.get(*at) != Some(&']') {
            return Err("has a class that goes on behind what is taken away from it".to_owned());
        }
        *at += 1;
    }
    if sets.len() > 1 && sets.iter().any(|set| set.piece.half.is_some()) {
        return Err(surrogates::HALF.to_owned());
    }
    let mut whole: Option<Piece> = None;
    for Set { piece, .. } in sets.into_iter().rev() {
        whole = Some(match whole {
            None => piece,
            Some(less) => Piece::new(
                format!("[{}--{}]", piece.text, less.text),
                piece.weight + less.weight,
                piece.size + less.size + NEGATION_SIZE,
            ),
        });
    }
    whole.ok_or_else(String::new)
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Closed,
    Subtraction,
}

struct Set {
    piece: Piece,
    end: End,
}

/// What stands in one class, while it is read.
#[derive(Default)]
struct Members {
    text: String,
    weight: usize,
    size: usize,
    halves: Vec<Units>,
    is_negated: bool,
}

impl Members {
    fn add(&mut self, piece: &Piece) {
        self.weight += piece.weight;
        self.size += piece.size;
        self.text.push_str(&piece.text);
        self.halves.extend(piece.half);
    }

    /// A range as .NET has it, of units of UTF-16: one that holds all halves holds what they make.
    fn add_range(&mut self, first: u32, last: u32) -> Result<(), String> {
        if last < first {
            return Err("has a range of characters in reverse order".to_owned());
        }
        self.weight += 1;
        self.size += size_of(first) + size_of(last);
        let (halves, others) = surrogates::split(first, last);
        self.halves.extend(halves);
        for (first, last) in others.into_iter().flatten() {
            self.text.push_str(&shown_range(first, last));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Piece, String> {
        let halves = surrogates::merged(self.halves);
        if halves == Some(surrogates::ALL) {
            self.text.push_str(surrogates::WHOLE);
            self.size += LETTER_SIZE;
        } else if let Some(half) = halves {
            let is_alone = self.text.is_empty() && !self.is_negated && half.first <= half.last;
            return if is_alone { Ok(Piece::half(half.first, half.last)) } else { Err(surrogates::HALF.to_owned()) };
        }
        let negation = if self.is_negated { "^" } else { "" };
        let size = if self.is_negated { self.size + NEGATION_SIZE } else { self.size };
        Ok(match self.text.as_str() {
            "\\s\\S" | "\\S\\s" | "\\w\\W" | "\\W\\w" | "\\d\\D" | "\\D\\d" if !self.is_negated => {
                Piece::new("(?s:.)".to_owned(), 2, NEGATION_SIZE)
            }
            text => Piece::new(format!("[{negation}{text}]"), self.weight.max(1), size),
        })
    }
}

/// The letters of one class up to its end, or up to the class that is taken away from it.
fn set(letters: &[char], at: &mut usize) -> Result<Set, String> {
    let mut members = Members::default();
    if letters.get(*at) == Some(&'^') {
        *at += 1;
        members.is_negated = true;
    }
    let mut is_first = true;
    loop {
        let letter = *letters.get(*at).ok_or("has a `[` that is not closed")?;
        *at += 1;
        if letter == ']' && !is_first {
            return Ok(Set { piece: members.finish()?, end: End::Closed });
        }
        if letter == '-' && letters.get(*at) == Some(&'[') && !is_first {
            *at += 1;
            return Ok(Set { piece: members.finish()?, end: End::Subtraction });
        }
        is_first = false;
        let (piece, low) = member(letters, at, letter)?;
        let is_range = letters.get(*at) == Some(&'-') && !matches!(letters.get(*at + 1), Some(']' | '[') | None);
        if let Some(low) = low.filter(|_| is_range) {
            *at += 2;
            let (_, high) = member(letters, at, letters[*at - 1])?;
            members.add_range(low, high.ok_or("has a range of characters that ends with a class")?)?;
        } else {
            members.add(&piece);
        }
    }
}

/// One member of a class, with the number of the letter or unit that it is, where it is one.
fn member(letters: &[char], at: &mut usize, letter: char) -> Result<(Piece, Option<u32>), String> {
    if letter != '\\' {
        return Ok((Piece::letter(letter), Some(u32::from(letter))));
    }
    let piece = escape(letters, at)?;
    if let Some(half) = piece.half {
        return Ok((piece, (half.first == half.last).then_some(half.first)));
    }
    let mut shown = piece.text.chars();
    let single = match (shown.next(), shown.next(), shown.next()) {
        (Some(letter), None, None) => Some(letter),
        (Some('\\'), Some(letter), None) if !letter.is_ascii_alphabetic() => Some(letter),
        _ => None,
    };
    Ok((piece, single.map(u32::from)))
}
