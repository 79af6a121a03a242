//! Reckoning with dates as Visual Basic does, whose functions the language took: what is added, what lies between, and the numbers that
//! Windows gives to moments.

use std::str::FromStr;

use jiff::civil::{Date, DateTime, date};
use jiff::{SignedDuration, Span};

use super::is_in_range;

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::expression) enum Interval {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

/// Their names, for messages.
pub(in crate::expression) const INTERVALS: &str = "`yyyy`, `m`, `d`, `ww`, `h`, `n` (minute) or `s`";

impl FromStr for Interval {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let names = [
            ("yyyy", Self::Year),
            ("m", Self::Month),
            ("ww", Self::Week),
            ("d", Self::Day),
            ("h", Self::Hour),
            ("n", Self::Minute),
            ("s", Self::Second),
        ];
        names.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, interval)| interval).ok_or(())
    }
}

/// So many units later; a month is never left for the next one because it has fewer days. `None` outside the years there are.
pub(in crate::expression) fn add(at: DateTime, interval: Interval, number: i64) -> Option<DateTime> {
    let span = Span::new();
    let span = match interval {
        Interval::Year => span.try_years(number),
        Interval::Month => span.try_months(number),
        Interval::Week => span.try_weeks(number),
        Interval::Day => span.try_days(number),
        Interval::Hour => span.try_hours(number),
        Interval::Minute => span.try_minutes(number),
        Interval::Second => span.try_seconds(number),
    };
    at.checked_add(span.ok()?).ok().filter(|at| is_in_range(*at))
}

/// How many units lie between: boundaries that are crossed of years, months and weeks (from Sunday), whole units of the time that passes of
/// the others.
pub(in crate::expression) fn between(from: DateTime, to: DateTime, interval: Interval) -> i64 {
    let passed = to.duration_since(from);
    let months = |at: DateTime| i64::from(at.year()) * 12 + i64::from(at.month());
    match interval {
        Interval::Year => i64::from(to.year()) - i64::from(from.year()),
        Interval::Month => months(to) - months(from),
        Interval::Week => week(to.date()) - week(from.date()),
        Interval::Day => passed.as_hours() / 24,
        Interval::Hour => passed.as_hours(),
        Interval::Minute => passed.as_mins(),
        Interval::Second => passed.as_secs(),
    }
}

/// The number of a week that begins on Sunday.
fn week(day: Date) -> i64 {
    let sunday = date(1970, 1, 4);
    (day.duration_since(sunday).as_hours() / 24).div_euclid(7)
}

/// Windows counts ticks from here.
const FILE_TIME_BEGIN: DateTime = date(1601, 1, 1).at(0, 0, 0, 0);
const SECOND_TICKS: i64 = 10_000_000;

/// Ticks since 1601 (Windows' FILETIME); `None` before that.
pub(in crate::expression) fn file_time(at: DateTime) -> Option<i64> {
    let passed = at.duration_since(FILE_TIME_BEGIN);
    let ticks = passed.as_secs() * SECOND_TICKS + i64::from(passed.subsec_nanos() / super::TICK_NANOSECONDS);
    (ticks >= 0).then_some(ticks)
}

/// The moment of a FILETIME; `None` outside the years there are.
pub(in crate::expression) fn from_file_time(ticks: i64) -> Option<DateTime> {
    let ticks = (ticks >= 0).then_some(ticks)?;
    let nanoseconds = i32::try_from(ticks % SECOND_TICKS).ok()? * super::TICK_NANOSECONDS;
    FILE_TIME_BEGIN.checked_add(SignedDuration::new(ticks / SECOND_TICKS, nanoseconds)).ok()
}
