//! Tests of reading, writing and reckoning with dates.

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::calendar::{self, Interval};
use super::pattern::Pattern;
use super::{Fault, Moment, Styles, free};

const TODAY: Date = date(2025, 7, 30);

#[test]
fn dates_in_many_forms() {
    for (text, expected) in [
        ("2021-08-24", "8/24/2021 12:00:00 AM"),
        ("2021-8-4", "8/4/2021 12:00:00 AM"),
        ("2021/08/24", "8/24/2021 12:00:00 AM"),
        ("2012-03-16-07:00", "3/16/2012 7:00:00 AM"),
        ("2021-06-30+08:00", "6/29/2021 4:00:00 PM"),
        ("2021-12-31T23:30:00Z", "12/31/2021 11:30:00 PM"),
        ("2021-12-31t23:30:00z", "12/31/2021 11:30:00 PM"),
        ("2021-12-31 23:59:59-05:00", "1/1/2022 4:59:59 AM"),
        ("2021-12-31T23:30:00.1234567+01:00", "12/31/2021 10:30:00 PM"),
        ("2021-12-31T23:30 +0100", "12/31/2021 10:30:00 PM"),
        ("8/25/2021 5:41:18 PM", "8/25/2021 5:41:18 PM"),
        ("08/25/2021 17:41", "8/25/2021 5:41:00 PM"),
        ("8/25/2021 12:00:00 AM", "8/25/2021 12:00:00 AM"),
        ("8/25/2021 12:00 pm", "8/25/2021 12:00:00 PM"),
        ("8-25-2021", "8/25/2021 12:00:00 AM"),
        ("  2021-08-24  ", "8/24/2021 12:00:00 AM"),
        ("24-Aug-2021", "8/24/2021 12:00:00 AM"),
        ("24-aug-21 5:41 PM", "8/24/2021 5:41:00 PM"),
        ("24/August/2021", "8/24/2021 12:00:00 AM"),
        ("24 Aug 49", "8/24/2049 12:00:00 AM"),
        ("Aug 24, 50", "8/24/1950 12:00:00 AM"),
        ("8/24/21", "8/24/2021 12:00:00 AM"),
        ("8-24-99 5 PM", "8/24/1999 5:00:00 PM"),
        ("2021-08-24 5 PM", "8/24/2021 5:00:00 PM"),
        ("2021-08-24T12AM+01:00", "8/23/2021 11:00:00 PM"),
        ("24 Aug 2021", "8/24/2021 12:00:00 AM"),
        ("August 24, 2021 1:02:03 AM", "8/24/2021 1:02:03 AM"),
        ("Tue, 24 Aug 2021 10:00:00 GMT", "8/24/2021 10:00:00 AM"),
        ("Aug 24,2021", "8/24/2021 12:00:00 AM"),
        ("Tue Aug 24 2021", "8/24/2021 12:00:00 AM"),
        ("June 2021", "6/1/2021 12:00:00 AM"),
        ("Jun 1999", "6/1/1999 12:00:00 AM"),
        ("May 1221", "5/1/1221 12:00:00 AM"),
        ("June, 2021 1 PM", "6/1/2021 1:00:00 PM"),
        ("Jun-2021", "6/1/2021 12:00:00 AM"),
        ("2021-08", "8/1/2021 12:00:00 AM"),
        ("2021/8", "8/1/2021 12:00:00 AM"),
        ("08/2021", "8/1/2021 12:00:00 AM"),
        ("2024-02-29", "2/29/2024 12:00:00 AM"),
        ("9999-12-31", "12/31/9999 12:00:00 AM"),
        ("0001-01-01", "1/1/0001 12:00:00 AM"),
    ] {
        assert_eq!(free::parse(text).map(|moment| free::text_of(moment.at)).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn what_is_no_date() {
    for text in [
        "",
        " ",
        "tomorrow",
        "2021",
        "2021-",
        "2021-13",
        "Jan 052021",
        "Jan 05/2021",
        "Tue Aug 242021",
        "June 21",
        "June",
        "2021-13-01",
        "2023-02-29",
        "31/12/2020",
        "31.12.2020",
        "20210824",
        "2021-08-24x",
        "2021-08-24T",
        "2021-08-24T25:00:00",
        "2021-08-24T10:60",
        "2021-08-24T10:00:60",
        "2021-08-24 13:00 PM",
        "2021-08-24T10:00:00+15:00",
        "2021-08-24T10:00:00+01:60",
        "8/25/121",
        "8/25/2",
        "8/25/21/3",
        "24-Aug/2021",
        "24-2021",
        "24-Aug-121",
        "Aug-24-2021",
        "2021-08-24 5",
        "2021-08-24T5",
        "2021-08-24 13 PM",
        "2021-08-24 5.5 PM",
        "2021-08/24",
        "Mon, 24 Aug 2021",
        "0000-01-01",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "10000-01-01",
    ] {
        assert_eq!(free::parse(text), None, "{text}");
    }
}

#[test]
fn what_is_wrong_with_what_has_the_form_of_a_date() {
    for (text, expected) in [
        ("tomorrow", Fault::Form),
        ("2021-06-30 x", Fault::Form),
        ("2020-13-01", Fault::Month),
        ("31/12/2020", Fault::Month),
        ("2021-02-30", Fault::Day),
        ("30 Feb 2021 10:00Z", Fault::Day),
        ("2021-06-999", Fault::Form),
        ("Mon, 24 Aug 2021", Fault::Weekday),
        ("2021-06-30 25:00", Fault::Time),
        ("2021-06-30 13:00 PM", Fault::Time),
        ("2021-06-30+14:01", Fault::Offset),
        ("2021-06-30T10:00-01:60", Fault::Offset),
        ("0000-01-01", Fault::Range),
        ("9999-12-31T23:59:59-01:00", Fault::Range),
    ] {
        assert_eq!(free::read(text), Err(expected), "{text}");
    }
}

fn through(text: &str, input: &str, output: &str) -> Option<String> {
    let moment = Pattern::new(input).unwrap().read(text, Styles::default(), TODAY).ok()?;
    Some(Pattern::new(output).unwrap().write(moment))
}

#[test]
fn patterns_read_and_write() {
    for (text, input, output, expected) in [
        ("20150123105347.1Z", "yyyyMMddHHmmss.fZ", "yyyy-MM-dd", "2015-01-23"),
        ("12/31/2025 12:00:00 AM", "M/d/yyyy hh:mm:ss tt", "yyyy-MM-dd", "2025-12-31"),
        ("1/2/2025 9:05:07 PM", "M/d/yyyy h:mm:ss tt", "yyyyMMddHHmmss", "20250102210507"),
        ("2015-01-23", "yyyy-MM-dd", "dd/MM/yyyy", "23/01/2015"),
        ("2015-01-23", "yyyy-MM-dd", "d.M.yy", "23.1.15"),
        ("2015-01-23", "yyyy-MM-dd", "dddd, d MMMM yyyy", "Friday, 23 January 2015"),
        ("2015-01-23", "yyyy-MM-dd", "ddd d MMM", "Fri 23 Jan"),
        ("Fri 23 jan 2015", "ddd d MMM yyyy", "s", "2015-01-23T00:00:00"),
        ("23 JANUARY 2015", "dd MMMM yyyy", "yyyy-MM-dd", "2015-01-23"),
        ("150123", "yyMMdd", "yyyy-MM-dd", "2015-01-23"),
        ("500123", "yyMMdd", "yyyy-MM-dd", "1950-01-23"),
        ("490123", "yyMMdd", "yyyy-MM-dd", "2049-01-23"),
        ("2015-01-23T10:00:00+02:00", "yyyy-MM-ddTHH:mm:sszzz", "yyyy-MM-dd HH:mm", "2015-01-23 08:00"),
        ("2015-01-23T10:00:00-0800", "yyyy-MM-ddTHH:mm:sszzz", "o", "2015-01-23T18:00:00.0000000Z"),
        ("2015-01-23T10:00:00", "yyyy-MM-ddTHH:mm:ssK", "o", "2015-01-23T10:00:00.0000000"),
        ("2015-01-23T10:00:00Z", "yyyy-MM-ddTHH:mm:ssK", "yyyy-MM-ddTHH:mm:ssK", "2015-01-23T10:00:00Z"),
        ("2015-01-23T10:00:00.5", "yyyy-MM-ddTHH:mm:ss.FFF", "HH:mm:ss.fff", "10:00:00.500"),
        ("2015-01-23T10:00:00", "yyyy-MM-ddTHH:mm:ss.FFF", "HH:mm:ss.FFF", "10:00:00"),
        ("15:04", "HH:mm", "yyyy-MM-dd h:mm t", "2025-07-30 3:04 P"),
        ("12-24", "MM-dd", "yyyy-MM-dd", "2025-12-24"),
        ("2015", "yyyy", "d", "01/01/2015"),
        ("Fri, 23 Jan 2015 10:00:00 GMT", "r", "u", "2015-01-23 10:00:00Z"),
        ("23rd of 01 2015", "dd'rd of 'MM yyyy", "%d", "23"),
        ("23h01", "dd\\hMM", "MM'h'dd", "01h23"),
        ("  2015-01-23 ", "yyyy-MM-dd", "%M", "1"),
        ("2015-01-23 A.D.", "yyyy-MM-dd gg", "yyyyy", "02015"),
        ("2015-01-23", "yyyy-MM-dd", "zzz zz z", "+00:00 +00 +0"),
    ] {
        assert_eq!(through(text, input, output).as_deref(), Some(expected), "{text} by {input} as {output}");
    }
}

#[test]
fn what_is_not_as_the_pattern_says() {
    for (text, input) in [
        ("31.12.2020", "yyyy-MM-dd"),
        ("2015-1-23", "yyyy-MM-dd"),
        ("2015-01-23 ", "yyyy-MM-dd HH"),
        ("2015-01-23x", "yyyy-MM-dd"),
        ("2015-02-30", "yyyy-MM-dd"),
        ("13:00 PM", "hh:mm tt"),
        ("Mon 2015-01-23", "ddd yyyy-MM-dd"),
        ("01 02", "MM M"),
        ("24:00", "HH:mm"),
        ("2015-01-23T10:00:00,5", "yyyy-MM-ddTHH:mm:ss.f"),
        ("2015 - 01", "yyyy-MM"),
    ] {
        let read = Pattern::new(input).unwrap().read(text, Styles::default(), TODAY);
        assert!(read.is_err(), "{text} by {input}: {read:?}");
    }
}

#[test]
fn styles_say_what_may_be_different() {
    let leading = Styles { allow_leading_white: true, ..Styles::NONE };
    let trailing = Styles { allow_trailing_white: true, ..Styles::NONE };
    let inner = Styles { allow_inner_white: true, ..Styles::NONE };
    for (text, input, styles, is_read) in [
        ("2015-01", "yyyy-MM", Styles::NONE, true),
        (" 2015-01", "yyyy-MM", Styles::NONE, false),
        ("2015-01 ", "yyyy-MM", Styles::NONE, false),
        (" 2015-01 ", " yyyy-MM ", Styles::NONE, true),
        ("2015-01", " yyyy-MM", Styles::NONE, false),
        ("2015-01", " yyyy-MM", leading, true),
        (" 2015-01", "yyyy-MM", leading, true),
        ("2015-01 ", "yyyy-MM", leading, false),
        (" 2015-01", "yyyy-MM", trailing, false),
        ("2015-01 ", "yyyy-MM", trailing, true),
        ("2015-01", "yyyy-MM ", trailing, true),
        ("2015 - 01", "yyyy-MM", inner, true),
        ("2015 - 01 ", "yyyy-MM", inner, false),
        ("2015 - 01", "yyyy-MM", Styles::default(), false),
        (" 2015 - 01 ", "yyyy-MM", Styles::NONE.with_white_spaces(), true),
    ] {
        let read = Pattern::new(input).unwrap().read(text, styles, TODAY);
        assert_eq!(read.is_ok(), is_read, "{text:?} by {input:?} with {styles:?}");
    }
    let timed = Pattern::new("HH:mm").unwrap().read("12:05", Styles { no_current_date: true, ..Styles::NONE }, TODAY);
    assert_eq!(timed.map(|moment| moment.at.date()), Ok(date(1, 1, 1)));
}

#[test]
fn what_is_no_pattern() {
    for (text, expected) in [
        ("", "is empty"),
        ("x", "`x` is no standard pattern"),
        ("yyyy'", "has a ' that is not closed"),
        ("yyyy\\", "ends with a backslash that escapes nothing"),
        ("yyyy%", "has a `%` that stands before no letter"),
        ("ss.ffffffff", "has more than 7 of the letter `f`"),
        (&"y".repeat(257), "has more than 256 characters"),
    ] {
        assert_eq!(Pattern::new(text).unwrap_err(), expected, "{text}");
    }
}

/// Whoever reads the message can write each of its forms.
#[test]
fn the_message_names_what_is_read() {
    for (form, text) in [
        ("`yyyy-MM-dd`", "2021-08-24"),
        ("`yyyy/MM/dd`", "2021/08/24"),
        ("`M/d/yyyy`", "8/24/2021"),
        ("`M-d-yyyy`", "8-24-2021"),
        ("`d-MMM-yyyy`", "24-Aug-2021"),
        ("`d MMM yyyy`", "24 Aug 2021"),
        ("`MMM d, yyyy`", "Aug 24, 2021"),
        ("two digits", "8/24/21"),
        ("`HH:mm`", "2021-08-24T00:00"),
        ("`HH:mm:ss`", "2021-08-24 00:00:00"),
        ("`h:mm:ss tt`", "2021-08-24 12:00:00 AM"),
        ("`h tt`", "2021-08-24 12 AM"),
        ("`Z`", "2021-08-24T00:00Z"),
        ("`+01:00`", "2021-08-24 01:00+01:00"),
    ] {
        let read = free::parse(text).map(|moment| free::text_of(moment.at));
        assert_eq!(read.as_deref(), Some("8/24/2021 12:00:00 AM"), "{text}");
        assert!(free::FORMS.contains(form), "{form}");
    }
}

#[test]
fn what_lies_between_is_told_as_visual_basic_does() {
    let at = |text| free::parse(text).unwrap().at;
    for (interval, from, to, expected) in [
        ("d", "8/25/2021 5:41:18 PM", "2012-03-16-07:00", -3449),
        ("ww", "8/25/2021 5:41:18 PM", "2012-03-16-07:00", -493),
        ("yyyy", "2020-12-31", "2021-01-01", 1),
        ("m", "2021-01-31", "2021-02-01", 1),
        ("d", "2021-01-01T23:00", "2021-01-02T22:00", 0),
        ("ww", "2021-01-02", "2021-01-03", 1),
        ("ww", "2021-01-03", "2021-01-09", 0),
        ("WW", "1969-12-31", "1970-01-04", 1),
        ("h", "2021-08-24", "2021-08-25", 24),
        ("n", "2021-08-25", "2021-08-24", -1440),
        ("s", "2021-08-24T00:00:00.9", "2021-08-24T00:00:01.1", 0),
        ("s", "0001-01-01", "9999-12-31T23:59:59", 315_537_897_599),
    ] {
        let interval: Interval = interval.parse().unwrap();
        assert_eq!(calendar::between(at(from), at(to), interval), expected, "{interval:?} {from} {to}");
    }
    assert!("q".parse::<Interval>().is_err());
}

#[test]
fn what_is_added_stays_in_the_calendar() {
    let at = |text| free::parse(text).unwrap().at;
    for (interval, number, from, expected) in [
        (Interval::Month, 1, "2021-01-31", Some("2/28/2021 12:00:00 AM")),
        (Interval::Month, -1, "2024-03-31", Some("2/29/2024 12:00:00 AM")),
        (Interval::Year, 1, "2024-02-29", Some("2/28/2025 12:00:00 AM")),
        (Interval::Week, 1, "2024-02-29", Some("3/7/2024 12:00:00 AM")),
        (Interval::Minute, -1, "2021-01-01", Some("12/31/2020 11:59:00 PM")),
        (Interval::Year, 8000, "2024-02-29", None),
        (Interval::Year, -2024, "2024-02-29", None),
        (Interval::Second, i64::MAX, "2024-02-29", None),
        (Interval::Day, i64::MIN, "2024-02-29", None),
    ] {
        let added = calendar::add(at(from), interval, number).map(free::text_of);
        assert_eq!(added.as_deref(), expected, "{interval:?} {number} {from}");
    }
}

#[test]
fn windows_numbers() {
    for (text, ticks) in [
        ("1601-01-01", 0),
        ("2012-01-01T23:00:00Z", 129_699_324_000_000_000),
        ("2025-12-31T23:59:59-08:00", 134_117_279_990_000_000),
        ("1601-01-01T00:00:00.0000001", 1),
    ] {
        let at = free::parse(text).unwrap().at;
        assert_eq!(calendar::file_time(at), Some(ticks), "{text}");
        assert_eq!(calendar::from_file_time(ticks), Some(at), "{text}");
    }
    assert_eq!(calendar::file_time(free::parse("1600-12-31").unwrap().at), None);
    assert_eq!(calendar::from_file_time(-1), None);
    assert_eq!(calendar::from_file_time(i64::MAX), None);
}

prop_compose! {
    fn moments()(days in 0_i64..3_652_058, seconds in 0_i64..86_400) -> Moment {
        let begin = free::parse("0001-01-01").unwrap().at;
        let at = calendar::add(calendar::add(begin, Interval::Day, days).unwrap(), Interval::Second, seconds).unwrap();
        Moment { at, is_placed: false }
    }
}

proptest! {
    #[test]
    fn any_text_is_taken(text in "\\PC*", pattern in "\\PC*") {
        let _ = free::parse(&text);
        if let Ok(pattern) = Pattern::new(&pattern) {
            let _ = pattern.read(&text, Styles::default(), TODAY);
        }
    }

    #[test]
    fn any_pattern_of_its_letters_is_taken(pattern in "[dMyHhmsfFtgzK:/.' %\\\\-]{0,40}", moment in moments()) {
        if let Ok(pattern) = Pattern::new(&pattern) {
            let text = pattern.write(moment);
            let _ = pattern.read(&text, Styles::default(), TODAY);
        }
    }

    #[test]
    fn what_is_written_is_read_back(moment in moments()) {
        prop_assert_eq!(free::parse(&free::text_of(moment.at)), Some(moment));
        for whole in ["s", "M/d/yyyy h:mm:ss tt", "yyyyMMddHHmmss", "dddd, dd MMMM yyyy HH:mm:ss", "o"] {
            let pattern = Pattern::new(whole).unwrap();
            prop_assert_eq!(pattern.read(&pattern.write(moment), Styles::default(), TODAY), Ok(moment), "{}", whole);
        }
    }

    #[test]
    fn days_between_are_what_was_added(moment in moments(), days in -100_000_i64..100_000) {
        if let Some(later) = calendar::add(moment.at, Interval::Day, days) {
            prop_assert_eq!(calendar::between(moment.at, later, Interval::Day), days);
        }
    }
}
