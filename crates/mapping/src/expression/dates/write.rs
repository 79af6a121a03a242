//! Writes a date by a pattern, as .NET's `DateTime.ToString` does.

use std::fmt::{self, Write as _};

use super::names::{DAYS, ERA, HALVES, MONTHS, short};
use super::pattern::{Part, Pattern};
use super::{Moment, TICK_NANOSECONDS};

impl Pattern {
    /// The text of a moment, in UTC.
    pub(in crate::expression) fn write(&self, moment: Moment) -> String {
        let mut text = String::new();
        for part in &self.0 {
            write(&mut text, part, moment).expect("writing to a String cannot fail");
        }
        text
    }
}

fn write(text: &mut String, part: &Part, moment: Moment) -> fmt::Result {
    let at = moment.at;
    let number = |text: &mut String, letters: usize, number: i8| write!(text, "{number:0letters$}");
    match part {
        Part::Day(letters @ (1 | 2)) => number(text, *letters, at.day()),
        Part::Day(letters) => named(text, &DAYS, at.weekday().to_sunday_zero_offset(), *letters),
        Part::Month(letters @ (1 | 2)) => number(text, *letters, at.month()),
        Part::Month(letters) => named(text, &MONTHS, at.month() - 1, *letters),
        Part::Year(letters @ (1 | 2)) => write!(text, "{:0letters$}", at.year() % 100),
        Part::Year(letters) => write!(text, "{:0letters$}", at.year()),
        Part::Hour(letters) => number(text, *letters, at.hour()),
        Part::HourOfHalf(letters) => number(text, *letters, hour_of_twelve(at.hour()).0),
        Part::Minute(letters) => number(text, *letters, at.minute()),
        Part::Second(letters) => number(text, *letters, at.second()),
        Part::Fraction { digits, is_optional } => {
            let all = format!("{:07}", at.subsec_nanosecond() / TICK_NANOSECONDS);
            let kept = &all[..*digits];
            let kept = if *is_optional { kept.trim_end_matches('0') } else { kept };
            if kept.is_empty() && text.ends_with('.') {
                text.pop();
            }
            text.write_str(kept)
        }
        Part::Half(letters) => text.write_str(&hour_of_twelve(at.hour()).1[..*letters]),
        Part::Era => text.write_str(ERA),
        Part::Offset(1) => text.write_str("+0"),
        Part::Offset(2) => text.write_str("+00"),
        Part::Offset(_) => text.write_str("+00:00"),
        Part::Zone => text.write_str(if moment.is_placed { "Z" } else { "" }),
        Part::Literal(letter) => text.write_char(*letter),
    }
}

fn named(text: &mut String, names: &[&'static str], place: i8, letters: usize) -> fmt::Result {
    let name = usize::try_from(place).ok().and_then(|place| names.get(place)).copied().unwrap_or_default();
    text.write_str(if letters == 3 { short(name) } else { name })
}

/// The hour from 1 to 12, and its half of the day.
pub(super) fn hour_of_twelve(hour: i8) -> (i8, &'static str) {
    let twelfth = if hour % 12 == 0 { 12 } else { hour % 12 };
    (twelfth, HALVES[usize::from(hour >= 12)])
}
