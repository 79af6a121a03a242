//! Any text is a cursor or nothing; one that is read is sealed to the same text. What authenticates is left out, so that the reader of
//! the bytes is reached.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim::Cursor;

fuzz_target!(|text: &str| {
    let mut tag = [0; 32];
    let read = Cursor::open(text, |_, given| {
        tag.copy_from_slice(given);
        true
    });
    if let Some(cursor) = read {
        assert_eq!(cursor.seal(|_| tag), text);
    }
});
