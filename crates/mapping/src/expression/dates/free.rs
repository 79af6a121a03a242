//! Dates in whatever form they come: what `CDate` and every function that takes a date understand.
//!
//! ```text
//! text := date [ ("T" | blanks) time ] [ blanks ] [ zone ]
//! date := yyyy-M-d | yyyy/M/d | M/d/year | M-d-year | d-MMM-year | d/MMM/year | [ day name "," ] d MMM year | [ day name "," ] MMM d, year
//! year := yyyy | yy                                      two digits mean 1950 to 2049, as in .NET
//! time := H:mm [ :ss [ .f… ] ] [ [ blanks ] AM | PM ] | h [ blanks ] AM | PM
//! zone := Z | GMT | UTC | ±hh:mm | ±hhmm | ±hh
//! ```

use jiff::civil::{Date, DateTime, Time};

use super::cursor::Cursor;
use super::names::{DAYS, HALVES, MONTHS, shorts};
use super::{Moment, TICK_NANOSECONDS};

/// What is understood, for messages.
pub(in crate::expression) const FORMS: &str = "`yyyy-MM-dd`, `yyyy/MM/dd`, `M/d/yyyy`, `M-d-yyyy`, `d-MMM-yyyy`, `d MMM yyyy` and `MMM d, yyyy` are understood (years behind month and \
     day with two digits or four), behind `T` or a blank `HH:mm`, `HH:mm:ss`, `h:mm:ss tt` or `h tt`, and then `Z` or an offset such as `+01:00`";

/// Digits behind the second that are read; only seven of them count.
const FRACTION_DIGITS_MAX: usize = 18;

/// Reads a date; without an offset it is in UTC. `None` for anything else.
pub(in crate::expression) fn parse(text: &str) -> Option<Moment> {
    let mut cursor = Cursor::new(text.trim());
    let date = date(&mut cursor)?;
    let is_next = cursor.take_word("T") || cursor.blanks() && cursor.digits_ahead() > 0;
    let time = if is_next { time(&mut cursor)? } else { Time::midnight() };
    cursor.blanks();
    let offset = if cursor.is_done() { None } else { Some(zone(&mut cursor)?) };
    if cursor.is_done() { Moment::new(date.to_datetime(time), offset) } else { None }
}

fn date(cursor: &mut Cursor<'_>) -> Option<Date> {
    match cursor.digits_ahead() {
        4 => {
            let year = cursor.number(4, 4)?;
            let separator = separator(cursor)?;
            let month = cursor.number(1, 2)?;
            let day = cursor.take(separator).then(|| cursor.number(1, 2)).flatten()?;
            of(year, month, day)
        }
        1 | 2 => {
            let first = cursor.number(1, 2)?;
            let Some(separator) = separator(cursor) else {
                return day_month_year(cursor, first);
            };
            if cursor.digits_ahead() == 0 {
                let month = month(cursor)?;
                let year = cursor.take(separator).then(|| year(cursor)).flatten()?;
                return of(year, month, first);
            }
            let day = cursor.number(1, 2)?;
            let year = cursor.take(separator).then(|| year(cursor)).flatten()?;
            of(year, first, day)
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
fn day_month_year(cursor: &mut Cursor<'_>, day: i32) -> Option<Date> {
    cursor.blanks();
    let month = month(cursor)?;
    cursor.blanks();
    of(year(cursor)?, month, day)
}

/// A year of four digits, or of two.
fn year(cursor: &mut Cursor<'_>) -> Option<i32> {
    match cursor.digits_ahead() {
        2 => cursor.number(2, 2).map(super::read::whole_year),
        _ => cursor.number(4, 4),
    }
}

/// What begins with the name of a day or of a month. The day must be the date's, as .NET demands.
fn worded(cursor: &mut Cursor<'_>) -> Option<Date> {
    let Some(weekday) = cursor.take_one_of(&DAYS).or_else(|| cursor.take_one_of(&shorts(DAYS))) else {
        let month = month(cursor)?;
        cursor.blanks();
        let day = cursor.number(1, 2)?;
        cursor.take(',');
        cursor.blanks();
        return of(year(cursor)?, month, day);
    };
    cursor.take(',');
    cursor.blanks();
    let date = if cursor.digits_ahead() > 0 {
        let day = cursor.number(1, 2)?;
        day_month_year(cursor, day)?
    } else {
        let month = month(cursor)?;
        cursor.blanks();
        let day = cursor.number(1, 2)?;
        cursor.take(',');
        cursor.blanks();
        of(year(cursor)?, month, day)?
    };
    (usize::try_from(date.weekday().to_sunday_zero_offset()).ok()? == weekday).then_some(date)
}

/// The number of a month whose name, long or short, is passed.
fn month(cursor: &mut Cursor<'_>) -> Option<i32> {
    let place = cursor.take_one_of(&MONTHS).or_else(|| cursor.take_one_of(&shorts(MONTHS)))?;
    i32::try_from(place + 1).ok()
}

fn of(year: i32, month: i32, day: i32) -> Option<Date> {
    let year = i16::try_from(year).ok().filter(|year| *year >= super::YEAR_MIN)?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn time(cursor: &mut Cursor<'_>) -> Option<Time> {
    let mut hour = cursor.number(1, 2)?;
    let has_minute = cursor.take(':');
    let minute = if has_minute { cursor.number(2, 2)? } else { 0 };
    let second = if has_minute && cursor.take(':') { cursor.number(2, 2)? } else { 0 };
    let ticks = if has_minute && cursor.take('.') { cursor.ticks(1, FRACTION_DIGITS_MAX)? } else { 0 };
    cursor.blanks();
    if let Some(half) = cursor.take_one_of(&HALVES) {
        hour = super::read::hour_of_half(hour, half == 1)?;
    } else if !has_minute {
        return None;
    }
    super::read::time(hour, minute, second, ticks * TICK_NANOSECONDS)
}

fn zone(cursor: &mut Cursor<'_>) -> Option<i32> {
    if cursor.take_one_of(&["Z", "GMT", "UTC"]).is_some() { Some(0) } else { cursor.offset() }
}

/// `M/d/yyyy h:mm:ss tt` in UTC, the form of every date-time of the language.
pub(in crate::expression) fn text_of(at: DateTime) -> String {
    let (hour, half) = super::write::hour_of_twelve(at.hour());
    let (month, day, year, minute, second) = (at.month(), at.day(), at.year(), at.minute(), at.second());
    format!("{month}/{day}/{year:04} {hour}:{minute:02}:{second:02} {half}")
}
