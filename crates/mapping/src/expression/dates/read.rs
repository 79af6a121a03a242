//! Reads a date by a pattern, as .NET's `DateTime.ParseExact` does: all of the text, and nothing but what the pattern says.

use jiff::civil::{Date, Time, date};

use super::cursor::Cursor;
use super::names::{DAYS, ERA, HALVES, MONTHS, shorts};
use super::pattern::{Part, Pattern};
use super::{Fault, Moment, TICK_NANOSECONDS};

/// The last year that two digits mean (`Calendar.TwoDigitYearMax` of the invariant culture).
const TWO_DIGIT_YEAR_MAX: i32 = 2049;
/// The first day of .NET.
const FIRST_DAY: Date = date(1, 1, 1);

/// What may be different from the pattern, and what it means that something is missing (.NET's `DateTimeStyles`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of .NET")]
pub(in crate::expression) struct Styles {
    /// White space may stand before the text, and counts nowhere at the beginning of the pattern.
    pub(in crate::expression) allow_leading_white: bool,
    /// The same behind it.
    pub(in crate::expression) allow_trailing_white: bool,
    /// White space may stand before any part.
    pub(in crate::expression) allow_inner_white: bool,
    /// A time alone is one of the first day there is, and not of today.
    pub(in crate::expression) no_current_date: bool,
    /// A text without offset says all the same where it is from: from UTC, as our local time is that too.
    pub(in crate::expression) is_placed: bool,
}

impl Styles {
    /// No style at all.
    pub(in crate::expression) const NONE: Self = Self {
        allow_leading_white: false,
        allow_trailing_white: false,
        allow_inner_white: false,
        no_current_date: false,
        is_placed: false,
    };

    /// The same, and white space wherever it may be.
    pub(in crate::expression) const fn with_white_spaces(self) -> Self {
        Self { allow_leading_white: true, allow_trailing_white: true, allow_inner_white: true, ..self }
    }
}

impl Default for Styles {
    /// What `FormatDateTime` has where no style is named.
    fn default() -> Self {
        Self { allow_leading_white: true, allow_trailing_white: true, ..Self::NONE }
    }
}

/// What was read so far. A part that comes twice must say the same.
#[derive(Default)]
struct Fields {
    year: Option<i32>,
    month: Option<i32>,
    day: Option<i32>,
    weekday: Option<i32>,
    hour: Option<i32>,
    hour_of_half: Option<i32>,
    minute: Option<i32>,
    second: Option<i32>,
    ticks: Option<i32>,
    is_after_noon: Option<bool>,
    offset: Option<i32>,
}

impl Pattern {
    /// Reads `text`. What a pattern does not name is taken from `today` where it names no date at all, else the year is today's, and month
    /// and day are the first.
    pub(in crate::expression) fn read(&self, text: &str, styles: Styles, today: Date) -> Result<Moment, Fault> {
        let fields = self.fields(text, styles).ok_or(Fault::Form)?;
        fields.moment(if styles.no_current_date { FIRST_DAY } else { today }, styles.is_placed)
    }

    /// What the text names; `None` where it is not as the pattern says.
    fn fields(&self, text: &str, styles: Styles) -> Option<Fields> {
        let is_white = |part: &Part| matches!(part, Part::Literal(letter) if letter.is_whitespace());
        let (mut text, mut parts) = (text, self.0.as_slice());
        if styles.allow_leading_white {
            text = text.trim_start();
            parts = &parts[parts.iter().take_while(|part| is_white(part)).count()..];
        }
        if styles.allow_trailing_white {
            text = text.trim_end();
            parts = &parts[..parts.len() - parts.iter().rev().take_while(|part| is_white(part)).count()];
        }
        let mut cursor = Cursor::new(text);
        let mut fields = Fields::default();
        for (index, part) in parts.iter().enumerate() {
            if styles.allow_inner_white {
                cursor.blanks();
                if is_white(part) {
                    continue;
                }
            }
            fields.read(part, parts.get(index + 1), &mut cursor)?;
        }
        cursor.is_done().then_some(fields)
    }
}

impl Fields {
    fn read(&mut self, part: &Part, next: Option<&Part>, cursor: &mut Cursor<'_>) -> Option<()> {
        // One letter takes one digit or two, two letters take two.
        let number = |cursor: &mut Cursor<'_>, letters: usize| cursor.number(letters.min(2), 2);
        match part {
            Part::Day(letters @ (1 | 2)) => set(&mut self.day, number(cursor, *letters)?),
            Part::Day(letters) => set(&mut self.weekday, name(cursor, &DAYS, &shorts(DAYS), *letters)?),
            Part::Month(letters @ (1 | 2)) => set(&mut self.month, number(cursor, *letters)?),
            Part::Month(letters) => set(&mut self.month, name(cursor, &MONTHS, &shorts(MONTHS), *letters)? + 1),
            Part::Year(letters @ (1 | 2)) => set(&mut self.year, whole_year(number(cursor, *letters)?)),
            Part::Year(3) => set(&mut self.year, cursor.number(3, 4)?),
            Part::Year(letters) => set(&mut self.year, cursor.number(*letters, *letters)?),
            Part::Hour(letters) => set(&mut self.hour, number(cursor, *letters)?),
            Part::HourOfHalf(letters) => set(&mut self.hour_of_half, number(cursor, *letters)?),
            Part::Minute(letters) => set(&mut self.minute, number(cursor, *letters)?),
            Part::Second(letters) => set(&mut self.second, number(cursor, *letters)?),
            Part::Fraction { digits, is_optional } => {
                let least = if *is_optional { 0 } else { *digits };
                set(&mut self.ticks, cursor.ticks(least, *digits)?)
            }
            Part::Half(letters) => {
                let halves = HALVES.map(|half| &half[..*letters]);
                let half = cursor.take_one_of(&halves)?;
                set(&mut self.is_after_noon, half == 1)
            }
            Part::Era => cursor.take_one_of(&[ERA, "AD"]).map(|_| ()),
            Part::Offset(_) => set(&mut self.offset, cursor.offset()?.seconds()?),
            Part::Zone if cursor.take_word("Z") => set(&mut self.offset, 0),
            Part::Zone if matches!(cursor.peek(), Some('+' | '-')) => {
                set(&mut self.offset, cursor.offset()?.seconds()?)
            }
            Part::Zone => Some(()),
            Part::Literal('.') if matches!(next, Some(Part::Fraction { is_optional: true, .. })) => {
                cursor.take('.');
                Some(())
            }
            Part::Literal(letter) => cursor.take(*letter).then_some(()),
        }
    }

    fn moment(self, today: Date, is_placed: bool) -> Result<Moment, Fault> {
        let is_dateless = self.year.is_none() && self.month.is_none() && self.day.is_none();
        let date = if is_dateless {
            today
        } else {
            let year = i16::try_from(self.year.unwrap_or(today.year().into())).ok().filter(|year| *year > 0);
            let month = i8::try_from(self.month.unwrap_or(1)).ok().filter(|month| (1..=12).contains(month));
            let day = i8::try_from(self.day.unwrap_or(1)).map_err(|_| Fault::Day)?;
            Date::new(year.ok_or(Fault::Range)?, month.ok_or(Fault::Month)?, day).map_err(|_| Fault::Day)?
        };
        if self.weekday.is_some_and(|weekday| weekday != i32::from(date.weekday().to_sunday_zero_offset())) {
            return Err(Fault::Weekday);
        }
        let time = self.time().ok_or(Fault::Time)?;
        let offset = self.offset.or(is_placed.then_some(0));
        Moment::new(date.to_datetime(time), offset).ok_or(Fault::Range)
    }

    fn time(&self) -> Option<Time> {
        let of_half = match (self.hour_of_half, self.is_after_noon) {
            (Some(hour), is_after_noon) => Some(hour_of_half(hour, is_after_noon.unwrap_or(false))?),
            (None, _) => None,
        };
        let hour = match (self.hour, of_half) {
            (Some(hour), Some(of_half)) if hour % 12 != of_half % 12 => return None,
            (Some(hour), _) => hour,
            (None, of_half) => of_half.unwrap_or(0),
        };
        let nanoseconds = self.ticks.unwrap_or(0) * TICK_NANOSECONDS;
        time(hour, self.minute.unwrap_or(0), self.second.unwrap_or(0), nanoseconds)
    }
}

/// Sets what must not be set to anything else.
fn set<T: PartialEq>(field: &mut Option<T>, value: T) -> Option<()> {
    if field.as_ref().is_some_and(|before| *before != value) {
        return None;
    }
    *field = Some(value);
    Some(())
}

/// The number of a name, from 0: three letters mean a short one, more a long one.
fn name(cursor: &mut Cursor<'_>, long: &[&str], short: &[&str], letters: usize) -> Option<i32> {
    let place = cursor.take_one_of(if letters == 3 { short } else { long })?;
    i32::try_from(place).ok()
}

/// The year that at most two digits mean.
pub(super) fn whole_year(year: i32) -> i32 {
    let century = TWO_DIGIT_YEAR_MAX / 100 * 100;
    if year > TWO_DIGIT_YEAR_MAX % 100 { century - 100 + year } else { century + year }
}

/// The hour of the day; twelve is none of a half.
pub(super) fn hour_of_half(hour: i32, is_after_noon: bool) -> Option<i32> {
    (0..=12).contains(&hour).then(|| hour % 12 + if is_after_noon { 12 } else { 0 })
}

pub(super) fn time(hour: i32, minute: i32, second: i32, nanoseconds: i32) -> Option<Time> {
    let part = |number: i32| i8::try_from(number).ok();
    // A leap second, which jiff would take, is none to .NET.
    let second = part(second).filter(|second| *second < 60)?;
    Time::new(part(hour)?, part(minute)?, second, nanoseconds).ok()
}
