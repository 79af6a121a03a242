//! What dates are compared with: a fixed day or instant, or one that moves with the clock.

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::expression::date_time;

/// The farthest that an operand may lie from now or today: a hundred years.
const DAYS_MAX: i64 = 36_500;
const HOURS_OF_DAY: i64 = 24;
const HOURS_OF_WEEK: i64 = 7 * HOURS_OF_DAY;

/// What is understood, for messages.
pub(super) const FORMS: &str = "a date such as 2026-12-31, an instant such as 2026-12-31T18:00:00Z, `today`, `now`, or one of those with a distance such as `today+14d`, `today-2w` or `now-36h`";

/// The day or instant that dates are compared with. Days and times without an offset are in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Day(Date),
    Instant(DateTime),
    /// So many days from the present one.
    Today(i64),
    /// So long from now.
    Now(SignedDuration),
}

/// How a date lies to a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    Before,
    OnOrBefore,
    After,
    OnOrAfter,
}

impl Moment {
    /// Reads an operand.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let unknown = || format!("needs {FORMS}");
        if let Some(distance) = text.strip_prefix("today") {
            let hours = hours(distance)?;
            return if hours % HOURS_OF_DAY == 0 {
                Ok(Self::Today(hours / HOURS_OF_DAY))
            } else {
                Err("counts in hours from a day; write `now` in place of `today`, or whole days".to_owned())
            };
        }
        if let Some(distance) = text.strip_prefix("now") {
            return Ok(Self::Now(SignedDuration::from_hours(hours(distance)?)));
        }
        let begins_with_year = text.len() >= 10 && text.bytes().take(4).all(|digit| digit.is_ascii_digit());
        let at = begins_with_year.then(|| date_time(text)).flatten().ok_or_else(unknown)?;
        Ok(if text.len() == 10 { Self::Day(at.date()) } else { Self::Instant(at) })
    }

    /// Whether a date lies so to this moment.
    pub(super) fn has(self, position: Position, date: DateTime, now: Timestamp) -> bool {
        let now = TimeZone::UTC.to_datetime(now);
        let day = match self {
            Self::Day(day) => day,
            Self::Today(days) => now.date().saturating_add(SignedDuration::from_hours(days * HOURS_OF_DAY)),
            Self::Instant(at) => return is_so(position, date, at),
            Self::Now(distance) => return is_so(position, date, now.saturating_add(distance)),
        };
        match position {
            Position::Before => date.date() < day,
            Position::OnOrBefore => date.date() <= day,
            Position::After => date.date() > day,
            Position::OnOrAfter => date.date() >= day,
        }
    }

    /// The next whole second at which a date may lie otherwise than now; `None` where it never will.
    pub(super) fn next_change(self, date: DateTime, now: Timestamp) -> Option<Timestamp> {
        let turns = match self {
            Self::Day(_) | Self::Instant(_) => return None,
            Self::Now(distance) => [date.checked_sub(distance).ok(), None],
            Self::Today(days) => {
                let away = SignedDuration::from_hours(days * HOURS_OF_DAY);
                let day = date.date().to_datetime(Time::midnight()).checked_sub(away).ok();
                [day, day.and_then(|day| day.checked_add(SignedDuration::from_hours(HOURS_OF_DAY)).ok())]
            }
        };
        let seconds = turns.into_iter().flatten().filter_map(|turn| {
            let turn = TimeZone::UTC.to_timestamp(turn).ok()?;
            // At the turn itself the date may still lie as before: the second behind it is late enough.
            Timestamp::from_second(turn.as_second() + 1).ok()
        });
        seconds.filter(|second| *second > now).min()
    }
}

fn is_so(position: Position, date: DateTime, at: DateTime) -> bool {
    match position {
        Position::Before => date < at,
        Position::OnOrBefore => date <= at,
        Position::After => date > at,
        Position::OnOrAfter => date >= at,
    }
}

/// `+14d`, `-2w`, `+36h`, or nothing.
fn hours(distance: &str) -> Result<i64, String> {
    let unknown = || format!("needs {FORMS}");
    let distance = distance.trim();
    if distance.is_empty() {
        return Ok(0);
    }
    let sign = match distance.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return Err(unknown()),
    };
    let unit = match distance.as_bytes().last() {
        Some(b'h') => 1,
        Some(b'd') => HOURS_OF_DAY,
        Some(b'w') => HOURS_OF_WEEK,
        _ => return Err(unknown()),
    };
    let digits = distance.get(1..distance.len() - 1).unwrap_or_default().trim();
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(unknown());
    }
    let far = digits.parse::<i64>().ok().and_then(|number| number.checked_mul(unit));
    let hours = far.filter(|hours| *hours <= DAYS_MAX * HOURS_OF_DAY);
    hours.map(|hours| sign * hours).ok_or_else(|| format!("lies farther away than {DAYS_MAX} days"))
}
