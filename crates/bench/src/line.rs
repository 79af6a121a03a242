//! One connection to a server, kept open, for what is asked one thing after the other: walks through lists, and callers that race.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::Context as _;

use crate::load::response;
use crate::scim::Endpoint;

/// How long the server may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A connection.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    authorization: String,
    base: String,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Line {
    /// Connects to an endpoint.
    pub fn open(endpoint: &Endpoint) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(endpoint.address).context("the server does not answer")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        let authorization = format!("authorization: Bearer {}\r\n", endpoint.token);
        Ok(Self { address: endpoint.address, authorization, base: endpoint.base.clone(), stream, buffer: Vec::new() })
    }

    /// Sends a request and waits for its answer: the status and the body.
    pub fn call(&mut self, method: &str, below: &str, body: Option<&str>) -> anyhow::Result<(u16, Vec<u8>)> {
        let Self { address, authorization, base, stream, buffer } = self;
        let content = body.map_or_else(String::new, |body| {
            format!("content-type: application/scim+json\r\ncontent-length: {}\r\n", body.len())
        });
        let body = body.unwrap_or_default();
        let request =
            format!("{method} {base}{below} HTTP/1.1\r\nhost: {address}\r\n{authorization}{content}\r\n{body}");
        stream.write_all(request.as_bytes())?;
        buffer.clear();
        let mut part = [0; 16 << 10];
        let mut head = None;
        loop {
            let count = stream.read(&mut part).context("the server does not answer")?;
            anyhow::ensure!(count > 0, "the server closed the connection");
            buffer.extend_from_slice(&part[..count]);
            if head.is_none() {
                head = response::head(buffer)?;
            }
            if let Some(head) = head
                && head.end(buffer)?.is_some()
            {
                return Ok((head.status, head.body(buffer).into_owned()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::Line;
    use crate::scim::Endpoint;

    #[test]
    fn a_connection_serves_one_request_after_the_other() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut seen = String::new();
            for answer in ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "HTTP/1.1 204 No Content\r\n\r\n"] {
                let mut part = [0; 4096];
                let count = stream.read(&mut part).unwrap();
                seen.push_str(std::str::from_utf8(&part[..count]).unwrap());
                stream.write_all(answer.as_bytes()).unwrap();
            }
            seen
        });
        let mut line = Line::open(&Endpoint { address, base: "/v2".to_owned(), token: "t".to_owned() }).unwrap();
        assert_eq!(line.call("POST", "/Users", Some("{}")).unwrap(), (200, b"ok".to_vec()));
        assert_eq!(line.call("DELETE", "/Users/a", None).unwrap(), (204, Vec::new()));
        assert!(line.call("GET", "/Users", None).is_err());
        let seen = server.join().unwrap();
        assert!(
            seen.starts_with("POST /v2/Users HTTP/1.1\r\n") && seen.contains("\r\n\r\n{}DELETE /v2/Users/a "),
            "{seen}"
        );
    }
}
