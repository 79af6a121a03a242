//! Users, groups, members and imports by command.

use crate::installation::{Installation, answer};

#[test]
fn a_user_from_joining_to_purging() {
    for installation in Installation::each() {
        let added = installation.json(&[
            "user",
            "add",
            "ann@contoso.example",
            "--set",
            "department=Sales",
            "--set",
            "otherMails=a@b.example;c@d.example",
        ]);
        assert_eq!((&added["displayName"], &added["otherMails"][1]), (&"ann".into(), &"c@d.example".into()));
        installation.json(&[
            "user",
            "add",
            "bob@contoso.example",
            "--display-name",
            "Bob",
            "--manager",
            "ann@contoso.example",
            "--disabled",
        ]);
        let shown = installation.json(&["user", "show", "BOB@contoso.example"]);
        assert_eq!((&shown["manager"], &shown["accountEnabled"]), (&added["id"], &false.into()));
        assert!(installation.run(&["user", "show", "bob@contoso.example"]).out.contains("ann@contoso.example"));
        let changed =
            installation.json(&["user", "set", "bob@contoso.example", "manager=", "accountEnabled=true", "city=Rome"]);
        assert_eq!((&changed["manager"], &changed["accountEnabled"]), (&serde_json::Value::Null, &true.into()));
        assert_eq!(installation.json(&["user", "list", "--search", "ANN"]).as_array().unwrap().len(), 1);
        assert_eq!(installation.json(&["user", "list", "--limit", "1"]).as_array().unwrap().len(), 1);

        installation.json(&["user", "delete", "ann@contoso.example"]);
        assert_eq!(installation.json(&["user", "list"]).as_array().unwrap().len(), 1);
        assert_eq!(installation.json(&["user", "list", "--deleted"]).as_array().unwrap().len(), 1);
        installation.json(&["user", "restore", "ann@contoso.example"]);
        installation.run(&["user", "purge", "ann@contoso.example"]).refused(1, "soft-deleted user");
        installation.json(&["user", "delete", "ann@contoso.example"]);
        installation.run(&["user", "purge", "ann@contoso.example"]).refused(2, "--yes");
        installation.json(&["user", "purge", "ann@contoso.example", "--yes"]);
        installation.run(&["user", "show", "ann@contoso.example"]).refused(1, "no user is named");
        let audit = installation.json(&["audit", "--limit", "2"]);
        assert_eq!(
            (&audit[0]["activityDisplayName"], &audit[0]["target"]),
            (&"Hard Delete user".into(), &"ann@contoso.example".into())
        );
        assert_eq!(audit.as_array().unwrap().len(), 2);
        installation.run(&["user", "set", "bob@contoso.example", "shoeSize=9"]).refused(2, "shoeSize");
        installation.run(&["user", "set", "bob@contoso.example", "city"]).refused(2, "ATTRIBUTE=VALUE");
    }
}

#[test]
fn groups_and_their_members() {
    for installation in Installation::each() {
        for name in ["ann", "bob"] {
            installation.json(&["user", "add", &format!("{name}@contoso.example")]);
        }
        installation.json(&["group", "add", "Inner", "--set", "description=Some"]);
        installation.json(&["group", "add", "Outer"]);
        let added = installation.json(&[
            "group",
            "members",
            "add",
            "Outer",
            "ann@contoso.example",
            "bob@contoso.example",
            "Inner",
        ]);
        assert_eq!(added["changed"], 3);
        installation.run(&["group", "members", "add", "Inner", "Outer"]).refused(1, "cannot be its member");
        installation
            .run(&["group", "members", "add", "Inner", "Inner"])
            .refused(1, "the group \"Inner\" cannot be a member of itself");
        let members = installation.json(&["group", "members", "list", "Outer"]);
        assert_eq!(members.as_array().unwrap().iter().filter(|member| member["type"] == "Group").count(), 1);
        assert_eq!(installation.json(&["group", "members", "remove", "Outer", "bob@contoso.example"])["changed"], 1);
        let nobody = installation.run(&["group", "members", "add", "Outer", "bob@contoso.example", "nobody"]);
        nobody.refused(1, "nobody");
        let members = installation.json(&["group", "members", "list", "Outer"]);
        assert_eq!(members.as_array().unwrap().len(), 2, "all are added, or none");
        installation.json(&["group", "set", "Outer", "description=Wide"]);
        installation.json(&["group", "delete", "Outer"]);
        assert_eq!(installation.json(&["group", "list", "--deleted"]).as_array().unwrap().len(), 1);
        installation.json(&["group", "restore", "Outer"]);
        assert_eq!(installation.json(&["group", "show", "Outer"])["description"], "Wide");
    }
}

#[test]
fn a_second_group_of_a_name_is_told_of() {
    for installation in Installation::each() {
        assert_eq!(installation.run(&["group", "add", "All staff"]).err, "");
        let second = installation.run(&["group", "add", "all staff", "--json"]);
        let id = second.json()["id"].as_str().unwrap().to_owned();
        assert!(second.err.starts_with("note: another group is named \"all staff\" too"), "{second:?}");
        assert!(second.err.contains(&id), "{second:?}");
        installation.run(&["group", "show", "All staff"]).refused(1, "use the object id");
        assert_eq!(installation.json(&["group", "show", &id])["displayName"], "all staff");
    }
}

#[test]
fn bad_rows_are_told_and_good_ones_kept() {
    for installation in Installation::each() {
        let file = installation.file(
            "users.csv",
            "userPrincipalName,displayName,accountEnabled\nann@contoso.example,Ann,true\n,Nobody,true\nbob@contoso.example,Bob,perhaps\ncy@contoso.example,Cy,true\n",
        );
        let report = installation.run(&["import", "users", &file, "--json"]);
        assert_eq!(report.code, 3, "{report:?}");
        let report = report.any_json();
        assert_eq!((&report["read"], &report["created"], &report["failed"]), (&4.into(), &2.into(), &2.into()));
        assert_eq!(
            (&report["problems"][0]["line"], &report["problems"][1]["column"]),
            (&3.into(), &"accountEnabled".into())
        );
        assert_eq!(installation.json(&["user", "list"]).as_array().unwrap().len(), 2);
        let people = installation.run(&["import", "users", &file]);
        assert!(people.code == 3 && people.out.contains("line 4: accountEnabled"), "{people:?}");

        let file = installation.file(
            "managers.csv",
            "userPrincipalName,displayName,manager\ndan@contoso.example,Dan,nobody@contoso.example\n,,ann@contoso.example\n",
        );
        let people = installation.run(&["import", "users", &file]);
        for line in [
            "2 rows read: 1 created, 0 updated, 0 unchanged, 1 failed",
            "line 3: userPrincipalName is empty",
            "1 user was imported without the manager the row names:",
            "line 2: no user is named \"nobody@contoso.example\"; the row was imported without its manager",
        ] {
            assert!(people.out.contains(line), "{line:?} in {people:?}");
        }
        let report = installation.run(&["import", "users", &file, "--json"]).any_json();
        assert_eq!((&report["withoutManager"], &report["failed"]), (&1.into(), &1.into()));
        assert_eq!((&report["problems"][0]["failed"], &report["problems"][1]["failed"]), (&false.into(), &true.into()));
    }
}

#[test]
fn files_that_cannot_be_imported_are_refused() {
    let installation = Installation::embedded();
    for (name, text, words) in [
        ("missing.csv", &b"displayName\nAnn\n"[..], "the column userPrincipalName is missing"),
        ("empty.csv", b"", "the file is empty"),
        ("utf16.csv", &[0xff, 0xfe, 0x75, 0x00], "UTF-16"),
        (
            "excel.csv",
            b"userPrincipalName,displayName\na@c.d,A\njose@c.d,Jos\xe9\n",
            "excel.csv: line 3 is not in UTF-8",
        ),
        ("excel.csv", b"userPrincipalName,displayName\na@c.d,A\njose@c.d,Jos\xe9\n", "in Excel: \"CSV UTF-8\""),
    ] {
        let file = installation.file(name, text);
        installation.run(&["import", "users", &file]).refused(1, words);
    }
    // What tells the encoding may come late, when rows before it could have been imported.
    let late = "ann@contoso.example,Ann\n".repeat(60_000);
    let late = [b"userPrincipalName,displayName\n".as_slice(), late.as_bytes(), b"z@c.d,Z\xfc\xf1\n"].concat();
    let late = installation.file("late.csv", late);
    installation.run(&["import", "users", &late]).refused(1, "line 60002 is not in UTF-8");
    assert!(installation.json(&["user", "list"]).as_array().unwrap().is_empty(), "nothing was imported");
    installation
        .run(&["import", "users", "no-such-file.csv"])
        .refused(1, "no-such-file.csv cannot be read: there is no such file");
    installation.run(&["import", "users", "."]).refused(1, "is a folder");
}

#[test]
fn dry_runs_write_nothing_and_json_lines_are_read() {
    let installation = Installation::embedded();
    let file =
        installation.file("users.jsonl", "{\"userPrincipalName\":\"ann@contoso.example\",\"displayName\":\"Ann\"}\n");
    let report = installation.json(&["import", "users", &file, "--dry-run"]);
    assert_eq!((&report["dryRun"], &report["created"]), (&true.into(), &1.into()));
    assert!(installation.json(&["user", "list"]).as_array().unwrap().is_empty());
    let input = std::fs::File::open(&file).unwrap();
    let from_pipe =
        answer(installation.command().args(["import", "users", "-", "--format", "jsonl", "--json"]).stdin(input));
    assert_eq!(from_pipe.json()["created"], 1);
}

#[test]
fn names_cannot_steer_the_terminal() {
    let installation = Installation::embedded();
    installation.json(&["user", "add", "ann@contoso.example", "--display-name", "\u{1b}[2JAnn\u{202e}"]);
    let shown = installation.run(&["user", "list"]);
    assert!(shown.out.contains("[2JAnn") && !shown.out.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
    assert_eq!(installation.json(&["user", "list"])[0]["displayName"], "\u{1b}[2JAnn\u{202e}");
}
