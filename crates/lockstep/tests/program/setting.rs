//! `app set`: what it refuses, and what it leaves as it is.

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
