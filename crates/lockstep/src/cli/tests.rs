//! The command line is sound, its help is what the golden file says, and its manual names all of it.

use clap::CommandFactory;

use super::*;
use crate::config::KEYS;

/// Width of the golden help, whatever terminal the test runs in.
const COLUMNS: usize = 100;
/// Set to write the golden file anew.
const BLESS: &str = "LOCKSTEP_BLESS";
const GOLDEN: &str = include_str!("help.txt");
const MANUAL: &str = include_str!("../../../../docs/command-line.md");

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
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
    walk(&Cli::command(), "lockstep", &mut |name, command| {
        assert!(command.get_about().is_some(), "{name}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{} of {name}", argument.get_id());
        }
    });
}

#[test]
fn the_help_is_as_the_golden_file_says() {
    let mut root = Cli::command().term_width(COLUMNS);
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
fn the_manual_names_every_command_option_key_and_exit_code() {
    let mut missing = Vec::new();
    walk(&Cli::command(), "lockstep", &mut |name, command| {
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
