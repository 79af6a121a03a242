//! What applications get that cannot be worked with: refused when they are saved or tested, in one sentence with the cure.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

use crate::installation::{Installation, Tenant, answer};

/// A server that answers every request with the same text, for as long as the test runs.
fn answers(text: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            drop(stream.read(&mut [0; 4096]));
            drop(stream.write_all(text.as_bytes()));
        }
    });
    address
}

#[test]
fn targets_that_cannot_be_worked_with() {
    let installation = Installation::embedded();
    let serving = installation.serve();
    let tenant = Tenant::add(&installation, "acme", "generic");
    let wrong = installation.file("wrong.token", "lst_wrong");
    let empty = installation.file("empty.token", "\n");
    let page = answers(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\nConnection: close\r\n\r\n<html></html>",
    );
    let elsewhere = format!("http://{}/nothing/here", serving.address);
    let (tls, page) = (tenant.url.replace("http://", "https://"), format!("http://{page}/scim"));
    for (url, file, code, words) in [
        (tenant.url.as_str(), wrong.as_str(), 1, "token"),
        (&tenant.url, &empty, 1, "the secret token is empty"),
        (&tenant.url, "no-such-file", 1, "the secret token in no-such-file cannot be read: there is no such file"),
        ("ftp://app.example.com", &tenant.token_file, 2, "https://"),
        ("not an address", &tenant.token_file, 2, "Tenant URL"),
        ("http://127.0.0.1:1/scim", &tenant.token_file, 1, "nothing answers at 127.0.0.1:1"),
        ("http://169.254.169.254/scim", &tenant.token_file, 1, "never dialled"),
        (&elsewhere, &tenant.token_file, 1, "Tenant URL"),
        (&page, &tenant.token_file, 1, "SCIM"),
        (&tls, &tenant.token_file, 1, "encrypted"),
    ] {
        let arguments =
            ["app", "add", "--template", "scim", "--name", "X", "--tenant-url", url, "--secret-token-file", file];
        installation.run(&arguments).refused(code, words);
    }
    installation
        .run(&["app", "add", "--template", "x", "--tenant-url", &tenant.url, "--secret-token-file", &wrong])
        .refused(2, "palo-alto-cie");
    installation
        .run(&["app", "add", "--template", "scim", "--tenant-url", &tenant.url])
        .refused(2, "--secret-token-file");
    assert!(installation.json(&["app", "list"]).as_array().unwrap().is_empty(), "nothing is kept of what was refused");
}

#[test]
fn a_job_is_changed_only_for_the_better() {
    let installation = Installation::embedded();
    let serving = installation.serve();
    let tenant = Tenant::add(&installation, "acme", "generic");
    installation.add_app("scim", "Any", &tenant, &[]);
    assert_eq!(installation.json(&["test-connection", "Any"])["connection"], "ok");
    let token = std::fs::File::open(&tenant.token_file).unwrap();
    let from_pipe =
        answer(installation.command().args(["app", "set", "Any", "--secret-token-file", "-", "--json"]).stdin(token));
    assert_eq!(from_pipe.json()["name"], "Any");
    let nowhere = ["app", "set", "Any", "--tenant-url", "http://127.0.0.1:1/scim", "--secret-token-file"];
    installation.run(&[&nowhere[..], &[&tenant.token_file]].concat()).refused(1, "nothing answers");
    installation.run(&["app", "set", "Any", "--interval", "0"]).refused(2, "interval");
    installation.run(&["app", "set", "Any", "--concurrency", "0"]).refused(2, "concurrency");
    installation.run(&["app", "set", "Any", "--name", ""]).refused(2, "error: --name cannot be empty");
    installation.run(&["app", "set", "Any"]).refused(2, "nothing to change is named");
    assert_eq!(installation.json(&["app", "set", "Any", "--interval", "60", "--name", "Other"])["intervalSeconds"], 60);

    shows_its_timing(&installation);

    let shown = installation.json(&["app", "show", "Other"]);
    let mut mappings = shown["mappings"].clone();
    let same = installation.file("same.json", mappings.to_string());
    installation.json(&["app", "set", "Other", "--mappings", &same]);
    mappings[0]["attributes"][0].as_object_mut().unwrap().remove("source");
    let worse = installation.file("worse.json", mappings.to_string());
    installation.run(&["app", "set", "Other", "--mappings", &worse]).refused(2, "source");
    mappings[0]["attributes"][0]["target"] = "displayName".into();
    mappings[0]["attributes"][0]["source"] = "Apend([givenName], \"x\")".into();
    let mistyped = installation.file("mistyped.json", mappings.to_string());
    let refused = installation.run(&["app", "set", "Other", "--mappings", &mistyped]);
    refused.refused(2, "mistyped.json:1:");
    assert!(refused.err.contains("did you mean `Append`?\n    Apend([givenName], \"x\")\n    ^\n"), "{refused:?}");
    mappings[0]["attributes"][0]["source"] = "[jobTitel]".into();
    let misspelt = installation.file("misspelt.json", mappings.to_string());
    installation.run(&["app", "set", "Other", "--mappings", &misspelt]).refused(2, "did you mean `jobTitle`?");
    let long = installation.file("long.json", " ".repeat((16 << 20) + 1));
    installation.run(&["app", "set", "Other", "--mappings", &long]).refused(2, "more than 16777216 bytes");
    let no_list = installation.file("none.json", "{}");
    installation.run(&["app", "set", "Other", "--mappings", &no_list]).refused(2, "mappings");

    installation.json(&["token", "revoke", "acme", "entra"]);
    installation.run(&["test-connection", "Other"]).refused(1, "token");
    let doctor = installation.run(&["doctor", "--connections", "--json"]);
    assert_eq!((doctor.code, &doctor.any_json()["problems"]), (1, &1.into()), "{doctor:?}");
    installation.run(&["app", "remove", "Other"]).refused(2, "--yes");
    installation.json(&["app", "remove", "Other", "--yes"]);
    drop(serving);
    assert!(installation.json(&["app", "list"]).as_array().unwrap().is_empty());
}

fn shows_its_timing(installation: &Installation) {
    installation.json(&["app", "set", "Other", "--settle", "90", "--request-timeout", "20", "--concurrency", "8"]);
    let shown = installation.json(&["app", "show", "Other"]);
    let timing = ["settleSeconds", "requestTimeoutSeconds", "concurrency"].map(|name| shown[name].as_u64().unwrap());
    assert_eq!(timing, [90, 20, 8]);
    let facts = installation.run(&["app", "show", "Other"]).out;
    let lines = ["settle window", "request timeout", "concurrency", "last cycle", "next run"]
        .map(|name| facts.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim());
    assert_eq!(lines, ["90 seconds", "20 seconds", "8 objects", "none yet", "by command"], "{facts}");
    let audit = installation.json(&["audit", "--limit", "1"]);
    assert_eq!(
        audit[0]["detail"],
        serde_json::json!({"settings": ["concurrency", "requestTimeoutSeconds", "settleSeconds"]})
    );
}

#[test]
fn roles_come_later_and_their_absence_is_told() {
    let installation = Installation::embedded();
    let _serving = installation.serve();
    let tenant = Tenant::add(&installation, "acme", "netskope");
    let add = |name: &str, exclude: &str| {
        installation.add_app("netskope", name, &tenant, &["--exclude-default-access", exclude])
    };
    assert_eq!(add("Open", "false").err, "");
    let added = add("Net", "true");
    assert!(added.err.contains("lockstep app set \"Net\" --role ROLE"), "{added:?}");
    installation.json(&["user", "add", "ann@contoso.example"]);
    let ann = |role: &[&str]| {
        let assigned = installation.run(&[&["assign", "Net", "--user", "ann@contoso.example"], role].concat());
        assert_eq!(assigned.code, 0, "{assigned:?}");
        assigned.err
    };
    assert!(ann(&[]).contains("note: Net has only the role Default Access"));
    installation.json(&["app", "set", "Net", "--role", "Member", "--role", "Guest"]);
    assert!(ann(&[]).contains("assign with --role ROLE"));
    assert_eq!(ann(&["--role", "member"]), "");
    installation.run(&["app", "set", "Net", "--role", "Member"]).refused(1, "another app role has the value");
    installation.run(&["app", "set", "Net", "--remove-role", "Member"]).refused(1, "unassign them first");
    installation.run(&["app", "set", "Net", "--remove-role", "Default Access"]).refused(1, "it stays");
    installation.json(&["app", "set", "Net", "--remove-role", "guest"]);
    let shown = installation.json(&["app", "show", "Net"]);
    assert_eq!(shown["roles"], serde_json::json!(["Default Access", "Member"]));
    let audit = installation.json(&["audit", "--limit", "1"]);
    assert_eq!(audit[0]["target"], "Net");
    assert_eq!(audit[0]["detail"]["removeRoles"], serde_json::json!(["guest"]), "{audit}");
}
