//! Dates in whatever form they come: what `CDate` and every function that takes a date understand.
//!
//! ```text
//! text  := date [ ("T" | blanks) time ] [ blanks ] [ zone ]
//! date  := yyyy-M-d | yyyy/M/d | M/d/year | M-d-year | d-MMM-year | d/MMM/year | [ day name "," ] d MMM year
//!        | [ day name "," ] MMM d ("," | blanks) year | month
//! month := yyyy-M | yyyy/M | M/yyyy | M-yyyy | MMM ("," | "-" | "/" | blanks) yyyy        its first day is meant
//! year  := yyyy | yy                                      two digits mean 1950 to 2049, as in .NET
//! time  := H:mm [ :ss [ .f… ] ] [ [ blanks ] AM | PM ] | h [ blanks ] AM | PM
//! zone  := Z | GMT | UTC | ±hh:mm | ±hhmm | ±hh
//! ```

use jiff::civil::{Date, DateTime, Time};

use super::cursor::{Cursor, Offset};
use super::names::{DAYS, HALVES, MONTHS, shorts};
use super::{Fault, Moment, TICK_NANOSECONDS};

/// What is understood, for messages.
pub(in crate::expression) const FORMS: &str = "`yyyy-MM-dd`, `yyyy/MM/dd`, `M/d/yyyy`, `M-d-yyyy`, `d-MMM-yyyy`, `d MMM yyyy` and `MMM d, yyyy` are understood (years behind month and \
     day with two digits or four), `yyyy-MM` and `MMM yyyy` for the first of a month, behind `T` or a blank `HH:mm`, `HH:mm:ss`, `h:mm:ss tt` or \
     `h tt`, and then `Z` or an offset such as `+01:00`";

/// Digits behind the second that are read; only seven of them count.
const FRACTION_DIGITS_MAX: usize = 18;

/// Reads a date; without an offset it is in UTC. `None` for anything else.
pub(in crate::expression) fn parse(text: &str) -> Option<Moment> {
    read(text).ok()
}

/// The same, with what is wrong with a text that is none.
pub(in crate::expression) fn read(text: &str) -> Result<Moment, Fault> {
    let mut cursor = Cursor::new(text.trim());
    let (day, clock, offset) = parts(&mut cursor).filter(|_| cursor.is_done()).ok_or(Fault::Form)?;
    let (date, time) = (day.date()?, clock.map_or(Ok(Time::midnight()), Clock::time)?);
    let offset = offset.map(|offset| offset.seconds().ok_or(Fault::Offset)).transpose()?;
    Moment::new(date.to_datetime(time), offset).ok_or(Fault::Range)
}

/// The numbers of a date, whether or not there is such a one.
struct Written {
    year: i32,
    month: i32,
    day: i32,
    /// From Sunday.
    weekday: Option<usize>,
}

/// The numbers of a time of day, whether or not there is such a one.
struct Clock {
    hour: i32,
    minute: i32,
    second: i32,
    ticks: i32,
    is_after_noon: Option<bool>,
}

fn parts(cursor: &mut Cursor<'_>) -> Option<(Written, Option<Clock>, Option<Offset>)> {
    let day = day(cursor)?;
    let is_next = cursor.take_word("T") || cursor.blanks() && cursor.digits_ahead() > 0;
    let clock = if is_next { Some(clock(cursor)?) } else { None };
    cursor.blanks();
    let offset = if cursor.is_done() { None } else { Some(zone(cursor)?) };
    Some((day, clock, offset))
}

impl Written {
    const fn of(year: i32, month: i32, day: i32) -> Self {
        Self { year, month, day, weekday: None }
    }

    /// What a month without a day means.
    const fn first_of(year: i32, month: i32) -> Self {
        Self::of(year, month, 1)
    }

    /// The day of the week must be the date's, as .NET demands.
    fn date(&self) -> Result<Date, Fault> {
        let month = i8::try_from(self.month).ok().filter(|month| (1..=12).contains(month)).ok_or(Fault::Month)?;
        let year = i16::try_from(self.year).ok().filter(|year| *year >= super::YEAR_MIN).ok_or(Fault::Range)?;
        let day = i8::try_from(self.day).map_err(|_| Fault::Day)?;
        let date = Date::new(year, month, day).map_err(|_| Fault::Day)?;
        let weekday = usize::try_from(date.weekday().to_sunday_zero_offset()).ok();
        if self.weekday.is_none() || self.weekday == weekday { Ok(date) } else { Err(Fault::Weekday) }
    }
}

impl Clock {
    fn time(self) -> Result<Time, Fault> {
        let hour = match self.is_after_noon {
            Some(is_after_noon) => super::read::hour_of_half(self.hour, is_after_noon),
            None => Some(self.hour),
        };
        let nanoseconds = self.ticks * TICK_NANOSECONDS;
        hour.and_then(|hour| super::read::time(hour, self.minute, self.second, nanoseconds)).ok_or(Fault::Time)
    }
}

fn day(cursor: &mut Cursor<'_>) -> Option<Written> {
    match cursor.digits_ahead() {
        4 => {
            let year = cursor.number(4, 4)?;
            let separator = separator(cursor)?;
            let month = cursor.number(1, 2)?;
            if !cursor.take(separator) {
                return Some(Written::first_of(year, month));
            }
            Some(Written::of(year, month, cursor.number(1, 2)?))
        }
        1 | 2 => {
            let first = cursor.number(1, 2)?;
            let Some(separator) = separator(cursor) else {
                return day_month_year(cursor, first);
            };
            match cursor.digits_ahead() {
                0 => {
                    let month = month(cursor)?;
                    let year = cursor.take(separator).then(|| year(cursor)).flatten()?;
                    Some(Written::of(year, month, first))
                }
                4 => Some(Written::first_of(cursor.number(4, 4)?, first)),
                _ => {
                    let day = cursor.number(1, 2)?;
                    let year = cursor.take(separator).then(|| year(cursor)).flatten()?;
                    Some(Written::of(year, first, day))
                }
            }
        }
        0 => worded(cursor),
        _ => None,
    }
}

/// `-` or `/`, which is passed.
fn separator(cursor: &mut Cursor<'_>) -> Option<char> {
    ['-', '/'].into_iter().find(|separator| cursor.take(*separator))
}

/// ` MMM yyyy`, behind the day.
fn day_month_year(cursor: &mut Cursor<'_>, day: i32) -> Option<Written> {
    cursor.blanks();
    let month = month(cursor)?;
    cursor.blanks();
    Some(Written::of(year(cursor)?, month, day))
}

/// A year of four digits, or of two.
fn year(cursor: &mut Cursor<'_>) -> Option<i32> {
    match cursor.digits_ahead() {
        2 => cursor.number(2, 2).map(super::read::whole_year),
        _ => cursor.number(4, 4),
    }
}

/// What begins with the name of a day or of a month.
fn worded(cursor: &mut Cursor<'_>) -> Option<Written> {
    let weekday = cursor.take_one_of(&DAYS).or_else(|| cursor.take_one_of(&shorts(DAYS)));
    if weekday.is_none() {
        return month_first(cursor);
    }
    cursor.take(',');
    cursor.blanks();
    let day = if cursor.digits_ahead() > 0 {
        let day = cursor.number(1, 2)?;
        day_month_year(cursor, day)?
    } else {
        let month = month(cursor)?;
        cursor.blanks();
        day_and_year(cursor, month)?
    };
    Some(Written { weekday, ..day })
}

/// A month, with a day and a year or with a year alone.
fn month_first(cursor: &mut Cursor<'_>) -> Option<Written> {
    let month = month(cursor)?;
    if separator(cursor).is_some() {
        return (cursor.digits_ahead() == 4)
            .then(|| cursor.number(4, 4))
            .flatten()
            .map(|year| Written::first_of(year, month));
    }
    cursor.take(',');
    cursor.blanks();
    if cursor.digits_ahead() == 4 {
        return Some(Written::first_of(cursor.number(4, 4)?, month));
    }
    day_and_year(cursor, month)
}

/// `d, yyyy` or `d yyyy`, behind the month. Without anything between them the one would be taken for part of the other.
fn day_and_year(cursor: &mut Cursor<'_>, month: i32) -> Option<Written> {
    let day = cursor.number(1, 2)?;
    let has_comma = cursor.take(',');
    if cursor.blanks() || has_comma { Some(Written::of(year(cursor)?, month, day)) } else { None }
}

/// The number of a month whose name, long or short, is passed.
fn month(cursor: &mut Cursor<'_>) -> Option<i32> {
    let place = cursor.take_one_of(&MONTHS).or_else(|| cursor.take_one_of(&shorts(MONTHS)))?;
    i32::try_from(place + 1).ok()
}

fn clock(cursor: &mut Cursor<'_>) -> Option<Clock> {
    let hour = cursor.number(1, 2)?;
    let has_minute = cursor.take(':');
    let minute = if has_minute { cursor.number(2, 2)? } else { 0 };
    let second = if has_minute && cursor.take(':') { cursor.number(2, 2)? } else { 0 };
    let ticks = if has_minute && cursor.take('.') { cursor.ticks(1, FRACTION_DIGITS_MAX)? } else { 0 };
    cursor.blanks();
    let is_after_noon = cursor.take_one_of(&HALVES).map(|half| half == 1);
    let is_time = has_minute || is_after_noon.is_some();
    is_time.then_some(Clock { hour, minute, second, ticks, is_after_noon })
}

fn zone(cursor: &mut Cursor<'_>) -> Option<Offset> {
    if cursor.take_one_of(&["Z", "GMT", "UTC"]).is_some() { Some(Offset::NONE) } else { cursor.offset() }
}

/// `M/d/yyyy h:mm:ss tt` in UTC, the form of every date-time of the language.
pub(in crate::expression) fn text_of(at: DateTime) -> String {
    let (hour, half) = super::write::hour_of_twelve(at.hour());
    let (month, day, year, minute, second) = (at.month(), at.day(), at.year(), at.minute(), at.second());
    format!("{month}/{day}/{year:04} {hour}:{minute:02}:{second:02} {half}")
}
