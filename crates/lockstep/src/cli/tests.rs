//! The command line is sound, its help is what the golden file says, and its manual names all of it.

use super::*;
use crate::config::KEYS;

/// Width of the golden help, whatever terminal the test runs in.
const COLUMNS: usize = 100;
/// Set to write the golden file anew.
const BLESS: &str = "LOCKSTEP_BLESS";
const GOLDEN: &str = include_str!("help.txt");
const MANUAL: &str = include_str!("../../../../docs/command-line.md");

/// The documents whose command lines are read.
const DOCUMENTS: [(&str, &str); 8] = [
    ("README.md", include_str!("../../../../README.md")),
    ("docs/command-line.md", MANUAL),
    ("docs/configuration-as-code.md", include_str!("../../../../docs/configuration-as-code.md")),
    ("docs/credentials.md", include_str!("../../../../docs/credentials.md")),
    ("docs/custom-schemas.md", include_str!("../../../../docs/custom-schemas.md")),
    ("docs/events.md", include_str!("../../../../docs/events.md")),
    ("docs/operations.md", include_str!("../../../../docs/operations.md")),
    ("docs/scim-endpoint.md", include_str!("../../../../docs/scim-endpoint.md")),
];

/// Reads a line as a shell would hand it over: what stands in quotation marks is one word, and what comes after a pipe, a redirection
/// or a comment is another's.
pub(super) fn read_line(line: &str) -> Result<Cli, clap::Error> {
    let mut words = Vec::new();
    for (nth, part) in line.split(['\'', '"']).enumerate() {
        if nth % 2 == 1 {
            words.push(part.to_owned());
            continue;
        }
        let own = part.split_whitespace().take_while(|word| !matches!(*word, "|" | ">" | "&" | "#" | "tee"));
        words.extend(own.map(str::to_owned));
    }
    Cli::from_arg_matches(&command().try_get_matches_from(words)?)
}

/// The lines of a document's code that run the program: with `$` before them or not, what is behind `\` taken in, and without the
/// remark that stands apart from the command.
fn commands_in(document: &str) -> Vec<String> {
    let joined = document.replace("\\\n    ", "");
    let code = |line: &&str| {
        line.starts_with("lockstep ") || line.starts_with("    lockstep ") || line.starts_with("$ lockstep ")
    };
    let lines = joined.lines().filter(code).map(|line| line.trim_start().trim_start_matches("$ "));
    let alone = lines.map(|line| line.split("  ").next().unwrap_or(line).to_owned());
    alone.filter(|line| line != "lockstep help COMMAND").collect()
}

#[test]
fn every_command_in_the_documents_can_be_read() {
    for (name, document) in DOCUMENTS {
        let found = commands_in(document);
        assert!(found.len() >= 3, "{name} shows {} commands", found.len());
        for line in found {
            read_line(&line).unwrap_or_else(|error| panic!("{name}: {line}: {error}"));
        }
    }
}

#[test]
fn the_definition_is_sound() {
    command().debug_assert();
}

#[test]
fn the_data_folder_may_stand_on_either_side() {
    for line in [["lockstep", "--data", "d", "status"], ["lockstep", "status", "--data", "d"]] {
        assert_eq!(Cli::parse_from(line).global.data, Some(PathBuf::from("d")));
    }
}

/// Calls `each` for the command and all below it, each with its whole name.
fn walk(command: &clap::Command, name: &str, each: &mut impl FnMut(&str, &clap::Command)) {
    each(name, command);
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        walk(below, &format!("{name} {}", below.get_name()), each);
    }
}

#[test]
fn every_option_and_command_has_help() {
    walk(&command(), "lockstep", &mut |name, command| {
        assert!(command.get_about().is_some(), "{name}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{} of {name}", argument.get_id());
        }
    });
}

#[test]
fn the_help_is_as_the_golden_file_says() {
    let mut root = command().term_width(COLUMNS);
    root.build();
    let mut help = String::new();
    walk(&root, "lockstep", &mut |name, command| {
        let text = command.clone().render_help().to_string();
        // The global options are the same everywhere and stand with the first command.
        let own = |line: &&str| name == "lockstep" || *line != "Global options:";
        let lines: Vec<&str> = text.lines().map(str::trim_end).take_while(own).collect();
        help.extend(["=== ", name, "\n", &lines.join("\n"), "\n\n"]);
    });
    let bless = std::env::var_os(BLESS).is_some();
    if bless {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/help.txt"), &help).unwrap();
    }
    assert!(
        bless || help == GOLDEN,
        "the help changed; look at it, and run the test with {BLESS}=1 to keep it:\n{help}"
    );
}

#[test]
fn a_tenant_has_no_rate_that_the_configuration_could_not_have() {
    for (rate, is_taken) in [("0", true), ("1000000", true), ("1000001", false), ("4294967295", false), ("-1", false)] {
        let read = read_line(&format!("lockstep tenant set acme --requests-per-second={rate}"));
        let told = read.err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(told.is_empty(), is_taken, "{rate}: {told}");
        assert!(is_taken || told.contains("must be a whole number between 0 and 1000000 requests"), "{rate}: {told}");
    }
}

#[test]
fn the_manual_names_every_command_option_key_and_exit_code() {
    let mut missing = Vec::new();
    walk(&command(), "lockstep", &mut |name, command| {
        if !command.has_subcommands() && !MANUAL.contains(name) {
            missing.push(name.to_owned());
        }
        for argument in command.get_arguments() {
            let option = argument.get_long().map(|long| format!("--{long}"));
            let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
            missing.extend(option.into_iter().chain(variable).filter(|word| !MANUAL.contains(word.as_str())));
        }
    });
    missing.extend(KEYS.iter().map(|key| format!("`{key}`")).filter(|key| !MANUAL.contains(key.as_str())));
    missing.extend((0..=3).map(|code| format!("| {code} |")).filter(|row| !MANUAL.contains(row.as_str())));
    missing.sort();
    missing.dedup();
    assert!(missing.is_empty(), "docs/command-line.md does not name {missing:?}");
}
