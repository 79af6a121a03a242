//! `serve` and what runs beside it.

use std::process::Stdio;

use crate::installation::{Installation, Tenant, answer};

#[test]
fn a_second_server_on_the_same_data_says_so() {
    for installation in Installation::each() {
        let _serving = installation.serve();
        let second = installation.run(&["serve", "--listen", "127.0.0.1:0"]);
        second.refused(1, "already serves the data");
    }
}

#[test]
fn a_taken_address_is_told() {
    let installation = Installation::embedded();
    let other = Installation::embedded();
    let serving = installation.serve();
    other.run(&["serve", "--listen", &serving.address]).refused(1, "--listen");
}

#[test]
fn tokens_work_and_stop_working_at_once() {
    for installation in Installation::each() {
        let serving = installation.serve();
        let tenant = Tenant::add(&installation, "acme", "generic");
        let users = tenant.path("/Users");
        assert_eq!(serving.get(&users, None).0, 401);
        assert_eq!(serving.get(&users, Some(&tenant.token)).0, 200);
        let listed = installation.run(&["token", "list", "acme", "--json"]);
        assert!(!listed.out.contains(&tenant.token) && listed.out.contains("entra"), "{listed:?}");
        installation.json(&["tenant", "suspend", "acme"]);
        let again = installation.run(&["tenant", "suspend", "acme"]);
        assert!(again.out.contains("is suspended already"), "{again:?}");
        assert_ne!(serving.get(&users, Some(&tenant.token)).0, 200);
        installation.json(&["tenant", "resume", "acme"]);
        let again = installation.run(&["tenant", "resume", "acme"]);
        assert!(again.out.contains("was not suspended"), "{again:?}");
        assert_eq!(serving.get(&users, Some(&tenant.token)).0, 200);
        installation.json(&["token", "revoke", "acme", "entra"]);
        assert_eq!(serving.get(&users, Some(&tenant.token)).0, 401);
        installation
            .run(&["token", "revoke", "acme", "entra"])
            .refused(1, "the tenant \"acme\" has no live token named \"entra\"");
        installation.run(&["tenant", "add", "acme"]).refused(1, "a tenant named \"acme\" exists");
        installation.run(&["tenant", "add", "other", "--profile", "x"]).refused(2, "netskope");
        installation.run(&["tenant", "remove", "acme"]).refused(2, "--yes");
        installation.json(&["tenant", "remove", "acme", "--yes"]);
        let audit = installation.json(&["audit"]);
        let activities: Vec<&str> =
            audit.as_array().unwrap().iter().filter_map(|record| record["activityDisplayName"].as_str()).collect();
        assert_eq!(
            activities,
            ["Remove tenant", "Revoke token", "Resume tenant", "Suspend tenant", "Add token", "Add tenant"]
        );
        assert!(!audit.to_string().contains(&tenant.token), "{audit}");
        assert!(installation.json(&["tenant", "list"]).as_array().unwrap().is_empty());
    }
}

#[test]
fn it_stops_when_the_system_says_so() {
    let installation = Installation::embedded();
    let serving = installation.serve();
    let address = serving.address.clone();
    assert!(serving.terminate().success());
    let again = installation.serve();
    assert_ne!((again.address.as_str(), ""), (address.as_str(), ""), "a free port is taken each time");
}

#[test]
fn a_public_address_stands_in_what_is_shown() {
    let installation = Installation::embedded();
    let told = answer(
        installation
            .command()
            .args(["tenant", "add", "acme", "--json"])
            .env("LOCKSTEP_PUBLIC_URL", "https://scim.example.com/"),
    );
    assert_eq!(told.json()["scim_url"], "https://scim.example.com/t/acme/scim/v2");
    let fallback = installation.json(&["tenant", "list"]);
    assert_eq!(fallback[0]["scim_url"], "http://127.0.0.1:8080/t/acme/scim/v2");
}

#[test]
fn a_backup_is_a_whole_installation() {
    let installation = Installation::embedded();
    let _serving = installation.serve();
    installation.json(&["user", "add", "ann@contoso.example"]);
    let copy = installation.path("copy");
    let folder = copy.to_str().unwrap();
    installation.json(&["backup", folder]);
    installation.run(&["backup", folder]).refused(1, "is not overwritten");
    let from_copy = answer(installation.bare().args(["--data", folder, "user", "list", "--json"]));
    assert_eq!(from_copy.json()[0]["userPrincipalName"], "ann@contoso.example");
    let doctor = answer(installation.bare().args(["--data", folder, "doctor", "--json"]));
    assert_eq!(doctor.json()["problems"], 0, "{doctor:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let installation = Installation::embedded();
    let mut child =
        installation.command().args(["app", "gallery"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success() && ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn completions_are_scripts() {
    let installation = Installation::embedded();
    for shell in ["bash", "zsh", "fish"] {
        let script = answer(installation.bare().args(["completions", shell]));
        assert!(script.code == 0 && script.out.contains("test-connection"), "{shell}");
    }
    assert!(!installation.path("lockstep-data").exists(), "completions touch no data");
}

/// TI-08, AU-12.
#[test]
fn requests_of_a_tenant_are_found_and_go_with_it() {
    for installation in Installation::each() {
        let serving = installation.serve();
        let (acme, other) =
            (Tenant::add(&installation, "acme", "generic"), Tenant::add(&installation, "other", "generic"));
        let set = installation.json(&["tenant", "set", "acme", "--requests-per-second", "900", "--log-bodies", "on"]);
        assert_eq!((&set["requests_per_second"], &set["log_bodies"]), (&900.into(), &true.into()));
        let token = &acme.token;
        for (path, token, status) in [
            (acme.path("/Users"), Some(&acme.token), 200),
            (acme.path("/Nothing"), Some(&acme.token), 404),
            (acme.path(&format!("/Users?access_token={token}")), None, 401),
            (other.path("/Groups"), Some(&other.token), 200),
        ] {
            assert_eq!(serving.get(&path, token.map(String::as_str)).0, status, "{path}");
        }
        assert!(serving.terminate().success());
        let told = |arguments: &[&str]| -> Vec<(u64, String)> {
            let shown = installation.run(&[&["tenant", "requests"], arguments, &["--json"]].concat()).json_lines();
            shown
                .iter()
                .map(|line| (line["status"].as_u64().unwrap(), line["path"].as_str().unwrap().to_owned()))
                .collect()
        };
        let one = |status, path: &str| (status, path.to_owned());
        let all = [
            one(401, &acme.path("/Users?access_token=***")),
            one(404, &acme.path("/***")),
            one(200, &acme.path("/Users")),
        ];
        assert_eq!(told(&["acme"]), all);
        assert_eq!(told(&["acme", "--status", "4xx", "--limit", "1"]), all[..1]);
        assert_eq!(
            told(&["acme", "--caller", "entra", "--path", "/***", "--since", "1h", "--method", "get"]),
            all[1..2]
        );
        assert_eq!(told(&["other"]), [one(200, &other.path("/Groups"))]);
        let shown = installation.run(&["tenant", "requests", "acme"]);
        assert!(shown.out.contains("entra") && !shown.out.contains(token.as_str()), "{shown:?}");
        installation.run(&["tenant", "requests", "acme", "--caller", "entr"]).refused(1, "no token and no client");
        installation.run(&["tenant", "requests", "acme", "--status", "999"]).refused(2, "--status");
        installation.run(&["tenant", "requests", "acme", "--since", "soon"]).refused(2, "--since");
        installation.run(&["tenant", "requests", "nobody"]).refused(1, "nobody");
        installation.json(&["tenant", "remove", "acme", "--yes"]);
        let folders = std::fs::read_dir(installation.data().join("requests")).unwrap();
        assert_eq!(folders.count(), 1, "the log goes with its tenant");
    }
}

#[test]
fn metrics_have_an_address_of_their_own() {
    let installation = Installation::embedded();
    installation.json(&["tenant", "list"]);
    std::fs::write(installation.data().join("lockstep.toml"), "[metrics]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let serving = installation.serve();
    assert_eq!(serving.get("/metrics", None).0, 404);
    assert_eq!(serving.get("/readyz", None).0, 200);
}
