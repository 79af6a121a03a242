//! How a file is encoded: UTF-8 is read, others are refused as a whole, before a row is imported.
//!
//! A file in another encoding is told from one in UTF-8 with broken bytes by what prevails: bytes that UTF-8 has not and
//! Windows-1252 has, or characters of several bytes in UTF-8 and bytes that are text in neither.

use std::io::{self, Read};

use super::report::ImportError;

/// Bytes at the beginning of an input that are looked at before its first row, also where it is a pipe.
const START_BYTES: u64 = 1 << 20;
/// Bytes looked at together.
const STEP_BYTES: usize = 64 << 10;
/// The most bytes of a character in UTF-8.
const CHARACTER_MAX: usize = 4;

/// Reads an input to its end and refuses one that is not in UTF-8. A file that can be read twice is best looked at so
/// before it is imported: the import itself looks at its beginning only.
pub fn check_encoding(mut input: impl Read) -> Result<(), ImportError> {
    let (mut seen, mut left, mut is_start) = (Seen::default(), Vec::with_capacity(STEP_BYTES), true);
    loop {
        let kept = left.len();
        input.by_ref().take((STEP_BYTES - kept) as u64).read_to_end(&mut left)?;
        if left.len() == kept {
            seen.note_foreign(&left);
            return seen.verdict();
        }
        if std::mem::take(&mut is_start) {
            match left.as_slice() {
                [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [_, 0, _, 0, ..] | [0, _, 0, _, ..] => {
                    return Err(ImportError::Utf16);
                }
                // A file that says it is UTF-8 is; what is not is broken.
                start if start.starts_with(&UTF_8_MARK) => return Ok(()),
                _ => {}
            }
        }
        let taken = seen.take(&left);
        drop(left.drain(..taken));
    }
}

/// Refuses an input whose beginning is not in UTF-8, and takes the byte order mark off the others.
pub(super) fn without_mark(mut input: impl Read) -> Result<impl Read, ImportError> {
    let mut start = Vec::new();
    input.by_ref().take(START_BYTES).read_to_end(&mut start)?;
    check_encoding(start.as_slice())?;
    if start.starts_with(&UTF_8_MARK) {
        drop(start.drain(..UTF_8_MARK.len()));
    }
    Ok(io::Cursor::new(start).chain(input))
}

const UTF_8_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// What an input has held so far.
#[derive(Default)]
struct Seen {
    lines: u64,
    /// Characters of several bytes.
    characters: u64,
    /// Bytes that are no UTF-8, but a character in Windows-1252.
    foreign: u64,
    /// Bytes that are text in neither.
    broken: u64,
    first_foreign_line: u64,
}

impl Seen {
    /// Looks at some bytes; says how many, since the last character may go on in the next ones.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        for chunk in bytes.utf8_chunks() {
            self.lines += chunk.valid().bytes().filter(|byte| *byte == b'\n').count() as u64;
            self.characters += chunk.valid().bytes().filter(|byte| *byte >= 0xC2).count() as u64;
            taken += chunk.valid().len();
            let at_the_end = taken + chunk.invalid().len() == bytes.len();
            if at_the_end && bytes.len() - taken < CHARACTER_MAX && is_begun(chunk.invalid()) && taken > 0 {
                return taken;
            }
            self.note_foreign(chunk.invalid());
            taken += chunk.invalid().len();
        }
        taken
    }

    fn note_foreign(&mut self, bytes: &[u8]) {
        let found = bytes.iter().filter(|byte| is_windows_1252(**byte)).count() as u64;
        if found > 0 && self.foreign == 0 {
            self.first_foreign_line = self.lines + 1;
        }
        self.foreign += found;
        self.broken += bytes.len() as u64 - found;
    }

    fn verdict(&self) -> Result<(), ImportError> {
        if self.foreign > self.characters + self.broken {
            return Err(ImportError::NotUtf8 { line: self.first_foreign_line });
        }
        Ok(())
    }
}

/// Whether more bytes could make it a character.
fn is_begun(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// Whether people write texts with the byte in Windows-1252: five bytes have no character there, and ÿ begins no word.
const fn is_windows_1252(byte: u8) -> bool {
    !matches!(byte, 0x81 | 0x8D | 0x8F | 0x90 | 0x9D | 0xFF)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refused(bytes: &[u8]) -> Option<String> {
        check_encoding(bytes).err().map(|error| error.to_string())
    }

    #[test]
    fn encodings_are_told_apart() {
        let utf_16 = "name\n".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        for (bytes, expected) in [
            (&b""[..], None),
            (b"name\nAnn\n", None),
            ("name\nJos\u{e9}\n".as_bytes(), None),
            (b"name\nJos\xE9\n", Some("line 2 is not in UTF-8")),
            (b"name\nJos\xE9", Some("line 2 is not in UTF-8")),
            (b"pr\xE9nom\nJos\xE9\nBj\xF6rk\n", Some("line 1 is not in UTF-8")),
            (b"name\nAnn\nB\x80b\n", Some("line 3 is not in UTF-8")),
            // One broken byte among characters of UTF-8, or one that is no text anywhere, is the row's own problem.
            ("Zo\u{eb}\nJos\u{fffd}\n".as_bytes(), None),
            (b"Zo\xC3\xAB\nJos\xE9\n", None),
            (b"name\n\xFF\n", None),
            (b"name\n\xFF\xA9\n", None),
            (b"\xEF\xBB\xBFname\nJos\xE9\n", None),
            // A file that was cut off in the midst of a character.
            (b"Zo\xC3\xAB\nJos\xC3", None),
            (&utf_16, Some("UTF-16")),
            (b"\xFF\xFEa\0", Some("UTF-16")),
            (b"\xFE\xFF\0a", Some("UTF-16")),
        ] {
            let refused = refused(bytes);
            assert_eq!(refused.is_some(), expected.is_some(), "{bytes:?}: {refused:?}");
            assert!(refused.unwrap_or_default().contains(expected.unwrap_or_default()), "{bytes:?}");
        }
    }

    #[test]
    fn marks_are_taken_off() {
        for (bytes, expected) in [(&b"\xEF\xBB\xBFab"[..], &b"ab"[..]), (b"", b""), (b"ab", b"ab")] {
            let mut text = Vec::new();
            without_mark(bytes).unwrap().read_to_end(&mut text).unwrap();
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn an_endless_input_is_looked_at_where_it_begins() {
        let endless = io::repeat(b'x');
        let mut first = [0; 3];
        without_mark(endless).unwrap().read_exact(&mut first).unwrap();
        assert_eq!(&first, b"xxx");
    }

    proptest! {
        /// No text in UTF-8 is taken for another, wherever the steps fall.
        #[test]
        fn utf_8_is_never_refused(text in "[ -~äé漢\u{1F600}\\n]{0,200}", times in 1_usize..2_000) {
            prop_assert_eq!(refused(text.repeat(times).as_bytes()), None);
        }

        #[test]
        fn no_byte_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = refused(&bytes);
        }
    }
}
