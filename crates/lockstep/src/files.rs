//! Files that a command is given: opened, or told why not, with the cure; so for files that it is to write.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _};
use std::path::Path;

use anyhow::{anyhow, bail};

use crate::outcome::usage;

/// Opens a file to read it; gives its length in bytes too. `what` begins the sentence of a failure, as in
/// `the mappings in`; it may be empty.
pub fn open(path: &Path, what: &str) -> anyhow::Result<(File, u64)> {
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (found, file) = opened.map_err(|error| cannot_read(path, what, error))?;
    if found.is_dir() {
        bail!("{} is a folder; name a file in it", path.display());
    }
    Ok((file, found.len()))
}

/// The name under which standard input is read, and standard output written.
pub const STANDARD: &str = "-";
/// What some editors write before UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Whether that is not a file but standard input or output.
pub fn is_standard(path: &Path) -> bool {
    path == Path::new(STANDARD)
}

/// The name of a file that is read, for people.
pub fn shown(path: &Path) -> String {
    if is_standard(path) { "standard input".to_owned() } else { path.display().to_string() }
}

/// Reads a whole file as text, or standard input where it is named `-`. One of more than `bytes_max` bytes is wrong use, as one that is no
/// UTF-8 is, and `what_it_is_not` says what it then cannot be. A byte order mark is left out.
pub fn read_text(path: &Path, what: &str, bytes_max: u64, what_it_is_not: &str) -> anyhow::Result<String> {
    if is_standard(path) {
        return text_of(std::io::stdin().lock(), path, what, bytes_max, what_it_is_not);
    }
    text_of(open(path, what)?.0, path, what, bytes_max, what_it_is_not)
}

fn text_of(
    from: impl std::io::Read,
    path: &Path,
    what: &str,
    bytes_max: u64,
    what_it_is_not: &str,
) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    from.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| cannot_read(path, what, error))?;
    let shown = shown(path);
    if bytes.len() as u64 > bytes_max {
        return Err(usage(format!("{shown} has more than {bytes_max} bytes and {what_it_is_not}")));
    }
    // With its mark, or without: then one byte of the first character, which is ASCII's in all that is read here, is 0.
    if matches!(bytes.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=0xff, ..] | [1..=0xff, 0, ..]) {
        return Err(usage(format!("{shown} is UTF-16, not UTF-8, and {what_it_is_not}; save it as UTF-8")));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| usage(format!("{shown} is not UTF-8 and {what_it_is_not}; save it as UTF-8")))?;
    Ok(text.strip_prefix(BYTE_ORDER_MARK).map(str::to_owned).unwrap_or(text))
}

/// Refuses to write over a file that says something else, unless that is wanted.
pub fn refuse_other(path: &Path, text: &str, force: bool) -> anyhow::Result<()> {
    let is_same_length = |there: &std::fs::Metadata| there.is_file() && there.len() == text.len() as u64;
    let says_the_same = |there| is_same_length(&there) && std::fs::read(path).is_ok_and(|is| is == text.as_bytes());
    if force || !path.exists() || path.metadata().is_ok_and(says_the_same) {
        return Ok(());
    }
    bail!(
        "{} is there already and says something else; name another file, or say --force to replace it",
        path.display()
    )
}

/// Why a file cannot be read, with the cure.
pub fn cannot_read(path: &Path, what: &str, error: Error) -> anyhow::Error {
    let space = if what.is_empty() { "" } else { " " };
    let shown = shown(path);
    let cure = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            "there is no such file; check its name, and the folder you are in".to_owned()
        }
        ErrorKind::PermissionDenied => {
            "its permissions do not let you; change them, or run this as its owner".to_owned()
        }
        _ => return anyhow::Error::new(error).context(format!("{what}{space}{shown} cannot be read")),
    };
    anyhow!("{what}{space}{shown} cannot be read: {cure}")
}

/// Why a file or folder cannot be written, with the cure.
pub fn cannot_write(path: &Path, error: Error) -> anyhow::Error {
    let cure = match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            "the folder that it would be in is not there; make that first"
        }
        ErrorKind::PermissionDenied => {
            "you may not write in its folder; name a file in another, or change its permissions"
        }
        ErrorKind::StorageFull => "no space is left there; name a file in another place",
        _ => return anyhow::Error::new(error).context(format!("{} cannot be written", path.display())),
    };
    anyhow!("{} cannot be written: {cure}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_utf_8_and_not_too_long() {
        let path = Path::new("a.json");
        let read = |bytes: &[u8]| text_of(bytes, path, "the mappings in", 6, "holds no mappings");
        assert_eq!(read(b"\xef\xbb\xbf{}").unwrap(), "{}", "without the byte order mark");
        for (bytes, words) in [
            (&b"1234567"[..], "a.json has more than 6 bytes and holds no mappings"),
            (b"\xff\xfe{\0", "a.json is UTF-16, not UTF-8, and holds no mappings; save it as UTF-8"),
            (b"{\0}\0", "a.json is UTF-16, not UTF-8, and holds no mappings; save it as UTF-8"),
            (b"\0{\0}", "a.json is UTF-16, not UTF-8, and holds no mappings; save it as UTF-8"),
            (b"\xff", "a.json is not UTF-8 and holds no mappings; save it as UTF-8"),
        ] {
            let error = read(bytes).unwrap_err();
            assert!(error.is::<crate::outcome::Usage>() && error.to_string() == words, "{error}");
        }
        assert_eq!((shown(path), shown(Path::new("-"))), ("a.json".to_owned(), "standard input".to_owned()));
    }

    #[test]
    fn a_file_that_cannot_be_read_or_written_is_told_with_the_cure() {
        let why = |kind: ErrorKind| cannot_read(Path::new("a/b.csv"), "the mappings in", kind.into()).to_string();
        for (kind, words) in [
            (ErrorKind::NotFound, "the mappings in a/b.csv cannot be read: there is no such file; check its name"),
            (ErrorKind::NotADirectory, "there is no such file"),
            (ErrorKind::PermissionDenied, "do not let you; change them"),
            (ErrorKind::TimedOut, "the mappings in a/b.csv cannot be read"),
        ] {
            assert!(why(kind).contains(words), "{}", why(kind));
        }
        for (kind, words) in [
            (
                ErrorKind::NotFound,
                "a/b.jsonl cannot be written: the folder that it would be in is not there; make that",
            ),
            (ErrorKind::PermissionDenied, "you may not write in its folder; name a file in another"),
            (ErrorKind::StorageFull, "no space is left there; name a file in another place"),
            (ErrorKind::TimedOut, "a/b.jsonl cannot be written"),
        ] {
            let why = cannot_write(Path::new("a/b.jsonl"), kind.into()).to_string();
            assert!(why.contains(words), "{why}");
        }
        assert!(open(&std::env::temp_dir(), "").unwrap_err().to_string().contains("is a folder; name a file in it"));
    }
}
