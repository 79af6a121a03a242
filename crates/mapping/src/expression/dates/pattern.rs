//! The patterns in which .NET writes dates, custom and standard ones, taken apart:
//! <https://learn.microsoft.com/en-us/dotnet/standard/base-types/custom-date-and-time-format-strings>. Reading by one is `read`'s, writing
//! `write`'s.

/// Characters of a pattern. The longest standard one has 37.
pub(in crate::expression) const PATTERN_CHARS_MAX: usize = 256;
/// Digits behind the second that .NET knows.
const FRACTION_DIGITS_MAX: usize = 7;

/// A pattern, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::expression) struct Pattern(pub(super) Vec<Part>);

/// One part; `usize` is how often its letter stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Day(usize),
    Month(usize),
    Year(usize),
    /// From 0 to 23.
    Hour(usize),
    /// From 1 to 12.
    HourOfHalf(usize),
    Minute(usize),
    Second(usize),
    /// Digits behind the second; where they are optional, zeros at the end are not written, nor the point before them.
    Fraction {
        digits: usize,
        is_optional: bool,
    },
    /// `AM` or `PM`, or its first letter.
    Half(usize),
    Era,
    Offset(usize),
    /// `Z` or an offset, where there is one.
    Zone,
    Literal(char),
}

/// Standard patterns: one letter that stands for a whole pattern.
const STANDARD: [(char, &str); 18] = [
    ('d', "MM/dd/yyyy"),
    ('D', "dddd, dd MMMM yyyy"),
    ('f', "dddd, dd MMMM yyyy HH:mm"),
    ('F', "dddd, dd MMMM yyyy HH:mm:ss"),
    ('g', "MM/dd/yyyy HH:mm"),
    ('G', "MM/dd/yyyy HH:mm:ss"),
    ('m', "MMMM dd"),
    ('M', "MMMM dd"),
    ('o', "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK"),
    ('O', "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK"),
    ('r', "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'"),
    ('R', "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'"),
    ('s', "yyyy'-'MM'-'dd'T'HH':'mm':'ss"),
    ('t', "HH:mm"),
    ('T', "HH:mm:ss"),
    ('u', "yyyy'-'MM'-'dd HH':'mm':'ss'Z'"),
    ('U', "dddd, dd MMMM yyyy HH:mm:ss"),
    ('y', "yyyy MMMM"),
];

impl Pattern {
    /// Takes a pattern apart; says in words what is wrong with one that is none.
    pub(in crate::expression) fn new(text: &str) -> Result<Self, String> {
        let count = text.chars().count();
        if count > PATTERN_CHARS_MAX {
            return Err(format!("has more than {PATTERN_CHARS_MAX} characters"));
        }
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (None, _) => Err("is empty".to_owned()),
            (Some(letter), None) => {
                let letter = if letter == 'Y' { 'y' } else { letter };
                match STANDARD.iter().find(|(known, _)| *known == letter) {
                    Some((_, pattern)) => custom(pattern),
                    None => Err(format!("`{}` is no standard pattern", letter.escape_debug())),
                }
            }
            _ => custom(text),
        }
    }
}

fn custom(text: &str) -> Result<Pattern, String> {
    let letters: Vec<char> = text.chars().collect();
    let (mut parts, mut at) = (Vec::new(), 0);
    while let Some(&letter) = letters.get(at) {
        let run = letters[at..].iter().take_while(|next| **next == letter).count();
        let passed = match letter {
            '\'' | '"' => quoted(&letters, at, &mut parts)?,
            '\\' => {
                let escaped = letters.get(at + 1).ok_or("ends with a backslash that escapes nothing")?;
                parts.push(Part::Literal(*escaped));
                2
            }
            // It only sets a single letter apart.
            '%' if letters.get(at + 1).is_none_or(|next| *next == '%') => {
                return Err("has a `%` that stands before no letter".to_owned());
            }
            '%' => 1,
            _ => {
                let part = part(letter, run)?;
                let passed = if part.is_some() { run } else { 1 };
                parts.push(part.unwrap_or(Part::Literal(letter)));
                passed
            }
        };
        at += passed;
    }
    Ok(Pattern(parts))
}

/// What stands between two quotation marks; gives the number of letters that it takes with them.
fn quoted(letters: &[char], at: usize, parts: &mut Vec<Part>) -> Result<usize, String> {
    let mark = letters[at];
    let mut next = at + 1;
    loop {
        match letters.get(next) {
            Some(letter) if *letter == mark => return Ok(next + 1 - at),
            Some('\\') if letters.get(next + 1).is_some() => {
                parts.push(Part::Literal(letters[next + 1]));
                next += 2;
            }
            Some(letter) => {
                parts.push(Part::Literal(*letter));
                next += 1;
            }
            None => return Err(format!("has a {mark} that is not closed")),
        }
    }
}

fn part(letter: char, run: usize) -> Result<Option<Part>, String> {
    Ok(Some(match letter {
        'd' => Part::Day(run.min(4)),
        'M' => Part::Month(run.min(4)),
        'y' => Part::Year(run.min(5)),
        'H' => Part::Hour(run.min(2)),
        'h' => Part::HourOfHalf(run.min(2)),
        'm' => Part::Minute(run.min(2)),
        's' => Part::Second(run.min(2)),
        'f' | 'F' if run > FRACTION_DIGITS_MAX => {
            return Err(format!("has more than {FRACTION_DIGITS_MAX} of the letter `{letter}`"));
        }
        'f' | 'F' => Part::Fraction { digits: run, is_optional: letter == 'F' },
        't' => Part::Half(run.min(2)),
        'g' => Part::Era,
        'z' => Part::Offset(run.min(3)),
        'K' => Part::Zone,
        _ => return Ok(None),
    }))
}
