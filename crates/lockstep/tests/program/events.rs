//! What changes in a tenant, by command and by webhook, with the real program.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::installation::{Installation, Serving, Tenant, send};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

fn write(serving: &Serving, tenant: &Tenant, what: &str, path: &str, body: &Value) -> (u16, String) {
    let headers = format!("Authorization: Bearer {}\r\nContent-Type: application/scim+json\r\n", tenant.token);
    let body = if body.is_null() { String::new() } else { body.to_string() };
    send(&serving.address, &format!("{what} {}", tenant.path(path)), &headers, &body)
}

fn user(serving: &Serving, tenant: &Tenant, name: &str) -> String {
    let (status, body) = write(serving, tenant, "POST", "/Users", &json!({ "schemas": [USER], "userName": name }));
    assert_eq!(status, 201, "{body}");
    let made: Value = serde_json::from_str(&body).unwrap();
    format!("/Users/{}", made["id"].as_str().unwrap())
}

fn disable(serving: &Serving, tenant: &Tenant, path: &str) {
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    assert_eq!(write(serving, tenant, "PATCH", path, &body).0, 200);
}

#[test]
fn events_are_shown_by_command() {
    for installation in Installation::each() {
        let serving = installation.serve();
        let tenant = Tenant::add(&installation, "acme", "generic");
        let none = installation.run(&["tenant", "events", "acme"]);
        assert!(none.out.contains("No events"), "{none:?}");
        let early = installation.run(&["tenant", "events", "acme", "--after", "5"]);
        assert!(early.out.contains("after number 5: there was none yet"), "{early:?}");
        let ada = user(&serving, &tenant, "ada");
        disable(&serving, &tenant, &ada);
        user(&serving, &tenant, "bob");
        let table = installation.run(&["tenant", "events", "acme"]).out;
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[0].starts_with("NUMBER  TIME") && lines.len() == 4, "{table}");
        for (line, words) in [(1, ["created", "ada"]), (2, ["changed, deactivated", "active"]), (3, ["created", "bob"])]
        {
            assert!(words.iter().all(|word| lines[line].contains(word)), "{table}");
        }
        assert_eq!(write(&serving, &tenant, "DELETE", &ada, &Value::Null).0, 204);
        let lines = installation.run(&["tenant", "events", "acme", "--after", "1", "--json"]).json_lines();
        assert_eq!(lines.iter().map(|line| line["number"].clone()).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(lines[2]["event"]["events"], json!({ "urn:ietf:params:scim:event:prov:delete": {} }));
        assert_eq!(lines[2]["event"]["sub_id"]["uri"], ada);
        let beyond = "No events after number 40: the last is number 4\n";
        for (after, told, noted) in [("4", "No events\n", ""), ("40", beyond, beyond)] {
            let after = ["tenant", "events", "acme", "--after", after];
            assert_eq!(installation.run(&after).out, told);
            let lines = installation.run(&[&after[..], &["--json"]].concat());
            assert_eq!((lines.code, lines.out.as_str()), (0, ""), "no event, no line");
            assert!(lines.err.ends_with(noted) && lines.err.is_empty() == noted.is_empty(), "{lines:?}");
        }
        let latest = installation.run(&["tenant", "events", "acme", "--limit", "1", "--full", "--json"]).json_lines();
        assert_eq!((latest.len(), &latest[0]["number"]), (1, &json!(4)));
        let first = installation.run(&["tenant", "events", "acme", "--after", "0", "--limit", "2"]);
        assert!(first.err.contains("there are more"), "{first:?}");
        installation.run(&["tenant", "events", "acne"]).refused(1, "did you mean \"acme\"?");
    }
}

#[test]
fn whoever_follows_hears_what_comes() {
    let installation = Installation::embedded();
    let serving = installation.serve();
    let tenant = Tenant::add(&installation, "acme", "generic");
    user(&serving, &tenant, "ada");
    let mut command = installation.command();
    let follow = ["tenant", "events", "acme", "--follow", "--json"];
    let mut child = command.args(follow).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    user(&serving, &tenant, "bob");
    let second: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!((&first["number"], &second["number"]), (&json!(1), &json!(2)));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert!(child.wait().unwrap().success(), "Ctrl+C is how it ends");
}

/// Takes one request, and answers that it was taken; gives its head and its claims.
fn receive(listener: &TcpListener) -> (String, Value) {
    let (stream, _) = listener.accept().unwrap();
    let mut stream = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut head).unwrap(), 0, "{head}");
    }
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap()];
    stream.read_exact(&mut body).unwrap();
    let stream: &mut TcpStream = stream.get_mut();
    stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}

#[test]
fn a_webhook_hears_at_once_who_is_switched_off() {
    for installation in Installation::each() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let serving = installation.serve();
        let tenant = Tenant::add(&installation, "acme", "generic");
        let ada = user(&serving, &tenant, "ada");
        let hook = ["tenant", "webhook"];
        let add = [&hook[..], &["add", "acme", "app", "--url", &url, "--events", "deactivate,delete"]].concat();
        let added = installation.json(&add);
        let secret = added["secret"].as_str().unwrap().to_owned();
        assert!(secret.starts_with("whsec_"), "{added}");
        installation.run(&add).refused(1, "has a webhook named \"app\"");
        disable(&serving, &tenant, &ada);
        let (head, claims) = receive(&listener);
        assert!(head.starts_with("POST /hook HTTP/1.1") && head.contains("webhook-signature: v1,"), "{head}");
        assert_eq!((&claims["aud"], &claims["sub_id"]["uri"]), (&json!(url), &json!(ada)));
        assert!(claims["events"].get("urn:ietf:params:scim:event:prov:deactivate").is_some(), "{claims}");
        // The program that runs does not know of a command, and goes on all the same.
        installation.json(&[&hook[..], &["pause", "acme", "app"]].concat());
        assert_eq!(write(&serving, &tenant, "DELETE", &ada, &Value::Null).0, 204);
        let shown = installation.json(&[&hook[..], &["show", "acme", "app"]].concat());
        assert_eq!(shown["paused"], "by an administrator", "{shown}");
        let list = installation.run(&[&hook[..], &["list", "acme"]].concat());
        assert!(list.out.contains("paused") && !list.out.contains(&secret), "{list:?}");
        assert!(serving.terminate().success(), "what is being sent is finished first");
        let _serving = installation.serve();
        installation.json(&[&hook[..], &["resume", "acme", "app"]].concat());
        let (_, claims) = receive(&listener);
        assert_eq!(claims["events"], json!({ "urn:ietf:params:scim:event:prov:delete": {} }));
        let receiver = std::thread::spawn(move || receive(&listener));
        let tested = installation.json(&[&hook[..], &["test", "acme", "app"]].concat());
        assert_eq!(tested["taken"], true, "{tested}");
        receiver.join().unwrap();
        let refused = installation.run(&[&hook[..], &["test", "acme", "app"]].concat());
        assert!(refused.code == 1 && refused.out.contains("nothing answers"), "{refused:?}");
        installation.json(&[&hook[..], &["remove", "acme", "app"]].concat());
        installation.run(&[&hook[..], &["show", "acme", "app"]].concat()).refused(1, "lockstep tenant webhook list");
        let bad = [&hook[..], &["add", "acme", "app", "--url", "ftp://x/"]].concat();
        installation.run(&bad).refused(2, "begins with https://");
        let typo = [&hook[..], &["add", "acme", "app", "--url", &url, "--types", "Users"]].concat();
        installation.run(&typo).refused(2, "no resource type \"Users\"; there are User, Group");
        let metadata = [&hook[..], &["add", "acme", "app", "--url", "https://169.254.169.254/"]].concat();
        installation.run(&metadata).refused(2, "nothing could be sent to 169.254.169.254");
    }
}
