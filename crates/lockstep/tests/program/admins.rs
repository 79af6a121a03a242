//! Admin roles by command.

use crate::installation::Installation;

#[test]
fn admin_roles_from_grant_to_revocation() {
    for installation in Installation::each() {
        for name in ["ann@contoso.example", "ben@contoso.example"] {
            installation.json(&["user", "add", name]);
        }
        let nobody = installation.run(&["admin", "list"]);
        assert!(nobody.out.contains("Nobody has an admin role"), "{nobody:?}");
        let granted = installation.json(&["admin", "grant", "ann@contoso.example", "--role", "global-administrator"]);
        assert_eq!((&granted["role"], &granted["changed"]), (&"Global Administrator".into(), &true.into()));
        let again = installation.run(&["admin", "grant", "ann@contoso.example", "--role", "Global Administrator"]);
        assert_eq!(again.out, "ann@contoso.example already has the role Global Administrator\n");
        installation.json(&["admin", "grant", "ben@contoso.example", "--role", "Application Administrator"]);
        let listed = installation.json(&["admin", "list"]);
        let shown: Vec<(&str, &str)> = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["role"].as_str().unwrap(), one["userPrincipalName"].as_str().unwrap()))
            .collect();
        assert_eq!(
            shown,
            [("Application Administrator", "ben@contoso.example"), ("Global Administrator", "ann@contoso.example")]
        );

        let revoke = ["admin", "revoke", "ann@contoso.example", "--role", "Global Administrator"];
        installation.run(&revoke).refused(2, "--yes");
        let last = [&revoke[..], &["--yes"]].concat();
        installation.run(&last).refused(1, "grant the role to somebody else first, or say --force");
        installation.json(&["admin", "grant", "ben@contoso.example", "--role", "Global Administrator"]);
        assert_eq!(installation.json(&last)["changed"], true);
        assert_eq!(installation.json(&last)["changed"], false);
        let forced = ["admin", "revoke", "ben@contoso.example", "--role", "GlobalAdministrator", "--yes", "--force"];
        assert_eq!(installation.json(&forced)["changed"], true);

        installation
            .run(&["admin", "grant", "ann@contoso.example", "--role", "Global Admin"])
            .refused(2, "there are Global Administrator, Application Administrator, Cloud Application Administrator");
        installation
            .run(&["admin", "grant", "an@contoso.example", "--role", "Global Administrator"])
            .refused(1, "did you mean \"ann@contoso.example\"?");
        let audit = installation.json(&["audit", "--limit", "5"]);
        let activities: Vec<&str> =
            audit.as_array().unwrap().iter().filter_map(|record| record["activityDisplayName"].as_str()).collect();
        let (add, remove) = ("Add member to role", "Remove member from role");
        assert_eq!(activities, [remove, remove, add, add, add]);
        assert_eq!(audit[0]["detail"]["role"], "Global Administrator");
    }
}

#[test]
fn the_last_global_administrator_neither_leaves_nor_is_switched_off() {
    for installation in Installation::each() {
        for name in ["ann@contoso.example", "ben@contoso.example"] {
            installation.json(&["user", "add", name]);
        }
        let grant = ["admin", "grant", "ann@contoso.example", "--role", "Global Administrator"];
        installation.json(&grant);
        let cure = "grant the role to somebody else first, or say --force";
        let off = ["user", "set", "ann@contoso.example", "accountEnabled=no"];
        let gone = ["user", "delete", "ann@contoso.example"];
        installation.run(&off).refused(1, cure);
        installation.run(&gone).refused(1, cure);
        let rows = installation.file("off.csv", "userPrincipalName,accountEnabled\nann@contoso.example,false\n");
        let report = installation.run(&["import", "users", &rows, "--json"]);
        assert!(report.code == 3 && report.out.contains("no other Global Administrator may sign in"), "{report:?}");
        assert_eq!(installation.json(&["user", "show", "ann@contoso.example"])["accountEnabled"], true);
        installation.json(&["user", "set", "ann@contoso.example", "city=Rome"]);
        installation.json(&["user", "delete", "ben@contoso.example"]);

        installation.json(&[&gone[..], &["--force"]].concat());
        let purge = ["user", "purge", "ann@contoso.example", "--yes"];
        installation.run(&purge).refused(1, cure);
        installation.json(&["user", "restore", "ann@contoso.example"]);
        installation.json(&[&off[..], &["--force"]].concat());
        installation.json(&["user", "set", "ann@contoso.example", "accountEnabled=no"]);
        installation.json(&["user", "set", "ann@contoso.example", "accountEnabled=yes"]);
        installation.json(&["user", "restore", "ben@contoso.example"]);
        installation.json(&["admin", "grant", "ben@contoso.example", "--role", "Global Administrator"]);
        installation.json(&off);
        installation.json(&gone);
        installation.json(&purge);
    }
}
