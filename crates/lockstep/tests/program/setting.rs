//! `app set` and `unassign`: what they refuse, what they leave as it is, and whose accounts they give up.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::configuring::with_application;
use crate::installation::Installation;

#[test]
fn nobody_is_shown_mappings_that_would_be_refused() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let before = installation.json(&["app", "show", "CRM"]);
    let shown = installation.run(&["mapping", "show"]).out;
    for (name, text, words) in [
        ("attribute", shown.replace("\"[jobTitle]\"", "\"[jobTitel]\""), "did you mean `jobTitle`?"),
        ("matching", shown.replace(", matchingPriority = 1", ""), "matches"),
    ] {
        let file = installation.file(name, text);
        let refused = installation.run(&["app", "set", "CRM", "--mappings", &file]);
        refused.refused(2, words);
        assert_eq!(refused.out, "", "{name}");
    }
    let other = installation.file("other", shown.replace("\"[jobTitle]\"", "\"[city]\""));
    let refused = installation.run(&["app", "set", "CRM", "--mappings", &other, "--interval", "0"]);
    refused.refused(2, "the interval must be");
    assert_eq!(refused.out, "");
    assert_eq!(installation.json(&["app", "show", "CRM"]), before);
}

#[test]
fn the_same_mappings_change_nothing() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    installation.json(&["sync", "CRM"]);
    let same = installation.file("same.toml", installation.run(&["mapping", "show"]).out);
    let before = installation.json(&["audit", "--limit", "0"]);
    let set = installation.run(&["app", "set", "CRM", "--mappings", &same]);
    assert_eq!((set.code, set.out.as_str()), (0, "Application CRM has these mappings already; nothing was changed\n"));
    assert_eq!(installation.json(&["audit", "--limit", "0"]), before);
    installation.json(&["app", "set", "CRM", "--mappings", &same, "--interval", "60"]);
    assert_eq!(installation.json(&["audit", "--limit", "1"])[0]["detail"], json!({ "settings": ["intervalSeconds"] }));
    assert_eq!(installation.json(&["sync", "CRM"])["cycle"], "incremental");
    assert_eq!(installation.json(&["mapping", "versions"]).as_array().map(Vec::len), Some(1));
}

#[test]
fn another_server_is_not_sent_the_token_of_the_first() {
    let installation = Installation::embedded();
    let (_serving, tenant) = with_application(&installation);
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let before = installation.json(&["app", "show", "CRM"]);
    let elsewhere = format!("http://{}/scim", other.local_addr().unwrap());
    let by_name = tenant.url.replace("127.0.0.1", "localhost");
    let encrypted = tenant.url.replace("http://", "https://");
    for url in [&elsewhere, &by_name, &encrypted] {
        let refused = installation.run(&["app", "set", "CRM", "--tenant-url", url, "--interval", "60"]);
        refused.refused(2, "the stored one is not sent there; name its file with --secret-token-file FILE");
    }
    assert!(other.accept().is_err(), "the other server was asked");
    assert_eq!(installation.json(&["app", "show", "CRM"]), before);
    // Another path of the same server is asked with the token that it was given for.
    let below = format!("{}/nothing/here", tenant.url);
    installation.run(&["app", "set", "CRM", "--tenant-url", &below]).refused(1, "Tenant URL");
    let moved = ["app", "set", "CRM", "--tenant-url", &by_name, "--secret-token-file", &tenant.token_file];
    let moved: Value = installation.json(&moved);
    assert_eq!(moved["tenantUrl"], by_name.as_str());
}

/// Ben is assigned through Sales, and Cid, who has an account as well, is not assigned.
fn with_accounts(installation: &Installation) {
    installation.json(&["user", "add", "cid@contoso.example", "--display-name", "cid"]);
    installation.json(&["group", "members", "add", "Sales", "ben@contoso.example"]);
    installation.json(&["assign", "CRM", "--group", "Sales"]);
    installation.json(&["app", "set", "CRM", "--scope", "all"]);
    installation.json(&["sync", "CRM"]);
}

#[test]
fn whose_accounts_settings_give_up_is_told_before() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    with_accounts(&installation);
    let words = "1 user would leave the scope and lose the account: cid@contoso.example";
    let set = installation.run(&["app", "set", "CRM", "--scope", "assigned"]);
    assert_eq!(set.code, 0, "a script is not asked: {set:?}");
    assert!(set.out.starts_with(&format!("WARNING: {words}\nApplication CRM was changed\n")), "{set:?}");
    let set = installation.json(&["app", "set", "CRM", "--scope", "all"]);
    assert_eq!(set["warnings"], Value::Null, "nobody leaves");
    let set = installation.json(&["app", "set", "CRM", "--scope", "assigned", "--interval", "60"]);
    assert_eq!(set["warnings"], json!([words]));
    installation.json(&["sync", "CRM"]);
    let set = installation.json(&["app", "set", "CRM", "--exclude-default-access", "true"]);
    let words = "2 users would leave the scope and lose their accounts: ann@contoso.example, ben@contoso.example";
    assert_eq!(set["warnings"], json!([words]));
    assert_eq!(installation.json(&["sync", "CRM"])["disabled"], 2);
}

#[test]
fn whose_accounts_unassigning_gives_up_is_told_before() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    with_accounts(&installation);
    let none = installation.json(&["unassign", "CRM", "--user", "ann@contoso.example"]);
    assert_eq!((&none["changed"], &none["warnings"]), (&json!(1), &json!([])), "all are in scope");
    installation.json(&["assign", "CRM", "--user", "ann@contoso.example"]);
    installation.json(&["app", "set", "CRM", "--scope", "assigned"]);
    installation.json(&["sync", "CRM"]);
    let told = [
        "1 user would leave the scope and lose the account: ben@contoso.example",
        "1 group would leave the scope and lose the account: Sales",
    ];
    let text =
        installation.run(&["config", "export"]).out.replace("groups = [\n  { name = \"Sales\" },\n]", "groups = []");
    let file = installation.file("crm.toml", text);
    let expected = json!(["1 group would no longer be assigned to CRM: Sales", told[0], told[1]]);
    assert_eq!(installation.json(&["config", "diff", &file])[0]["warnings"], expected);
    let unassigned = installation.run(&["unassign", "CRM", "--group", "Sales"]);
    let end = "1 user or group no longer assigned to CRM\n";
    assert_eq!(unassigned.out, format!("WARNING: {}\nWARNING: {}\n{end}", told[0], told[1]));
    let ann = installation.json(&["unassign", "CRM", "--user", "ann@contoso.example"]);
    assert_eq!(ann["warnings"], json!(["1 user would leave the scope and lose the account: ann@contoso.example"]));
    installation.run(&["unassign", "CRM", "--group", "Nobody"]).refused(1, "no group is named");
    let unknown = ["unassign", "CRM", "--group", "Sales", "--role", "Guest"];
    installation.run(&unknown).refused(1, "Guest");
    assert_eq!(installation.json(&["sync", "CRM"])["disabled"], 2);
}
