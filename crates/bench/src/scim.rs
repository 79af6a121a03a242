//! A small SCIM client for what has to be set up before a measurement and looked at after it: one request after the
//! other, blocking. Loads are not made with it.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

use crate::load::response::{self, Head};

/// How long the server may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Resources asked for in one page.
const PAGE: usize = 500;
/// Pages of one list at the most.
const PAGES_MAX: usize = 10_000;

/// A tenant's endpoint with its token.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The server.
    pub address: SocketAddr,
    /// The path before `/Users`.
    pub base: String,
    /// The bearer token.
    pub token: String,
}

impl Endpoint {
    /// The path of something below the endpoint.
    pub fn path(&self, below: &str) -> String {
        format!("{}{below}", self.base)
    }

    /// Sends a request and expects one of the 2xx statuses; `Null` when the answer has no body.
    pub fn call(&self, method: &str, below: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let (status, answer) = request(self.address, method, &self.path(below), Some(&self.token), body)?;
        let said = || String::from_utf8_lossy(&answer).chars().take(500).collect::<String>();
        anyhow::ensure!((200..300).contains(&status), "{method} {below} was answered with {status}: {}", said());
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer).with_context(|| format!("the answer to {method} {below} is not JSON"))
    }

    /// All resources of a kind, page by page (RFC 7644 §3.4.2.4).
    pub fn list(&self, kind: &str) -> anyhow::Result<Vec<Value>> {
        let mut found = Vec::new();
        for _ in 0..PAGES_MAX {
            let start = found.len() + 1;
            let mut page = self.call("GET", &format!("/{kind}?startIndex={start}&count={PAGE}"), None)?;
            let total = page["totalResults"].as_u64().context("a list without totalResults")?;
            let resources = match page["Resources"].take() {
                Value::Array(resources) => resources,
                _ => Vec::new(),
            };
            let is_last = resources.is_empty();
            found.extend(resources);
            if is_last || found.len() as u64 >= total {
                return Ok(found);
            }
        }
        anyhow::bail!("the list of {kind} does not end")
    }
}

/// One request on a connection of its own: the status and the body of its answer.
pub fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&Value>,
) -> anyhow::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).context("the server does not answer")?;
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    stream.set_nodelay(true)?;
    let body = body.map(Value::to_string).unwrap_or_default();
    let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let content = if body.is_empty() {
        String::new()
    } else {
        format!("content-type: application/scim+json\r\ncontent-length: {}\r\n", body.len())
    };
    stream.write_all(
        format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{authorization}{content}\r\n{body}"
        )
        .as_bytes(),
    )?;
    let (head, buffer) = answer(&mut stream)?;
    Ok((head.status, head.body(&buffer).into_owned()))
}

fn answer(stream: &mut TcpStream) -> anyhow::Result<(Head, Vec<u8>)> {
    let mut buffer = Vec::new();
    let mut part = [0; 8 << 10];
    let mut head = None;
    loop {
        let count = stream.read(&mut part).context("the server does not answer")?;
        anyhow::ensure!(count > 0, "the server closed the connection before its answer ended");
        buffer.extend_from_slice(&part[..count]);
        if head.is_none() {
            head = response::head(&buffer)?;
        }
        if let Some(head) = head
            && head.end(&buffer)?.is_some()
        {
            return Ok((head, buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::Endpoint;

    /// An endpoint that gives these answers, one connection after the other.
    fn endpoint(answers: Vec<String>) -> Endpoint {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let _ = stream.read(&mut [0; 4096]).unwrap();
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Endpoint { address, base: "/scim".to_owned(), token: "t".to_owned() }
    }

    fn json(status: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn a_list_is_read_page_by_page() {
        let pages = [
            r#"{"totalResults":3,"Resources":[{"id":"a"},{"id":"b"}]}"#,
            r#"{"totalResults":3,"Resources":[{"id":"c"}]}"#,
        ];
        let found = endpoint(pages.map(|page| json("200 OK", page)).to_vec()).list("Users").unwrap();
        assert_eq!(found.iter().map(|user| user["id"].as_str().unwrap()).collect::<String>(), "abc");
        let none = endpoint(vec![json("200 OK", r#"{"totalResults":0}"#)]).list("Users").unwrap();
        assert_eq!(none.len(), 0);
    }

    #[test]
    fn refusals_are_told_in_the_servers_words() {
        let refusing = endpoint(vec![json("409 Conflict", r#"{"detail":"taken"}"#)]);
        let error = refusing.call("POST", "/Users", Some(&serde_json::json!({}))).unwrap_err().to_string();
        assert_eq!(error, r#"POST /Users was answered with 409: {"detail":"taken"}"#);
        let empty = endpoint(vec!["HTTP/1.1 204 No Content\r\n\r\n".to_owned()]);
        assert!(empty.call("DELETE", "/Users/a", None).unwrap().is_null());
        let silent = endpoint(vec!["HTTP/1.1 200 OK\r\n".to_owned()]);
        assert!(silent.call("GET", "/Users", None).unwrap_err().to_string().contains("before its answer ended"));
    }
}
