//! Moments as RFC 7643 §2.3.5 writes them: `xsd:dateTime` of XML Schema 1.1 part 2 §3.3.7, over all of its years of four digits. The calendar
//! is the proleptic Gregorian one.

/// A moment, in nanoseconds since 1970. What is finer is not told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i128);

const SECOND: i128 = 1_000_000_000;
const FRACTION_DIGITS_MAX: usize = 9;
const DAY_SECONDS: i64 = 24 * 60 * 60;
/// Bytes of a date without its time.
const DATE_END: usize = 10;
/// Furthest from UTC that there is, in minutes.
const OFFSET_MAX: i64 = 14 * 60;
/// Days from the first of March of the year 0 to the first day of 1970.
const DAYS_BEFORE_1970: i64 = 719_468;

impl Moment {
    /// A moment by its nanoseconds since 1970.
    pub const fn from_nanosecond(nanosecond: i128) -> Self {
        Self(nanosecond)
    }

    /// Nanoseconds since 1970.
    pub const fn as_nanosecond(self) -> i128 {
        self.0
    }

    /// Reads an `xsd:dateTime`; what is stored is read by others, who may know no other form. Without offset it is UTC. The hour 24 is the
    /// beginning of the next day; there are no leap seconds.
    pub fn read(text: &str) -> Option<Self> {
        parse(text, Form::Value)
    }

    /// Reads what a filter compares an instant with: a value, or one as clients write it there. A date alone is its midnight, and a time may
    /// lack its seconds; `t` and `z` may be small; an offset may be `+0100` or `+01`, have a blank for the `+` that an address did not
    /// encode, and be followed by the name of its zone, as in `[Europe/Paris]`; a leap second is the second after it.
    pub fn of_filter(text: &str) -> Option<Self> {
        parse(text, Form::Filter)
    }
}

/// What may be left out or written in another way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing.
    Value,
    /// What [`Moment::of_filter`] takes.
    Filter,
}

fn parse(text: &str, form: Form) -> Option<Moment> {
    let is_lenient = form == Form::Filter;
    let (date, rest) = text.split_at_checked(DATE_END)?;
    let (year, month, day) = match date.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _] => (part(date, 0, 4)?, part(date, 5, 7)?, part(date, 8, 10)?),
        _ => return None,
    };
    let is_day = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
    let midnight = days_since_1970(year, month, day) * DAY_SECONDS;
    if rest.is_empty() {
        return (is_day && is_lenient).then_some(Moment(i128::from(midnight) * SECOND));
    }
    let rest = rest.strip_prefix('T').or_else(|| rest.strip_prefix('t').filter(|_| is_lenient))?;
    let (hour, minute) = (part(rest, 0, 2)?, part(rest.get(2..)?.strip_prefix(':')?, 0, 2)?);
    let rest = rest.get(5..)?;
    let (second, fraction, offset) = match rest.strip_prefix(':') {
        Some(rest) => {
            let (fraction, offset) = fraction(rest.get(2..)?)?;
            (part(rest, 0, 2)?, fraction, offset)
        }
        None if is_lenient => (0, 0, rest),
        None => return None,
    };
    let is_midnight = hour == 24 && minute == 0 && second == 0 && fraction == 0;
    let is_second = second < 60 || second == 60 && is_lenient;
    if !is_day || !(hour < 24 || is_midnight) || minute > 59 || !is_second {
        return None;
    }
    let seconds = midnight + (hour * 60 + minute - minutes_of(offset, form)?) * 60 + second;
    Some(Moment(i128::from(seconds) * SECOND + i128::from(fraction)))
}

/// The number that digits at a place make.
fn part(text: &str, from: usize, to: usize) -> Option<i64> {
    text.get(from..to).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit())).and_then(number)
}

/// A few digits.
fn number(digits: &str) -> Option<i64> {
    digits.parse().ok()
}

/// The nanoseconds of a fraction, if there is one, and what follows it.
fn fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(rest) = rest.strip_prefix('.') else { return Some((0, rest)) };
    let (digits, after) = rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count());
    let kept = digits.get(..digits.len().min(FRACTION_DIGITS_MAX)).filter(|kept| !kept.is_empty())?;
    let scale = (kept.len()..FRACTION_DIGITS_MAX).fold(1, |scale, _| scale * 10);
    Some((number(kept)? * scale, after))
}

/// The minutes that an offset is ahead of UTC.
fn minutes_of(offset: &str, form: Form) -> Option<i64> {
    let is_lenient = form == Form::Filter;
    let zone = offset.find('[').filter(|_| is_lenient && offset.ends_with(']'));
    let offset = zone.map_or(offset, |at| &offset[..at]);
    let (hours, minutes) = match offset.as_bytes() {
        [] | [b'Z'] => return Some(0),
        [b'z'] if is_lenient => return Some(0),
        [_, _, _, b':', _, _] => (part(offset, 1, 3)?, part(offset, 4, 6)?),
        [_, _, _, _, _] if is_lenient => (part(offset, 1, 3)?, part(offset, 3, 5)?),
        [_, _, _] if is_lenient => (part(offset, 1, 3)?, 0),
        _ => return None,
    };
    let sign = match offset.as_bytes() {
        [b'+', ..] => 1,
        [b' ', ..] if is_lenient => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let all = hours * 60 + minutes;
    (minutes < 60 && all <= OFFSET_MAX).then_some(sign * all)
}

const fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970. Years begin in March here, so that the day that some of them have more is their last.
const fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - DAYS_BEFORE_1970
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;

    /// What a filter may compare with, and a value may not be.
    #[test]
    fn forms_of_filters_only() {
        for (text, same) in [
            ("2015-10-10", "2015-10-10T00:00:00Z"),
            ("2015-10-10T21:38Z", "2015-10-10T21:38:00Z"),
            ("2015-10-10T21:38", "2015-10-10T21:38:00Z"),
            ("2015-10-10T24:00", "2015-10-11T00:00:00Z"),
            ("2015-10-10T21:38+01:00", "2015-10-10T20:38:00Z"),
            ("2015-10-10t21:38:21Z", "2015-10-10T21:38:21Z"),
            ("2015-10-10T21:38:21.5z", "2015-10-10T21:38:21.5Z"),
            ("2015-10-10T21:38:21+0130", "2015-10-10T20:08:21Z"),
            ("2015-10-10T21:38:21-01", "2015-10-10T22:38:21Z"),
            ("2015-10-10T21:38:21 01:00", "2015-10-10T20:38:21Z"),
            ("2015-10-10T21:38:21.25 0100", "2015-10-10T20:38:21.25Z"),
            ("2015-10-10T21:38:21+02:00[Europe/Paris]", "2015-10-10T19:38:21Z"),
            ("2015-10-10T21:38:21Z[UTC]", "2015-10-10T21:38:21Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ] {
            assert_eq!(Moment::read(text), None, "{text}");
            assert!(Moment::read(same).is_some(), "{same}");
            assert_eq!(Moment::of_filter(text), Moment::read(same), "{text}");
        }
        for text in [
            "",
            "2015",
            "2015-10",
            "2015-5-31",
            "2015-02-30",
            "20150531",
            "2015-05-3é",
            "2015-05-311",
            "+015-05-31",
            "----------",
            "notadate",
            "2015-10-10T",
            "2015-10-10T21",
            "2015-10-10T21Z",
            "2015-10-10T21:3",
            "2015-10-10T21.5",
            "2015-10-10T21:38:2",
            "2015-10-10T21:38.5Z",
            "2015-10-10 21:38:21Z",
            "20151010T213821Z",
            "2015-10-10T25:00:00Z",
            "2015-10-10T24:01",
            "2015-10-10T21:38:61Z",
            "2015-10-10T21:38:21+1",
            "2015-10-10T21:38:21+1:00",
            "2015-10-10T21:38:21 ",
            "2015-10-10T21:38:21+15:00",
            "2015-10-10T21:38:21Z[UTC",
            "2015-10-10T21:38:21ZUTC]",
            "2015-10-10T21:38:21,5Z",
            "+002015-10-10T21:38:21Z",
        ] {
            assert_eq!(Moment::of_filter(text), None, "{text}");
        }
    }

    #[test]
    fn forms_of_a_moment() {
        for (text, same) in [
            ("2015-10-10T14:38:21.8617979-07:00", "2015-10-10T21:38:21.8617979Z"),
            ("2015-10-10T21:38:21.86179790000000Z", "2015-10-10T21:38:21.8617979"),
            ("2016-12-31T24:00:00Z", "2017-01-01T00:00:00Z"),
            ("2016-12-31T24:00:00.000+01:00", "2016-12-31T23:00:00Z"),
            ("0001-01-01T00:00:00+14:00", "0000-12-31T10:00:00Z"),
            ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59-14:00"),
            ("2016-02-29T00:00:00-00:00", "2016-02-29T00:00:00Z"),
        ] {
            assert!(Moment::read(text).is_some(), "{text}");
            assert_eq!(Moment::read(text), Moment::read(same), "{text}");
        }
        for text in [
            "",
            ".",
            "notadate",
            "2015",
            "2015-10-10",
            "2015-10-10T21:38Z",
            "2015-10-10T21",
            "20151010T213821Z",
            "2015-10-10t21:38:21Z",
            "2015-10-10 21:38:21Z",
            "2015-10-10T21:38:21z",
            "+002015-10-10T21:38:21Z",
            "2015-10-10T21:38:21.Z",
            "2015-10-10T21:38:21,5Z",
            "2015-10-10T21:38:21.é",
            "2015-10-10T21:38:21Z[Europe/Paris]",
            "2015-10-10T21:38:21+0100",
            "2015-10-10T21:38:21+14:01",
            "2015-10-10T21:38:21+24:00",
            "2015-10-10T21:38:21+01:60",
            "2015-10-10T21:38:21++1:00",
            "2015-10-10T25:00:00Z",
            "2015-10-10T24:00:01Z",
            "2015-10-10T24:00:00.5Z",
            "2015-10-10T21:60:00Z",
            "2016-12-31T23:59:60Z",
            "2015-00-10T00:00:00Z",
            "2015-13-10T00:00:00Z",
            "2015-10-00T00:00:00Z",
            "2015-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2015-04-31T00:00:00Z",
        ] {
            assert_eq!(Moment::read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_moment_is_what_the_calendar_says(at in Timestamp::MIN.as_second()..Timestamp::MAX.as_second(), fraction in 0..1_000_000_000_i32) {
            let at = Timestamp::new(at, 0).unwrap() + jiff::SignedDuration::from_nanos(fraction.into());
            let text = format!("{at:.9}");
            if !text.starts_with('-') {
                prop_assert_eq!(Moment::read(&text), Some(Moment(at.as_nanosecond())), "{}", text);
            }
        }

        #[test]
        fn moments_of_one_offset_sort_as_their_texts(
            left in moments(), right in moments(), offset in proptest::sample::select(&["", "Z", "+05:30", "-14:00"][..])
        ) {
            let read = |text: &str| Moment::read(&format!("{text}{offset}"));
            prop_assert!(read(&left).is_some());
            prop_assert_eq!(read(&left).cmp(&read(&right)), left.cmp(&right));
        }

        #[test]
        fn no_text_panics(text in ".{0,40}", form in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,12})?.{0,7}") {
            let _ = Moment::read(&text);
            let read = Moment::read(&form);
            prop_assert!(read.is_none() || Moment::of_filter(&form) == read);
            let _ = Moment::of_filter(&text);
        }
    }

    fn moments() -> impl Strategy<Value = String> {
        (0..10_000, 1..13, 1..29, 0..24, 0..60, 0..60).prop_map(|(year, month, day, hour, minute, second)| {
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.5")
        })
    }
}
