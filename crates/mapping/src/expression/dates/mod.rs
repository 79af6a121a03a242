//! Dates and times as .NET reads and writes them: what the date functions of the language are made of. A moment is a civil date and time in
//! UTC between the years 1 and 9999; where a text names an offset, it has been taken off. The culture is the invariant one.
//! Which function does what with them lives in `functions`.

pub(super) mod calendar;
mod cursor;
pub(super) mod free;
mod names;
pub(super) mod pattern;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(super) use read::Styles;

use jiff::civil::DateTime;

/// First year of .NET's `DateTime`; its last is jiff's own, 9999.
const YEAR_MIN: i16 = 1;
/// .NET counts hundreds of nanoseconds, which it calls ticks.
const TICK_NANOSECONDS: i32 = 100;

/// A moment as a function got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// In UTC.
    pub(super) at: DateTime,
    /// Whether the text said where it is from: by an offset, or by `Z`.
    pub(super) is_placed: bool,
}

impl Moment {
    /// What was read, moved to UTC; `None` where that lies outside the years there are.
    fn new(local: DateTime, offset_seconds: Option<i32>) -> Option<Self> {
        let offset = jiff::SignedDuration::from_secs(offset_seconds.unwrap_or(0).into());
        let at = local.checked_sub(offset).ok().filter(|at| is_in_range(*at))?;
        Some(Self { at, is_placed: offset_seconds.is_some() })
    }
}

/// Why a text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not written as one; all others are.
    Form,
    Month,
    Day,
    Weekday,
    Time,
    Offset,
    /// It lies outside the years there are.
    Range,
}

impl Fault {
    /// The rest of a sentence about a text whose form is right.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::Form => "it is not written as one",
            Self::Month => {
                "there is no such month; where no year comes first, the first number is the month, as in `M/d/yyyy`"
            }
            Self::Day => "that month has no such day",
            Self::Weekday => "the date falls on another day of the week",
            Self::Time => "there is no such time of day",
            Self::Offset => "an offset is at most 14 hours, and its minutes are fewer than 60",
            Self::Range => "in UTC it lies outside the years 1 to 9999",
        }
    }
}

fn is_in_range(at: DateTime) -> bool {
    at.year() >= YEAR_MIN
}

/// The date and time of a text as `CDate` reads it, in UTC; `None` where it is none.
pub(crate) fn date_time(text: &str) -> Option<DateTime> {
    free::parse(text).map(|moment| moment.at)
}

/// The date and time of a FILETIME: tenths of microseconds since the year 1601. `None` outside the years there are.
pub(crate) fn file_time(ticks: i64) -> Option<DateTime> {
    calendar::from_file_time(ticks)
}
