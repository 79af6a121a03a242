//! Classes of characters and escapes, from .NET's notation to the engine's: in its classes brackets, `&&`, `--` and `~~` mean something,
//! and `\<` is no letter.

/// What was translated.
pub(super) struct Piece {
    pub(super) text: String,
    /// What one step through it costs, roughly: classes of Unicode are large.
    pub(super) weight: usize,
}

impl Piece {
    fn letter(letter: char) -> Self {
        let mut text = String::new();
        push_literal(&mut text, letter);
        Self { text, weight: 1 }
    }
}

/// What a class weighs that Unicode defines: it has hundreds of ranges.
const UNICODE_WEIGHT: usize = 64;
/// Classes taken away from one another.
const SUBTRACTIONS_MAX: usize = 8;

/// Blocks of Unicode that .NET knows by these names (`\p{IsGreek}`).
const BLOCKS: [(&str, &str); 23] = [
    ("IsArabic", "\\u{600}-\\u{6FF}"),
    ("IsArmenian", "\\u{530}-\\u{58F}"),
    ("IsBasicLatin", "\\u{0}-\\u{7F}"),
    ("IsCJKUnifiedIdeographs", "\\u{4E00}-\\u{9FFF}"),
    ("IsCombiningDiacriticalMarks", "\\u{300}-\\u{36F}"),
    ("IsCurrencySymbols", "\\u{20A0}-\\u{20CF}"),
    ("IsCyrillic", "\\u{400}-\\u{4FF}"),
    ("IsCyrillicSupplement", "\\u{500}-\\u{52F}"),
    ("IsDevanagari", "\\u{900}-\\u{97F}"),
    ("IsGeneralPunctuation", "\\u{2000}-\\u{206F}"),
    ("IsGreek", "\\u{370}-\\u{3FF}"),
    ("IsGreekExtended", "\\u{1F00}-\\u{1FFF}"),
    ("IsGreekandCoptic", "\\u{370}-\\u{3FF}"),
    ("IsHangulJamo", "\\u{1100}-\\u{11FF}"),
    ("IsHangulSyllables", "\\u{AC00}-\\u{D7AF}"),
    ("IsHebrew", "\\u{590}-\\u{5FF}"),
    ("IsHiragana", "\\u{3040}-\\u{309F}"),
    ("IsKatakana", "\\u{30A0}-\\u{30FF}"),
    ("IsLatin-1Supplement", "\\u{80}-\\u{FF}"),
    ("IsLatinExtended-A", "\\u{100}-\\u{17F}"),
    ("IsLatinExtended-B", "\\u{180}-\\u{24F}"),
    ("IsLatinExtendedAdditional", "\\u{1E00}-\\u{1EFF}"),
    ("IsThai", "\\u{E00}-\\u{E7F}"),
];

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
    let by_number = |at: &mut usize, digits: usize| {
        let text: String = letters[*at..].iter().take(digits).collect();
        *at += digits;
        let number = (text.len() == digits).then(|| u32::from_str_radix(&text, 16).ok()).flatten();
        let letter = number.and_then(char::from_u32).map(Piece::letter);
        letter.ok_or_else(|| {
            format!(
                "has a `\\{letter}` without {digits} hexadecimal digits of a character",
                letter = letters[*at - digits - 1]
            )
        })
    };
    Ok(match letter {
        'd' | 'D' | 's' | 'S' | 'w' | 'W' => Piece { text: format!("\\{letter}"), weight: UNICODE_WEIGHT },
        'p' | 'P' => return property(letters, at, letter == 'P'),
        'a' => Piece::letter('\u{7}'),
        'b' => Piece::letter('\u{8}'),
        'e' => Piece::letter('\u{1b}'),
        'f' => Piece::letter('\u{c}'),
        'n' => Piece::letter('\n'),
        'r' => Piece::letter('\r'),
        't' => Piece::letter('\t'),
        'v' => Piece::letter('\u{b}'),
        'x' => return by_number(at, 2),
        'u' => return by_number(at, 4),
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
    if let Some((_, range)) = BLOCKS.iter().find(|(block, _)| *block == name) {
        return Ok(Piece { text: format!("[{negation}{range}]"), weight: 1 });
    }
    let is_category = CATEGORIES.contains(&name.as_str());
    if !is_category {
        return Err(format!("has `\\p{{{name}}}`, which is no category or block that is known"));
    }
    let sign = if is_negated { 'P' } else { 'p' };
    Ok(Piece { text: format!("\\{sign}{{{name}}}"), weight: UNICODE_WEIGHT })
}

/// Unicode's general categories.
const CATEGORIES: [&str; 37] = [
    "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe", "Pi",
    "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C", "Cc", "Cf", "Cs", "Co", "Cn",
];
const PROPERTY_LETTERS_MAX: usize = 48;

/// A class, from behind its bracket: `[a-z]`, `[^a-z]`, `[a-z-[aeiou]]`.
pub(super) fn class(letters: &[char], at: &mut usize) -> Result<Piece, String> {
    let mut classes = vec![Piece { text: String::new(), weight: 0 }];
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
    let weight = sets.iter().map(|set| set.weight).sum::<usize>().max(1);
    let mut texts = sets.into_iter().rev().map(|set| set.text);
    let mut text = texts.next().unwrap_or_default();
    for set in texts {
        text = format!("[{set}--{text}]");
    }
    classes.push(Piece { text, weight });
    classes.pop().ok_or_else(String::new)
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    Closed,
    Subtraction,
}

struct Set {
    text: String,
    weight: usize,
    end: End,
}

/// The letters of one class up to its end, or up to the class that is taken away from it.
fn set(letters: &[char], at: &mut usize) -> Result<Set, String> {
    let mut text = "[".to_owned();
    if letters.get(*at) == Some(&'^') {
        *at += 1;
        text.push('^');
    }
    let (mut weight, mut is_first) = (0, true);
    loop {
        let letter = *letters.get(*at).ok_or("has a `[` that is not closed")?;
        *at += 1;
        if letter == ']' && !is_first {
            return Ok(Set { text: text + "]", weight, end: End::Closed });
        }
        if letter == '-' && letters.get(*at) == Some(&'[') && !is_first {
            *at += 1;
            return Ok(Set { text: text + "]", weight, end: End::Subtraction });
        }
        is_first = false;
        let (piece, low) = member(letters, at, letter)?;
        weight += piece.weight;
        text.push_str(&piece.text);
        let is_range = letters.get(*at) == Some(&'-') && !matches!(letters.get(*at + 1), Some(']' | '[') | None);
        if let Some(low) = low.filter(|_| is_range) {
            *at += 2;
            let (piece, high) = member(letters, at, letters[*at - 1])?;
            let high = high.ok_or("has a range of characters that ends with a class")?;
            if high < low {
                return Err("has a range of characters in reverse order".to_owned());
            }
            text.push('-');
            text.push_str(&piece.text);
        }
    }
}

/// One member of a class, with the letter that it is, where it is one.
fn member(letters: &[char], at: &mut usize, letter: char) -> Result<(Piece, Option<char>), String> {
    if letter != '\\' {
        return Ok((Piece::letter(letter), Some(letter)));
    }
    let piece = escape(letters, at)?;
    let mut shown = piece.text.chars();
    let single = match (shown.next(), shown.next(), shown.next()) {
        (Some(letter), None, None) => Some(letter),
        (Some('\\'), Some(letter), None) if !letter.is_ascii_alphabetic() => Some(letter),
        _ => None,
    };
    Ok((piece, single))
}
