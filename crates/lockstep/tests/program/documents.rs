//! The tours of README.md work as they are written: their commands are run in turn, and answer what stands below them.

use std::path::Path;

use crate::installation::{Installation, Serving, send};

const README: &str = include_str!("../../../../README.md");
/// Where the tours serve.
const ADDRESS: &str = "127.0.0.1:8080";

/// A command, and the lines that it answers; none where the reader is not told.
type Step = (String, String);

/// The steps of the consoles in a document.
fn steps(document: &str) -> Vec<Step> {
    let consoles = document.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut steps: Vec<Step> = Vec::new();
    for line in consoles.flat_map(str::lines) {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push((command.to_owned(), String::new())),
            (None, Some((command, _))) if command.ends_with('\\') => {
                command.truncate(command.len() - 1);
                command.push_str(line.trim_start());
            }
            (None, Some((_, expected))) => expected.extend([line, "\n"]),
            (None, None) => panic!("{line:?} follows no command"),
        }
    }
    steps
}

/// The words of a line as a shell makes them; a word that begins with `#` ends it. `$(cat FILE)` is what the file holds.
fn words(line: &str, folder: &Path) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut rest = line;
    while let Some(next) = rest.chars().next() {
        rest = &rest[next.len_utf8()..];
        match (quote, next) {
            (None, '#') if word.is_empty() => return words,
            (None, '\'' | '"') => quote = Some(next),
            (Some(open), _) if open == next => quote = None,
            (Some('"'), '$') if rest.starts_with("(cat ") => {
                let (file, behind) = rest["(cat ".len()..].split_once(')').unwrap();
                word.push_str(std::fs::read_to_string(folder.join(file)).unwrap().trim());
                rest = behind;
            }
            (None, ' ') if word.is_empty() => {}
            (None, ' ') => words.push(std::mem::take(&mut word)),
            (_, other) => word.push(other),
        }
    }
    words.extend(Some(word).filter(|word| !word.is_empty()));
    words
}

/// Sends what `curl` would, and gives the body of the answer.
fn curl(serving: &Serving, words: &[String]) -> String {
    let (mut headers, mut body, mut url) = (String::new(), "", "");
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "-s" => {}
            "-H" => headers.extend([words.next().unwrap(), "\r\n"]),
            "-d" => body = words.next().unwrap(),
            other => url = other,
        }
    }
    let path = url.strip_prefix(&format!("http://{}", serving.address)).unwrap();
    send(&serving.address, &format!("{} {path}", if body.is_empty() { "GET" } else { "POST" }), &headers, body).1
}

/// Does a step; gives what it answers.
fn done(installation: &Installation, serving: &Serving, command: &str) -> String {
    let (command, field) = match command.split_once(" | jq -r .") {
        Some((command, kept)) => (command, kept.split_once(" > ")),
        None => (command, None),
    };
    let words = words(command, &installation.path(""));
    let (program, arguments) = words.split_first().unwrap();
    if program == "curl" {
        return curl(serving, arguments);
    }
    assert_eq!(program, "lockstep", "{command}");
    let answer = installation.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(answer.code, 0, "{command}: {answer:?}");
    if let Some((field, file)) = field {
        installation.file(file, answer.json()[field].as_str().unwrap());
    }
    answer.out
}

/// A text with one blank between two words, whatever it took to set them in columns, and with no time measured.
fn plain(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_time = |nth: usize| nth > 0 && words[nth - 1] == "in" && words.get(nth + 1) == Some(&"s");
    let words = words.iter().enumerate().map(|(nth, word)| if is_time(nth) { "0.0" } else { *word });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether a text is the expected one, in which `…` stands for anything.
fn is_as_told(text: &str, expected: &str) -> bool {
    let (text, expected) = (plain(text), plain(expected));
    let mut parts = expected.split('…');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

#[test]
fn what_is_expected_is_compared_with_gaps() {
    for (text, expected, same) in [
        ("a  b\nc", "a b c", true),
        ("a b", "a", false),
        ("a x y b", "a … b", true),
        ("a x y c", "a … b", false),
        ("took in 1.7 s", "took in 0.0 s", true),
    ] {
        assert_eq!(is_as_told(text, expected), same, "{text:?} {expected:?}");
    }
}

#[test]
fn the_tours_of_the_readme_work_as_they_are_written() {
    for installation in Installation::each() {
        let serving = installation.serve();
        let steps = steps(README);
        assert!(steps.len() > 15, "the tours have {} steps", steps.len());
        for (command, expected) in steps {
            let [command, expected] = [command, expected].map(|text| text.replace(ADDRESS, &serving.address));
            if let Some(file) = command.strip_prefix("cat ") {
                installation.file(file, expected);
                continue;
            }
            if command == "lockstep serve &" {
                continue;
            }
            let told = done(&installation, &serving, &command);
            assert!(expected.is_empty() || is_as_told(&told, &expected), "{command}\n{told}\nis not\n{expected}");
        }
    }
}
