//! Rules for source files: how they begin, how long they are, what they are called, where SQL lives, and that no file
//! names the machine it was written on.

use crate::repository::{File, has_extension};
use crate::rust_text;

/// Lines of a Rust file, its tests included. Longer ones hold two things.
const LINES_MAX: usize = 600;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 6] = ["common", "helper", "helpers", "types", "util", "utils"];

/// Where SQL may stand.
const HOMES_OF_SQL: [&str; 3] = ["crates/store/", "crates/bench/", "bench/"];

/// Paths and names of workplaces, in pieces so that this file does not break its own rule, and the only file that may
/// hold each.
const WORKPLACES: [(&str, Option<&str>); 10] = [
    (concat!("/wo", "rk/main"), None),
    (concat!("/wo", "rk/sha", "red"), None),
    (concat!("/wo", "rk/.lib", "rary"), None),
    (concat!("sha", "red/spec"), None),
    (concat!("sha", "red/design"), None),
    (concat!("/tmp/bri", "efs"), None),
    (concat!("/tmp/", "t-"), None),
    (concat!("/ro", "ot/.cargo"), None),
    (concat!("anth", "ropic"), None),
    (concat!("crates", ".io/api"), Some("Cargo.lock")),
];

/// What the files break, one sentence each.
pub fn broken(files: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    for file in files {
        if has_extension(&file.path, "rs") {
            broken.extend(broken_by_rust(&file.path, &file.text()));
        }
        broken.extend(broken_by_name(&file.path));
        broken.extend(workplaces_in(file));
    }
    broken
}

fn broken_by_rust(path: &str, text: &str) -> Vec<String> {
    let mut broken = Vec::new();
    if !text.starts_with("//!") {
        broken.push(format!("{path} does not begin with `//!`; say what lives there and what does not"));
    }
    let lines = text.lines().count();
    if lines > LINES_MAX {
        broken.push(format!("{path} has {lines} lines, more than {LINES_MAX}; split it by what it holds"));
    }
    let parts = rust_text::split(text);
    broken.extend(inline_modules(&parts.code).map(|name| empty_name(path, name)));
    if !HOMES_OF_SQL.iter().any(|home| path.starts_with(home)) {
        let sql = parts.strings.iter().filter(|(_, string)| is_sql(string));
        broken.extend(sql.map(|(line, _)| format!("{path}:{line} holds SQL; move the statement to crates/store")));
    }
    broken
}

fn inline_modules(code: &str) -> impl Iterator<Item = &str> {
    let words: Vec<&str> =
        code.split(|char: char| !char.is_alphanumeric() && char != '_').filter(|word| !word.is_empty()).collect();
    let named: Vec<&str> = words.windows(2).filter(|pair| pair[0] == "mod").map(|pair| pair[1]).collect();
    named.into_iter().filter(|name| EMPTY_NAMES.contains(name))
}

fn broken_by_name(path: &str) -> Vec<String> {
    let mut broken = Vec::new();
    if has_extension(path, "sql") && !HOMES_OF_SQL.iter().any(|home| path.starts_with(home)) {
        broken.push(format!("{path} holds SQL; move it to crates/store"));
    }
    if ["crates/", "xtask/", "fuzz/"].iter().any(|sources| path.starts_with(sources)) {
        let stem = path.strip_suffix(".rs").unwrap_or(path);
        let empty = stem.split('/').find(|part| EMPTY_NAMES.contains(part));
        broken.extend(empty.map(|name| empty_name(path, name)));
    }
    broken
}

fn empty_name(path: &str, name: &str) -> String {
    format!("{path} has a part called `{name}`; name it for what it holds")
}

/// Whether a string is a statement. Keywords count in capitals only, as our SQL is written; prose has them otherwise.
fn is_sql(string: &str) -> bool {
    // Escaped line ends are written with a backslash; the word after one must still be seen.
    let spaced = string.replace("\\n", " ").replace(['(', '\\'], " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let has_after =
        |at: usize, word: &str, within: usize| words.iter().skip(at + 1).take(within).any(|next| *next == word);
    words.iter().enumerate().any(|(at, word)| match *word {
        "SELECT" => at + 1 < words.len() || spaced.ends_with(char::is_whitespace),
        // `INSERT OR IGNORE INTO` is one as well.
        "INSERT" => has_after(at, "INTO", 3),
        "UPDATE" => has_after(at, "SET", usize::MAX),
        "DELETE" => has_after(at, "FROM", 1),
        _ => false,
    })
}

fn workplaces_in(file: &File) -> Vec<String> {
    let lower = file.bytes.to_ascii_lowercase();
    let text = String::from_utf8_lossy(&lower);
    let found = WORKPLACES.iter().filter(|(word, home)| text.contains(word) && *home != Some(file.path.as_str()));
    let path = &file.path;
    found
        .map(|(word, _)| format!("{path} contains `{word}`, which means nothing to its readers; take it out"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{LINES_MAX, WORKPLACES, broken, is_sql};
    use crate::repository::File;

    #[track_caller]
    fn check(path: &str, text: &str, expected: &[&str]) {
        let file = File { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
        assert_eq!(broken(&[file]), expected, "{text}");
    }

    #[test]
    fn files_say_what_they_hold() {
        check("crates/scim/src/lib.rs", "//! Holds.\n", &[]);
        check(
            "crates/scim/src/lib.rs",
            "// Holds.\n//! Late.\n",
            &["crates/scim/src/lib.rs does not begin with `//!`; say what lives there and what does not"],
        );
    }

    #[test]
    fn files_are_short() {
        let long = |lines: usize| "//! Line.\n".repeat(lines);
        check("crates/scim/src/lib.rs", &long(LINES_MAX), &[]);
        let expected = "crates/scim/src/lib.rs has 601 lines, more than 600; split it by what it holds";
        check("crates/scim/src/lib.rs", &long(LINES_MAX + 1), &[expected]);
        check("docs/guide.md", &long(LINES_MAX + 1), &[]);
    }

    #[test]
    fn names_say_something() {
        let expected = |path: &str, name: &str| format!("{path} has a part called `{name}`; name it for what it holds");
        for (path, name) in [
            ("crates/scim/src/utils.rs", "utils"),
            ("crates/server/src/common/mod.rs", "common"),
            ("crates/store/tests/helpers.rs", "helpers"),
        ] {
            check(path, "//! Holds.\n", &[expected(path, name).as_str()]);
        }
        let path = "crates/scim/src/lib.rs";
        check(path, "//! Holds.\npub(crate) mod types {}\n", &[expected(path, "types").as_str()]);
        check(path, "//! Holds.\n// mod types;\nlet types = \"mod utils\";\n", &[]);
        check("docs/common.md", "", &[]);
    }

    #[test]
    fn sql_lives_in_the_store() {
        let source = concat!("//! Holds.\nconst A: &str = \"SEL", "ECT id FROM users\";\n");
        check("crates/store/src/users.rs", source, &[]);
        check("crates/bench/src/main.rs", source, &[]);
        check(
            "crates/server/src/lib.rs",
            source,
            &["crates/server/src/lib.rs:2 holds SQL; move the statement to crates/store"],
        );
        check("crates/server/src/lib.rs", &source.replace("const", "// const"), &[]);
        check("crates/store/migrations/sqlite/0001.sql", "", &[]);
        check("docs/0001.sql", "", &["docs/0001.sql holds SQL; move it to crates/store"]);
    }

    #[test]
    fn statements_are_told_from_prose() {
        for (string, expected) in [
            (concat!("SEL", "ECT 1"), true),
            (concat!("SEL", "ECT "), true),
            (concat!("x IN (SEL", "ECT id)"), true),
            (concat!("INS", "ERT INTO users"), true),
            (concat!("INS", "ERT OR IGNORE INTO users"), true),
            (concat!("UPD", "ATE users\n   SET a = 1"), true),
            (concat!("DEL", "ETE FROM users"), true),
            ("select a user", false),
            ("SELECTED items", false),
            ("DELETE /Users/1", false),
            ("POST, PUT, PATCH and DELETE", false),
            ("INSERT a row", false),
            ("UPDATE", false),
            ("", false),
        ] {
            assert_eq!(is_sql(string), expected, "{string}");
        }
    }

    #[test]
    fn no_file_names_a_workplace() {
        for (word, home) in WORKPLACES {
            let text = format!("see {word}/notes");
            assert_eq!(broken(&[File { path: "docs/a.md".to_owned(), bytes: text.clone().into_bytes() }]).len(), 1);
            if let Some(home) = home {
                check(home, &text, &[]);
            }
        }
        check("docs/a.md", "a share of work is specified at https://example.com/work", &[]);
    }
}
