//! What bad data folders, databases and configurations get: one sentence with the cure, and the right exit code.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use crate::installation::{Installation, answer};

const NEWER_SCHEMA: &[u8] = include_bytes!("files/newer-schema.db");
const FOREIGN: &[u8] = include_bytes!("files/foreign.db");

#[test]
fn databases_of_others_are_left_alone() {
    for (bytes, words) in [
        (FOREIGN, "is not a Lockstep database"),
        (
            &b"This is a letter, and no database at all. It goes on for a while, as letters do."[..],
            "is not a Lockstep database",
        ),
        (NEWER_SCHEMA, "schema version 999"),
    ] {
        let installation = Installation::embedded();
        installation.run(&["user", "list"]);
        let database = installation.data().join("lockstep.db");
        for beside in ["lockstep.db-wal", "lockstep.db-shm"] {
            drop(std::fs::remove_file(installation.data().join(beside)));
        }
        std::fs::write(&database, bytes).unwrap();
        installation.run(&["serve", "--listen", "127.0.0.1:0"]).refused(1, words);
        installation.run(&["user", "list"]).refused(1, words);
    }
}

#[test]
fn a_key_belongs_to_its_database() {
    for installation in Installation::each() {
        installation.run(&["user", "list"]);
        let key = installation.data().join("master.key");
        std::fs::write(&key, [7; 32]).unwrap();
        installation.run(&["user", "list"]).refused(1, "put the right key back");
        std::fs::write(&key, [7; 31]).unwrap();
        installation.run(&["user", "list"]).refused(1, "31 bytes, not 32");
    }
    let installation = Installation::embedded();
    installation.run(&["user", "list"]);
    std::fs::remove_file(installation.data().join("master.key")).unwrap();
    installation.run(&["user", "list"]).refused(1, "master.key is missing");
}

#[test]
fn a_database_that_lost_its_data_is_not_taken_for_a_new_one() {
    let installation = Installation::embedded();
    installation.json(&["user", "add", "ann@contoso.example"]);
    let backup = installation.path("backup");
    installation.json(&["backup", backup.to_str().unwrap()]);
    let database = installation.data().join("lockstep.db");
    std::fs::write(&database, "").unwrap();
    for arguments in [&["user", "list"][..], &["serve", "--listen", "127.0.0.1:0"], &["doctor"]] {
        installation.run(arguments).refused(1, "lockstep.db is empty although its key");
    }
    assert_eq!(std::fs::metadata(&database).unwrap().len(), 0, "what was found is left as it is");
    std::fs::remove_file(&database).unwrap();
    installation.run(&["user", "list"]).refused(1, "lockstep.db is missing although its key");
    installation.run(&["user", "list"]).refused(1, "restore a backup");
    std::fs::copy(backup.join("lockstep.db"), &database).unwrap();
    assert_eq!(installation.json(&["user", "list"])[0]["userPrincipalName"], "ann@contoso.example");

    std::fs::remove_file(&database).unwrap();
    std::fs::remove_file(installation.data().join("master.key")).unwrap();
    assert!(installation.json(&["user", "list"]).as_array().unwrap().is_empty(), "without the key, all begins anew");
}

#[test]
fn a_first_start_that_failed_can_be_tried_again() {
    let installation = Installation::embedded();
    let nowhere = ["--database", "postgres://lockstep@127.0.0.1:1/none", "user", "list"];
    installation.run(&nowhere).refused(1, "refused");
    installation.run(&nowhere).refused(1, "; check the address after --database");
    assert!(installation.json(&["user", "list"]).as_array().unwrap().is_empty());
}

#[test]
fn who_waits_for_another_that_opens_the_database_is_told() {
    let installation = Installation::embedded();
    installation.json(&["user", "list"]);
    let opening = std::fs::File::open(installation.data().join("setup.lock")).unwrap();
    opening.lock().unwrap();
    let mut waiting = installation.command().args(["user", "list"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = String::new();
    BufReader::new(waiting.stderr.as_mut().unwrap()).read_line(&mut told).unwrap();
    assert!(told.starts_with("note: waiting for another lockstep"), "{told}");
    drop(opening);
    assert!(waiting.wait().unwrap().success());
}

#[cfg(unix)]
#[test]
fn the_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let installation = Installation::embedded();
    installation.run(&["user", "list"]);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&installation.data()), 0o700);
    for name in ["master.key", "lockstep.db"] {
        assert_eq!(mode(&installation.data().join(name)), 0o600, "{name}");
    }
    std::fs::set_permissions(installation.data().join("master.key"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let listed = installation.run(&["user", "list"]);
    assert!(listed.code == 0 && listed.err.contains("chmod 600"), "{listed:?}");
    let doctor = installation.run(&["doctor", "--json"]);
    assert_eq!((doctor.code, &doctor.any_json()["problems"]), (1, &1.into()));
    std::fs::set_permissions(installation.data().join("master.key"), std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(installation.run(&["doctor"]).code, 0);
    std::fs::set_permissions(installation.data(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let doctor = installation.run(&["doctor"]);
    assert!(doctor.code == 1 && doctor.out.contains("can be changed by others (mode 0777)"), "{doctor:?}");
}

#[test]
fn a_database_that_takes_no_writes_is_a_problem() {
    for installation in Installation::each() {
        installation.json(&["user", "add", "ann@contoso.example"]);
        assert_eq!(installation.json(&["doctor"])["problems"], 0);
        installation.fill_up();
        let doctor = installation.run(&["doctor", "--json"]);
        let doctor = (doctor.code, doctor.any_json());
        let checks = doctor.1["checks"].as_array().unwrap();
        let problems: Vec<&str> = checks
            .iter()
            .filter(|check| check["state"] == "problem")
            .map(|check| check["check"].as_str().unwrap())
            .collect();
        assert_eq!((doctor.0, problems), (1, vec!["writes"]), "{checks:?}");
    }
}

#[test]
fn authorities_are_read_before_they_are_needed() {
    let installation = Installation::embedded();
    installation.file("ca.pem", "ca.example.com\n");
    let file = installation.file("with-ca.toml", "[outbound]\nca_file = \"ca.pem\"\n");
    installation
        .run(&["--config", &file, "status"])
        .refused(2, "outbound.ca_file: ca.pem: the file holds no certificate");
}

#[test]
fn a_configuration_is_checked_as_a_whole() {
    let installation = Installation::embedded();
    let bad = installation.file("bad.toml", "listen = \"here\"\npublic_url = \"x\"\n[provisioning]\nlog_days = 0\n");
    let refused = installation.run(&["--config", &bad, "user", "list"]);
    refused.refused(2, "bad.toml: listen: ");
    for key in ["public_url: ", "provisioning.log_days: "] {
        assert!(refused.err.contains(key), "{refused:?}");
    }
    let unknown = installation.file("unknown.toml", "lisen = \"127.0.0.1:1\"\n[provisioning]\nlog_days = 70000\n");
    let refused = installation.run(&["--config", &unknown, "user", "list"]);
    refused.refused(2, "lisen: is not a key of this file; did you mean listen?");
    assert!(refused.err.contains("provisioning.log_days: must be a whole number between 1 and 3650"), "{refused:?}");
    let long = installation.file("long.toml", "#".repeat((1 << 20) + 1));
    installation.run(&["--config", &long, "user", "list"]).refused(2, "more than 1048576 bytes");
    installation.run(&["--config", "no-such.toml", "user", "list"]).refused(2, "no-such.toml is not there");
    answer(installation.command().args(["user", "list"]).env("LOCKSTEP_DATABASE", "mysql://x"))
        .refused(2, "LOCKSTEP_DATABASE");
    answer(installation.command().args(["serve"]).env("LOCKSTEP_LISTEN", "nowhere")).refused(2, "LOCKSTEP_LISTEN");
    assert!(!installation.data().exists(), "nothing is made before the configuration is good");
}

#[test]
fn the_file_is_found_in_its_places() {
    let installation = Installation::embedded();
    installation.file("lockstep.toml", "data = \"here\"\npublic_url = \"https://one.example\"\n");
    let told = answer(installation.bare().args(["tenant", "add", "acme", "--json"])).json();
    assert_eq!(told["scim_url"], "https://one.example/t/acme/scim/v2");
    assert!(installation.path("here/lockstep.db").is_file());
    std::fs::write(installation.path("here/lockstep.toml"), "public_url = \"https://two.example\"\n").unwrap();
    let told = answer(installation.bare().args(["--data", "here", "tenant", "list", "--json"])).json();
    assert_eq!(told[0]["scim_url"], "https://two.example/t/acme/scim/v2");
    std::fs::write(installation.path("here/lockstep.toml"), "data = \"there\"\n").unwrap();
    answer(installation.bare().args(["--data", "here", "tenant", "list"])).refused(2, "cannot name another");
}

#[test]
fn wrong_command_lines_have_their_own_code() {
    let installation = Installation::embedded();
    for arguments in [
        &["user"][..],
        &["user", "purge"],
        &["sinc", "CIE"],
        &["logs", "--limit", "-1"],
        &["logs", "--status", "done"],
        &["tenant", "add", "acme", "--profile", "nope"],
        &["assign", "CIE"],
    ] {
        assert_eq!(installation.run(arguments).code, 2, "{arguments:?}");
    }
    let negative = installation.run(&["tenant", "set", "acme", "--users-max", "-1"]);
    negative.refused(2, "invalid value '-1' for '--users-max <COUNT>'");
    installation.run(&["sync", "CIE"]).refused(1, "no application is named \"CIE\"");
    installation.run(&["provision", "ann@contoso.example"]).refused(1, "no user or group is named");
    installation.run(&["logs", "show", "x"]).refused(2, "no id of a record");
}

#[test]
fn what_is_not_there_is_named_with_what_was_meant() {
    for installation in Installation::each() {
        for name in ["ann.oak", "ben"] {
            installation.json(&["user", "add", &format!("{name}@contoso.example")]);
        }
        installation.json(&["group", "add", "All staff"]);
        installation.json(&["tenant", "add", "acme"]);
        installation.json(&["token", "add", "acme", "entra"]);
        installation.json(&["user", "delete", "ben@contoso.example"]);
        let ann = "did you mean \"ann.oak@contoso.example\"?";
        for (arguments, words) in [
            (&["user", "show", "an.oak@contoso.example"][..], ann),
            (&["user", "delete", "ann.oak@contoso.com"], ann),
            (&["user", "show", "ann.oak"], ann),
            (&["user", "set", "ann.oak@contoso.example", "manager=an.oak@contoso.example"], ann),
            (&["provision", "an.oak@contoso.example"], ann),
            (&["user", "show", "zoe@elsewhere.example"], "lockstep user list --search TEXT shows"),
            (&["user", "set", "ben@contoso.example", "city=Rome"], "lockstep user restore brings it back"),
            (&["user", "restore", "ann.oak@contoso.example"], "the user of that name is not deleted"),
            (&["user", "restore", "bon@contoso.example"], "did you mean \"ben@contoso.example\"?"),
            (&["group", "members", "add", "All staf", "ann.oak@contoso.example"], "did you mean \"All staff\"?"),
            (&["group", "members", "add", "All staff", "All stuff"], "did you mean \"All staff\"?"),
            (&["group", "show", "Nobody"], "lockstep group list --search TEXT shows"),
            (&["sync", "CIE"], "no application is named \"CIE\"; lockstep app list shows"),
            (&["tenant", "add", "acme"], "a tenant named \"acme\" exists"),
            (&["tenant", "suspend", "acne"], "no tenant is named \"acne\"; did you mean \"acme\"?"),
            (&["token", "list", "other"], "no tenant is named \"other\"; lockstep tenant list shows"),
            (&["token", "add", "acme", "entra"], "the tenant \"acme\" has a token named \"entra\""),
            (&["token", "revoke", "acme", "entr"], "did you mean \"entra\"?"),
            (&["token", "revoke", "acme", "x"], "lockstep token list acme shows"),
        ] {
            let refused = installation.run(arguments);
            refused.refused(1, words);
            assert_eq!(refused.err.lines().count(), 1, "{refused:?}");
        }
        // No data could make these right.
        for (arguments, words) in [
            (
                &["user", "set", "ann.oak@contoso.example", "departmnt=Sales"][..],
                "departmnt is not an attribute of users",
            ),
            (&["user", "set", "ann.oak@contoso.example", "departmnt=Sales"], "did you mean \"department\"?"),
            (&["user", "add", "eve@contoso.example", "--set", "firstname2=Eve"], "did you mean \"firstName\"?"),
            (&["group", "set", "All staff", "desription=x"], "did you mean \"description\"?"),
        ] {
            installation.run(arguments).refused(2, words);
        }
    }
}

#[test]
fn an_unwritable_place_is_told() {
    let installation = Installation::embedded();
    let file = installation.file("file", "");
    answer(installation.bare().args(["--data", &file, "user", "list"])).refused(1, "is a file");
    answer(installation.bare().args(["--data", &format!("{file}/below"), "user", "list"])).refused(1, "cannot be made");
}
