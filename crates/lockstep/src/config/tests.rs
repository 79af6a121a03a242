//! What configurations are taken and what is said of the others.

use proptest::prelude::*;

use super::*;

fn args() -> GlobalArgs {
    GlobalArgs::default()
}

fn checked(args: &GlobalArgs, text: &str) -> Result<Config, Vec<String>> {
    let file = parse(text).map_err(|problem| vec![problem])?;
    check(args, &Source { path: Some(PathBuf::from("lockstep.toml")), file })
}

#[test]
fn without_a_file_everything_has_a_default() {
    let config = check(&args(), &Source::default()).unwrap();
    assert_eq!(config.data, PathBuf::from("lockstep-data"));
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!((config.postgres, config.public_url, config.log.as_str()), (None, None, "warn"));
    assert_eq!((config.outbound.private_networks, config.outbound.plain_http, config.log_days), (true, false, 30));
}

#[test]
fn options_are_stronger_than_the_file() {
    let args = GlobalArgs { listen: Some("127.0.0.1:1".to_owned()), log: Some("debug".to_owned()), ..args() };
    let config =
        checked(&args, "listen = \"[::]:2\"\npublic_url = \"https://scim.example.com/\"\nlog = \"info\"\n").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:1");
    assert_eq!((config.log.as_str(), config.public_url.as_deref()), ("debug", Some("https://scim.example.com")));
}

#[test]
fn every_wrong_key_is_named() {
    for (text, expected) in [
        ("listen = \"8080\"", "lockstep.toml: listen: \"8080\" is no address with a port"),
        ("database = \"mysql://x\"", "lockstep.toml: database: is no PostgreSQL address"),
        ("public_url = \"example.com\"", "lockstep.toml: public_url: \"example.com\" is no address"),
        ("public_url = \"https://user@example.com\"", "lockstep.toml: public_url: "),
        ("log = \"warn,provisioning=loud\"", "lockstep.toml: log: "),
        ("log = \"inof\"", "there are off, error, warn, info, debug, trace"),
        ("log = \"\"", "lockstep.toml: log: "),
        ("log = \" aೝ=\"", "lockstep.toml: log: "),
        (
            "[provisioning]\ninterval_seconds = 0",
            "lockstep.toml: provisioning.interval_seconds: must be between 1 and 2592000",
        ),
        ("[provisioning]\nlog_days = 0", "lockstep.toml: provisioning.log_days: must be between 1 and 3650"),
        ("[provisioning]\nlog_days = 3651", "lockstep.toml: provisioning.log_days: "),
        ("[outbound]\nca_file = \"no-such.pem\"", "lockstep.toml: outbound.ca_file: no-such.pem is not a file"),
        ("lisen = \"x\"", "unknown field `lisen`"),
        ("[outbound]\nproxy = \"x\"", "unknown field `proxy`"),
        ("data = 5", "data = 5"),
        ("log_format = \"xml\"", "log_format = \"xml\""),
    ] {
        let problems = checked(&args(), text).unwrap_err().join("\n");
        assert!(problems.contains(expected), "{text} gave: {problems}");
    }
    let both = checked(&args(), "listen = \"x\"\nlog_format = \"json\"\n[provisioning]\nlog_days = 0").unwrap_err();
    assert_eq!(both.len(), 2, "all problems are told at once: {both:?}");
    let option = GlobalArgs { listen: Some("here".to_owned()), ..args() };
    assert!(checked(&option, "").unwrap_err()[0].starts_with("--listen or LOCKSTEP_LISTEN: listen: \"here\""));
}

#[test]
fn passwords_of_databases_are_not_repeated() {
    let problems = checked(&args(), "database = \"mysql://u:geheim@h/n\"").unwrap_err().join("\n");
    assert!(!problems.contains("geheim"), "{problems}");
}

#[test]
fn the_list_of_keys_is_whole() {
    let mut file = String::new();
    let mut tables: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
    for key in KEYS {
        let (table, name) = key.split_once('.').unwrap_or(("", key));
        tables.entry(table).or_default().push(name);
    }
    for (table, names) in tables {
        if !table.is_empty() {
            file.extend(["[", table, "]\n"]);
        }
        for name in names {
            let value = match name {
                "interval_seconds" | "log_days" => "60",
                "private_networks" | "plain_http" => "true",
                "log_format" => "\"json\"",
                _ => "\"x\"",
            };
            file.extend([name, " = ", value, "\n"]);
        }
    }
    let read = parse(&file).unwrap();
    let shown = format!("{read:?}");
    assert!(!shown.contains("None"), "a key is missing from the list: {shown}");
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = checked(&args(), &text);
        let _ = (socket_address(&text), postgres_url(&text), public_url(&text), log_levels(&text));
    }
}
