//! Rules that keep documents and migrations true: a path that a document names exists, and both databases have the
//! same migrations.

use std::collections::BTreeSet;

use crate::repository::{File, has_extension};

/// A word in backticks that begins so is a path of the repository.
const ROOTS: [&str; 5] = ["crates/", "xtask/", "docs/", "fuzz/", ".ci/"];

/// The documents in the root that describe the present. The change log describes the past, so it may name what is gone.
const DOCUMENTS: [&str; 4] = ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "SECURITY.md"];

const MIGRATIONS: [&str; 2] = ["crates/store/migrations/sqlite/", "crates/store/migrations/postgres/"];

/// What the files break, one sentence each.
pub fn broken(files: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files.iter().filter(|file| is_document(&file.path)) {
        let text = file.text();
        for (number, line) in text.lines().enumerate() {
            let named = paths_in(line).flat_map(alternatives);
            let gone = named.filter(|path| !exists(files, path));
            broken.extend(gone.map(|path| {
                let (document, number) = (&file.path, number + 1);
                format!("{document}:{number} names {path}, which does not exist; correct the document")
            }));
        }
    }
    broken.extend(broken_by_migrations(files));
    broken
}

fn is_document(path: &str) -> bool {
    DOCUMENTS.contains(&path) || (path.starts_with("docs/") && has_extension(path, "md"))
}

/// The paths between backticks in one line.
fn paths_in(line: &str) -> impl Iterator<Item = &str> {
    let is_fence = line.trim_start().starts_with("```");
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(move |word| {
        // `<crate>` and `…` stand for something; a space makes it a command.
        let is_plain = !word.contains(['<', '>', '…', ' ', '$']);
        !is_fence && is_plain && ROOTS.iter().any(|root| word.starts_with(root))
    })
}

/// `a/{b,c}` names two paths; only one pair of braces is understood.
fn alternatives(path: &str) -> Vec<String> {
    // `file.rs:12` and `file.rs::function` name the file.
    let path = path.split(':').next().unwrap_or(path);
    match (path.split_once('{'), path.split_once('}')) {
        (Some((before, _)), Some((inside, after))) if inside.len() > before.len() => {
            let choices = &inside[before.len() + 1..];
            choices.split(',').map(|choice| format!("{before}{}{after}", choice.trim())).collect()
        }
        _ => vec![path.to_owned()],
    }
}

fn exists(files: &[File], path: &str) -> bool {
    // Of a pattern, the folder before its first star must exist.
    let path = match path.split_once('*') {
        Some((before, _)) => before.rsplit_once('/').map_or(before, |(folder, _)| folder),
        None => path.trim_end_matches('/'),
    };
    files.iter().any(|file| file.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

fn broken_by_migrations(files: &[File]) -> Vec<String> {
    let [sqlite, postgres] = MIGRATIONS
        .map(|folder| -> BTreeSet<&str> { files.iter().filter_map(|file| file.path.strip_prefix(folder)).collect() });
    let lacking =
        |folder: &str, name: &&str| format!("{folder}{name} is missing; each migration is there for both databases");
    let in_postgres = sqlite.difference(&postgres).map(|name| lacking(MIGRATIONS[1], name));
    let in_sqlite = postgres.difference(&sqlite).map(|name| lacking(MIGRATIONS[0], name));
    in_postgres.chain(in_sqlite).collect()
}

#[cfg(test)]
mod tests {
    use super::broken;
    use crate::repository::File;

    fn repository(files: &[(&str, &str)]) -> Vec<File> {
        let file = |(path, text): &(&str, &str)| File { path: (*path).to_owned(), bytes: text.as_bytes().to_vec() };
        files.iter().map(file).collect()
    }

    #[test]
    fn documents_name_what_exists() {
        for (line, expected) in [
            ("see `crates/scim/src/lib.rs`", None),
            ("see `crates/scim` and `crates/scim/`", None),
            ("see `crates/scim/src/lib.rs:12` and `crates/scim/src/lib.rs::parse`", None),
            ("see `crates/{scim,store}/src/lib.rs`", None),
            ("see `crates/*/src`", None),
            ("`cargo xtask test` and `scim/filter` and crates/gone", None),
            ("copy `crates/<name>/src` and run `crates/gone --now`", None),
            ("```crates/gone```", None),
            ("see `crates/scim/src/li`", Some("crates/scim/src/li")),
            ("see `crates/{scim,gone}/src/lib.rs`", Some("crates/gone/src/lib.rs")),
            ("see `docs/gone/*.md`", Some("docs/gone/*.md")),
            ("odd `crates/}scim{`", Some("crates/}scim{")),
        ] {
            let files = [("crates/scim/src/lib.rs", ""), ("crates/store/src/lib.rs", ""), ("ARCHITECTURE.md", line)];
            let found = broken(&repository(&files));
            let expected = expected
                .map(|path| format!("ARCHITECTURE.md:1 names {path}, which does not exist; correct the document"));
            assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{line}");
        }
    }

    #[test]
    fn the_past_may_be_named() {
        assert_eq!(broken(&repository(&[("CHANGELOG.md", "moved from `crates/gone`")])), [""; 0]);
    }

    #[test]
    fn both_databases_have_the_same_migrations() {
        let one = ("crates/store/migrations/sqlite/0001_begin.sql", "");
        let same = ("crates/store/migrations/postgres/0001_begin.sql", "");
        assert_eq!(broken(&repository(&[one, same])), [""; 0]);
        assert_eq!(
            broken(&repository(&[one])),
            ["crates/store/migrations/postgres/0001_begin.sql is missing; each migration is there for both databases",]
        );
        assert_eq!(broken(&repository(&[same])).len(), 1);
    }
}
