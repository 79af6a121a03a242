//! The requests of a load: one template, filled in for each number. Sending them is the business of `connection`.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::random::mixed;

/// Which subject a request gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// The subjects one after the other, then again from the first.
    #[default]
    InTurn,
    /// Any, the same in each run.
    Mixed,
}

/// What every request of a load looks like. `path` and `body` may hold places that each request fills in:
/// `{number}` its own number, `{subject}` one of `subjects`, `{flag}` `false` in the first round through the subjects,
/// `true` in the second, and so on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// `GET`, `POST`, `PATCH`, …
    pub method: String,
    /// The path with its query, percent-encoded.
    pub path: String,
    /// The bearer token, when one is needed.
    pub token: Option<String>,
    /// The body, sent as `application/scim+json`.
    pub body: Option<String>,
    /// What the requests are about, such as the ids of users.
    pub subjects: Vec<String>,
    /// How a request comes to its subject.
    pub order: Order,
}

/// A [`Request`] taken apart, so that rendering copies bytes only.
#[derive(Debug)]
pub struct Template {
    line: Vec<Piece>,
    headers: Vec<u8>,
    body: Option<Vec<Piece>>,
    subjects: Vec<String>,
    order: Order,
}

#[derive(Debug)]
enum Piece {
    Text(Vec<u8>),
    Place(Place),
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Number,
    Subject,
    Flag,
}

const PLACES: [(&str, Place); 3] =
    [("{number}", Place::Number), ("{subject}", Place::Subject), ("{flag}", Place::Flag)];

impl Template {
    /// Prepares the requests of a load to the server at `address`.
    pub fn new(request: Request, address: SocketAddr) -> Self {
        let Request { method, path, token, body, subjects, order } = request;
        let authorization = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
        let mut headers = format!(" HTTP/1.1\r\nhost: {address}\r\naccept: application/scim+json\r\n{authorization}");
        if body.is_some() {
            headers.push_str("content-type: application/scim+json\r\n");
        }
        Self {
            line: pieces(&format!("{method} {path}")),
            headers: headers.into_bytes(),
            body: body.map(|body| pieces(&body)),
            subjects,
            order,
        }
    }

    /// Writes request `number` into `out`, whose former content goes; `scratch` is room for the body.
    pub fn render(&self, number: u64, out: &mut Vec<u8>, scratch: &mut Vec<u8>) {
        out.clear();
        self.fill(&self.line, number, out);
        out.extend_from_slice(&self.headers);
        if let Some(body) = &self.body {
            scratch.clear();
            self.fill(body, number, scratch);
            out.extend_from_slice(b"content-length: ");
            out.extend_from_slice(scratch.len().to_string().as_bytes());
            out.extend_from_slice(b"\r\n\r\n");
            out.extend_from_slice(scratch);
        } else {
            out.extend_from_slice(b"\r\n");
        }
    }

    fn fill(&self, pieces: &[Piece], number: u64, out: &mut Vec<u8>) {
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Place(Place::Number) => out.extend_from_slice(number.to_string().as_bytes()),
                Piece::Place(Place::Subject) => out.extend_from_slice(self.subject(number).as_bytes()),
                Piece::Place(Place::Flag) => {
                    let even = self.round(number).is_multiple_of(2);
                    out.extend_from_slice(if even { b"false" } else { b"true" });
                }
            }
        }
    }

    fn subject(&self, number: u64) -> &str {
        let spread = match self.order {
            Order::InTurn => number,
            Order::Mixed => mixed(number),
        };
        let at = usize::try_from(spread % self.count()).expect("below the length of a list");
        self.subjects.get(at).map_or("", String::as_str)
    }

    fn round(&self, number: u64) -> u64 {
        number / self.count()
    }

    fn count(&self) -> u64 {
        self.subjects.len().max(1) as u64
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((at, word, place)) = first_place(rest) {
        pieces.push(Piece::Text(rest.as_bytes()[..at].to_vec()));
        pieces.push(Piece::Place(place));
        rest = &rest[at + word.len()..];
    }
    pieces.push(Piece::Text(rest.as_bytes().to_vec()));
    pieces
}

fn first_place(text: &str) -> Option<(usize, &'static str, Place)> {
    let found = PLACES.iter().filter_map(|(word, place)| text.find(word).map(|at| (at, *word, *place)));
    found.min_by_key(|(at, _, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::{Order, Request, Template};

    fn rendered(request: Request, number: u64) -> String {
        let mut out = b"the request before".to_vec();
        let template = Template::new(request, "127.0.0.1:80".parse().unwrap());
        template.render(number, &mut out, &mut Vec::new());
        String::from_utf8(out).unwrap()
    }

    fn subjects() -> Vec<String> {
        ["a", "b"].map(str::to_owned).to_vec()
    }

    #[test]
    fn requests_without_a_body() {
        let request = Request {
            method: "GET".to_owned(),
            path: "/Users/{subject}".to_owned(),
            token: Some("t".to_owned()),
            subjects: subjects(),
            ..Request::default()
        };
        let expected = "GET /Users/b HTTP/1.1\r\nhost: 127.0.0.1:80\r\naccept: application/scim+json\r\nauthorization: Bearer t\r\n\r\n";
        assert_eq!(rendered(request, 3), expected);
    }

    #[test]
    fn places() {
        for (body, number, expected) in [
            (r#"{"userName":"u{number}"}"#, 7, r#"{"userName":"u7"}"#),
            (r#"{"id":"{subject}","active":{flag}}"#, 1, r#"{"id":"b","active":false}"#),
            (r#"{"id":"{subject}","active":{flag}}"#, 2, r#"{"id":"a","active":true}"#),
            ("{number}{number}{other}", 4, "44{other}"),
            ("", 0, ""),
        ] {
            let request = Request {
                method: "POST".to_owned(),
                path: "/".to_owned(),
                body: Some(body.to_owned()),
                subjects: subjects(),
                ..Request::default()
            };
            let text = rendered(request, number);
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert_eq!(body, expected);
            assert!(head.ends_with(&format!("content-length: {}", expected.len())), "{head}");
        }
    }

    #[test]
    fn mixed_subjects_are_the_same_in_each_run() {
        let paths = || {
            let request = Request {
                path: "{subject}".to_owned(),
                subjects: (0..50).map(|number| number.to_string()).collect(),
                order: Order::Mixed,
                ..Request::default()
            };
            (0..20).map(|number| rendered(request.clone(), number)).collect::<Vec<_>>()
        };
        assert_eq!(paths(), paths());
        assert!(paths().windows(2).any(|two| two[0] != two[1]));
    }

    #[test]
    fn a_subject_is_not_needed() {
        let request = Request { path: "/{subject}".to_owned(), ..Request::default() };
        assert!(rendered(request, 1).starts_with(" / HTTP/1.1"));
    }
}
