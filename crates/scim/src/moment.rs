//! Moments as RFC 7643 §2.3.5 writes them: `xsd:dateTime` of XML Schema 1.1 part 2 §3.3.7, over all of its years of four digits. The calendar
//! is the proleptic Gregorian one.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// A moment, in nanoseconds since 1970. What is finer is not told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i128);

const SECOND: i128 = 1_000_000_000;
const FRACTION_DIGITS_MAX: usize = 9;
const DAY_SECONDS: i64 = 24 * 60 * 60;
/// Bytes of a date without its time.
const DATE_END: usize = 10;
/// Bytes of a date and time without fraction and offset.
const SECONDS_END: usize = 19;
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
        let (main, rest) = text.split_at_checked(SECONDS_END)?;
        if !main
            .bytes()
            .zip(*b"0000-00-00T00:00:00")
            .all(|(b, of)| if of == b'0' { b.is_ascii_digit() } else { b == of })
        {
            return None;
        }
        let part = |from: usize, to: usize| main.get(from..to).and_then(number);
        let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
        let (fraction, offset) = fraction(rest)?;
        let is_midnight = hour == 24 && minute == 0 && second == 0 && fraction == 0;
        let is_day = (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day);
        if !is_day || !(hour < 24 || is_midnight) || minute > 59 || second > 59 {
            return None;
        }
        let seconds = days_since_1970(year, month, day) * DAY_SECONDS + (hour * 60 + minute) * 60 + second;
        let seconds = seconds - minutes_of(offset)? * 60;
        Some(Self(i128::from(seconds) * SECOND + i128::from(fraction)))
    }

    /// Reads what clients compare with: also forms of RFC 9557 that are no `xsd:dateTime`, such as one without seconds.
    pub(crate) fn read_any(text: &str) -> Option<Self> {
        Self::read(text).or_else(|| {
            if !text.contains(['T', 't']) {
                return None;
            }
            let known = text
                .parse::<Timestamp>()
                .ok()
                .or_else(|| text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp()));
            known.map(|timestamp| Self(timestamp.as_nanosecond()))
        })
    }

    /// Reads what a filter compares an instant with: any form of one, and a date alone for its midnight.
    pub fn of_filter(text: &str) -> Option<Self> {
        Self::read_any(text).or_else(|| Self::midnight(text))
    }

    /// A date alone, as some clients write it in filters: its midnight in UTC.
    fn midnight(text: &str) -> Option<Self> {
        if text.len() == DATE_END { Self::read(&format!("{text}T00:00:00Z")) } else { None }
    }
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
fn minutes_of(offset: &str) -> Option<i64> {
    let sign = match offset.as_bytes() {
        [] | [b'Z'] => return Some(0),
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let part = |from: usize, to: usize| {
        offset.get(from..to).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit())).and_then(number)
    };
    let (hours, minutes) = (part(1, 3)?, part(4, 6)?);
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_date_alone_is_its_midnight() {
        assert_eq!(Moment::midnight("2026-05-31"), Moment::read("2026-05-31T00:00:00Z"));
        assert!(Moment::midnight("2026-05-31").is_some());
        for text in ["2026-02-30", "2026-5-31", "20260531", "2026-05-3é", "2026-05-311", "+026-05-31", "----------", ""]
        {
            assert_eq!(Moment::midnight(text), None, "{text}");
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
        for text in ["2015-10-10T21:38Z", "2015-10-10t21:38:00z", "2015-10-10T21:38:00+00:00[UTC]"] {
            assert_eq!(Moment::read_any(text), Moment::read("2015-10-10T21:38:00Z"), "{text}");
        }
        for text in ["notadate", "2015-10-10", "2015-10-10T25:00:00Z", ""] {
            assert_eq!(Moment::read_any(text), None, "{text}");
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
            prop_assert!(read.is_none() || Moment::read_any(&form) == read);
        }
    }

    fn moments() -> impl Strategy<Value = String> {
        (0..10_000, 1..13, 1..29, 0..24, 0..60, 0..60).prop_map(|(year, month, day, hour, minute, second)| {
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.5")
        })
    }
}
