//! Records read from CSV, row by row, against the `csv` crate where the input is well-formed.

use std::io::{Cursor, Read as _};

use proptest::prelude::*;

use super::*;

/// Every record as its line and fields, or how it ended.
fn split(bytes: &[u8], shape: Shape) -> Vec<(u64, Result<Vec<String>, Ended>)> {
    let mut records = Records::new(Cursor::new(bytes), shape);
    let mut all = Vec::new();
    while let Some(ended) = records.advance().unwrap() {
        let fields = records.fields().map(|field| String::from_utf8_lossy(field).into_owned());
        all.push((records.line(), if ended == Ended::Whole { Ok(fields.collect()) } else { Err(ended) }));
    }
    all
}

#[test]
fn tables() {
    for (text, expected) in [
        ("", vec![]),
        ("\n\r\n", vec![]),
        ("a,b", vec![(1, vec!["a", "b"])]),
        ("a,b\r\nc,\r\n", vec![(1, vec!["a", "b"]), (2, vec!["c", ""])]),
        ("\n\na\n\nb\n", vec![(3, vec!["a"]), (5, vec!["b"])]),
        ("\"a\"\"b\",\"c,d\"\n", vec![(1, vec!["a\"b", "c,d"])]),
        ("\"two\r\nlines\",x\ny,z", vec![(1, vec!["two\r\nlines", "x"]), (3, vec!["y", "z"])]),
        ("\"\"\n", vec![(1, vec![""])]),
        ("\"a\"b,c\"d\n", vec![(1, vec!["ab", "c\"d"])]),
        (",\n", vec![(1, vec!["", ""])]),
    ] {
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(line, fields)| (line, Ok(fields.into_iter().map(str::to_owned).collect())))
            .collect();
        assert_eq!(split(text.as_bytes(), Shape::Table(b',')), expected, "{text:?}");
    }
}

#[test]
fn a_quote_left_open_is_told() {
    assert_eq!(split(b"a\n\"b,c\nd", Shape::Table(b',')), [(1, Ok(vec!["a".to_owned()])), (2, Err(Ended::OpenQuote))]);
}

#[test]
fn a_record_has_a_limit_and_the_next_line_begins_another() {
    for shape in [Shape::Table(b','), Shape::Lines] {
        let fits = format!("{}\nb\n", "x".repeat(RECORD_BYTES_MAX - 1));
        assert_eq!(split(fits.as_bytes(), shape).iter().filter(|(_, record)| record.is_ok()).count(), 2);
        let longer = format!("{}\nb\n", "x".repeat(RECORD_BYTES_MAX));
        assert_eq!(split(longer.as_bytes(), shape), [(1, Err(Ended::TooLong)), (2, Ok(vec!["b".to_owned()]))]);
    }
}

#[test]
fn what_stands_inside_quotes_never_becomes_a_record_however_long_it_is() {
    let long = "evil,x\n".repeat(RECORD_BYTES_MAX / 7 + 1);
    let lines = 1 + u64::try_from(long.lines().count()).unwrap();
    let closed = format!("a,\"{long}\"\nb,c\n");
    let next = (lines + 1, Ok(vec!["b".to_owned(), "c".to_owned()]));
    assert_eq!(split(closed.as_bytes(), Shape::Table(b',')), [(1, Err(Ended::TooLong)), next]);
    let open = format!("a,\"{long}b,c\n");
    assert_eq!(split(open.as_bytes(), Shape::Table(b',')), [(1, Err(Ended::OpenQuote))]);
}

#[test]
fn an_endless_line_takes_little_memory() {
    let endless = std::io::BufReader::new(std::io::repeat(b'x').take(64 << 20));
    let mut records = Records::new(endless, Shape::Table(b','));
    assert_eq!(records.advance().unwrap(), Some(Ended::TooLong));
    assert!(records.splitter.data.capacity() <= RECORD_BYTES_MAX * 2);
    assert_eq!((records.advance().unwrap(), records.bytes), (None, 64 << 20));
}

proptest! {
    /// Whatever a writer quotes is read back.
    #[test]
    fn what_is_written_is_read(rows in prop::collection::vec(prop::collection::vec("[ -~äé\\n\"]{0,8}", 2..5), 0..8)) {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let read: Vec<_> = split(&text, Shape::Table(b',')).into_iter().map(|(_, record)| record.unwrap()).collect();
        prop_assert_eq!(read, rows);
    }

    /// On any text it agrees with another reader, up to a quote that is left open.
    #[test]
    fn readers_agree(text in "[ab,\"\\n]{0,40}") {
        let ours = split(text.as_bytes(), Shape::Table(b','));
        let theirs = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let theirs: Vec<Vec<String>> =
            theirs.into_records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
        for ((_, ours), theirs) in ours.iter().zip(&theirs) {
            if let Ok(ours) = ours {
                prop_assert_eq!(ours, theirs);
            }
        }
        prop_assert_eq!(ours.len(), theirs.len());
    }

    #[test]
    fn no_byte_is_lost_or_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut records = Records::new(Cursor::new(&bytes), Shape::Table(b';'));
        while records.advance().unwrap().is_some() {}
        prop_assert_eq!(records.bytes, bytes.len() as u64);
    }
}
