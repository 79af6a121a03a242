//! Ctrl+C in the midst of long work: it ends in order, says so, and what was left follows the next time.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use crate::installation::{Installation, holds_none};

/// Presses Ctrl+C.
fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

fn importing(installation: &Installation, input: Stdio) -> Child {
    let mut command = installation.command();
    command.args(["import", "users", "-"]).stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// More than the beginning of an input that is looked at first, and more than one batch.
fn rows() -> String {
    let note = "x".repeat(2 << 10);
    let row = |number| format!("user{number}@contoso.example,User {number},{note}\n");
    std::iter::once("userPrincipalName,displayName,note\n".to_owned()).chain((0..700).map(row)).collect()
}

/// Each look takes a process of its own; a batch takes much less than all of them.
fn wait_for_a_batch(installation: &Installation) {
    let arrived =
        (0..500).any(|_| !installation.json(&["user", "list", "--limit", "1"]).as_array().unwrap().is_empty());
    assert!(arrived);
}

#[test]
fn an_import_that_is_stopped_keeps_what_it_has() {
    let installation = Installation::embedded();
    let mut child = importing(&installation, Stdio::piped());
    let mut input = child.stdin.take().unwrap();
    input.write_all(rows().as_bytes()).unwrap();
    wait_for_a_batch(&installation);
    interrupt(&child);
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("the import was stopped after ") && told.contains("import the file again"), "{told}");
    drop(input);
    assert_eq!(installation.json(&["user", "list", "--limit", "0"]).as_array().unwrap().len(), 500);
}

#[test]
fn an_import_whose_input_breaks_off_says_how_far_it_came() {
    let installation = Installation::embedded();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut theirs = listener.accept().unwrap().0;
    // A connection that is closed with something unread is reset, which fails the read at its other end.
    theirs.write_all(b"x").unwrap();
    let child = importing(&installation, OwnedFd::from(theirs).into());
    ours.write_all(rows().as_bytes()).unwrap();
    wait_for_a_batch(&installation);
    drop(ours);
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains("the import ended after 500 rows: ") && told.contains("and the rest follows"), "{told}");
    let audit = installation.json(&["audit", "--limit", "1"]);
    assert_eq!(audit[0]["detail"], serde_json::json!({ "stopped": true, "read": 500 }), "{audit}");
}

/// Reads a request; gives its first line.
fn request(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let (mut first, mut length) = (String::new(), 0);
    stream.read_line(&mut first).ok().filter(|read| *read > 0)?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
    }
    std::io::copy(&mut stream.take(length), &mut std::io::sink()).ok()?;
    Some(first)
}

/// An application that knows nobody. It tells of each create, and answers it when it is allowed to.
fn slow_application(created: mpsc::Sender<()>, go_on: mpsc::Receiver<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/scim", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let Some(first) = request(&mut stream) else { continue };
            let (status, body) = if first.starts_with("POST") {
                // Either side may be gone when the test has ended.
                let _ = created.send(());
                let _ = go_on.recv();
                ("201 Created", r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"1"}"#)
            } else {
                let schemas = r#"["urn:ietf:params:scim:api:messages:2.0:ListResponse"]"#;
                ("200 OK", &*format!(r#"{{"schemas":{schemas},"totalResults":0,"Resources":[]}}"#))
            };
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n", body.len());
            let kind = "Content-Type: application/scim+json\r\n\r\n";
            drop(stream.get_mut().write_all(format!("{head}{kind}{body}").as_bytes()));
        }
    });
    url
}

#[test]
fn a_cycle_that_is_stopped_ends_what_it_has_begun() {
    let installation = Installation::embedded();
    let ((created, is_created), (allow, go_on)) = (mpsc::channel(), mpsc::channel());
    let url = slow_application(created, go_on);
    let token = installation.file("token", "secret");
    for name in ["ann", "ben", "cho"] {
        installation.json(&["user", "add", &format!("{name}@contoso.example")]);
    }
    let add = ["app", "add", "--template", "scim", "--name", "Slow", "--tenant-url", &url, "--scope", "all"];
    installation.json(&[&add[..], &["--secret-token-file", &token]].concat());
    installation.json(&["app", "set", "Slow", "--concurrency", "1"]);
    let mut child =
        installation.command().args(["sync", "Slow"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    is_created.recv().unwrap();
    interrupt(&child);
    let mut told = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    told.read_line(&mut line).unwrap();
    assert_eq!(line, "note: stopping after what is under way; Ctrl+C again stops at once\n");
    allow.send(()).unwrap();
    line.clear();
    told.read_line(&mut line).unwrap();
    assert_eq!(line, "error: the cycle was stopped with the program; the next one goes on where it stood\n");
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let status = installation.json(&["status", "Slow"]);
    assert_eq!((&status[0]["running"], &status[0]["users"]["linked"]), (&false.into(), &1.into()), "{status}");
    assert_eq!(status[0]["lastCycle"]["state"], "interrupted", "{status}");
}

#[test]
fn a_demo_that_is_stopped_leaves_nothing_behind() {
    let installation = Installation::embedded();
    let mut child = installation.bare().arg("demo").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let addresses: Vec<String> = lines.by_ref().take_while(|line| line != "Stop it with Ctrl+C.").collect();
    let served = addresses.iter().find_map(|line| {
        let mut words = line.split_whitespace().rev();
        let (token, url) = (words.next()?, words.next()?);
        token.starts_with("lst_").then(|| (url.to_owned(), token.to_owned()))
    });
    let (url, token) = served.unwrap();
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    assert_eq!(crate::installation::get(address, &format!("/{path}/Users?count=1"), Some(&token)).0, 200);
    interrupt(&child);
    assert!(child.wait().unwrap().success(), "it was asked to serve until stopped");
    assert!(holds_none(&installation.path(""), "lockstep-demo-"), "the demo's folder is gone");
}
