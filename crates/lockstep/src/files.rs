//! Files that a command is given: opened, or told why not, with the cure; so for files that it is to write.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _};
use std::path::Path;

use anyhow::{anyhow, bail};

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

/// The name under which standard input is read.
pub const STANDARD_INPUT: &str = "-";

/// The same from standard input where the file is named `-`.
pub fn read_text_or_input(path: &Path, bytes_max: u64, what_it_is_not: &str) -> anyhow::Result<String> {
    if path != Path::new(STANDARD_INPUT) {
        return read_text(path, "", bytes_max, what_it_is_not);
    }
    text_of(std::io::stdin().lock(), "standard input", "", path, bytes_max, what_it_is_not)
}

/// Reads a whole file as text; one of more than `bytes_max` bytes is refused, and `what_it_is_not` says what it then
/// cannot be.
pub fn read_text(path: &Path, what: &str, bytes_max: u64, what_it_is_not: &str) -> anyhow::Result<String> {
    let (file, _) = open(path, what)?;
    text_of(file, &path.display().to_string(), what, path, bytes_max, what_it_is_not)
}

fn text_of(
    from: impl std::io::Read,
    shown: &str,
    what: &str,
    path: &Path,
    bytes_max: u64,
    what_it_is_not: &str,
) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    from.take(bytes_max + 1).read_to_end(&mut bytes).map_err(|error| cannot_read(path, what, error))?;
    if bytes.len() as u64 > bytes_max {
        bail!("{shown} has more than {bytes_max} bytes and {what_it_is_not}");
    }
    String::from_utf8(bytes).map_err(|_| anyhow!("{shown} is not UTF-8 and {what_it_is_not}"))
}

/// Why a file cannot be read, with the cure.
pub fn cannot_read(path: &Path, what: &str, error: Error) -> anyhow::Error {
    let space = if what.is_empty() { "" } else { " " };
    let shown = path.display();
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
