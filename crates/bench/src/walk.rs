//! A walk through all users of a tenant, page after page, by index (RFC 7644 §3.4.2.4) and by cursor (RFC 9865 §2): how long each page
//! took. What is held against what is decided in `scale`.

use std::time::Instant;

use anyhow::Context as _;
use serde::Deserialize;

use crate::figures::median;
use crate::line::Line;
use crate::scim::Endpoint;

/// Users of one page.
pub const PAGE: usize = 100;
/// Pages at each end of a walk whose median is compared.
const END_PAGES: usize = 100;

/// How the next page is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By the number of its first user.
    Index,
    /// By what the page before says.
    Cursor,
}

/// What a walk came to.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// Users seen.
    pub users: usize,
    /// Seconds of the whole.
    pub seconds: f64,
    /// Seconds of a page at the beginning and at the end.
    pub ends: [f64; 2],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    total_results: usize,
    next_cursor: Option<String>,
    #[serde(rename = "Resources", default)]
    resources: Vec<serde::de::IgnoredAny>,
}

/// Walks to the end, or past `users_max` users, where something is wrong.
pub fn walk(endpoint: &Endpoint, way: Way, users_max: usize) -> anyhow::Result<Walk> {
    let mut line = Line::open(endpoint)?;
    let (mut users, mut pages, mut cursor) = (0, Vec::new(), String::new());
    let begun = Instant::now();
    loop {
        let at = match way {
            Way::Index => format!("startIndex={}", users + 1),
            Way::Cursor => format!("cursor={cursor}"),
        };
        let asked = Instant::now();
        let (status, body) = line.call("GET", &format!("/Users?{at}&count={PAGE}"), None)?;
        pages.push(asked.elapsed().as_secs_f64());
        let said = || String::from_utf8_lossy(&body).chars().take(200).collect::<String>();
        anyhow::ensure!(status == 200, "page {} was answered with {status}: {}", pages.len(), said());
        let page: Page = serde_json::from_slice(&body).context("a page is no list")?;
        users += page.resources.len();
        anyhow::ensure!(users <= users_max, "the walk does not end");
        let is_last = match way {
            Way::Index => users >= page.total_results || page.resources.is_empty(),
            Way::Cursor => page.next_cursor.is_none(),
        };
        if is_last {
            break;
        }
        cursor = page.next_cursor.unwrap_or_default();
    }
    let seconds = begun.elapsed().as_secs_f64();
    // The very last page may be short, and the very first is read cold.
    let whole = pages.get(1..pages.len().saturating_sub(1)).unwrap_or_default();
    let count = END_PAGES.min(whole.len() / 2);
    let first = median(whole.iter().take(count).copied());
    let last = median(whole.iter().rev().take(count).copied());
    Ok(Walk { users, seconds, ends: [first, last] })
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use super::{Way, walk};
    use crate::scim::Endpoint;

    /// What a walk asks of a server that gives these pages on one connection, and what it comes to.
    fn walked(way: Way, pages: &'static [&'static str]) -> (Vec<String>, anyhow::Result<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            for page in pages {
                let mut part = [0; 4096];
                let count = stream.read(&mut part).unwrap();
                let request = String::from_utf8_lossy(&part[..count]).into_owned();
                asked.push(request.split(' ').nth(1).unwrap().to_owned());
                write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{page}", page.len()).unwrap();
            }
            asked
        });
        let endpoint = Endpoint { address, base: String::new(), token: "t".to_owned() };
        let outcome = walk(&endpoint, way, 3).map(|walk| walk.users);
        (server.join().unwrap(), outcome)
    }

    #[test]
    fn pages_follow_each_other() {
        let (asked, users) = walked(
            Way::Index,
            &[r#"{"totalResults":3,"Resources":[{},{}]}"#, r#"{"totalResults":3,"Resources":[{}]}"#],
        );
        assert_eq!((asked[1].as_str(), users.unwrap()), ("/Users?startIndex=3&count=100", 3));
        let (asked, users) = walked(
            Way::Cursor,
            &[r#"{"totalResults":2,"nextCursor":"n","Resources":[{}]}"#, r#"{"totalResults":2,"Resources":[{}]}"#],
        );
        assert_eq!(asked, ["/Users?cursor=&count=100", "/Users?cursor=n&count=100"]);
        assert_eq!(users.unwrap(), 2);
    }

    #[test]
    fn a_walk_has_an_end() {
        let (_, outcome) = walked(Way::Cursor, &[r#"{"totalResults":9,"nextCursor":"n","Resources":[{},{},{},{}]}"#]);
        assert_eq!(outcome.unwrap_err().to_string(), "the walk does not end");
    }
}
