//! What is asked of every server, ours and the peers': the same people, the same requests, for the same time.

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::document::person;
use crate::load::{self, Load, Order, Report, Request, Stop};
use crate::run::{Run, progress};
use crate::scim::{self, Endpoint};

/// Connections of every load.
const CONNECTIONS: usize = 8;
/// People before the loads; a tenth of it in a quick run. All but the last sixth are in the group.
const PEOPLE: usize = 12_000;
/// Members in one request, where a group is not made by one.
const MEMBERS_PER_REQUEST: usize = 500;
/// People of one page.
const PAGE: usize = 100;

/// A thing that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Post,
    Filter,
    Get,
    PatchActive,
    List,
    AddMember,
    GetGroup,
}

/// All phases, in the order they are run.
pub const ALL: [Phase; 7] =
    [Phase::Post, Phase::Filter, Phase::Get, Phase::PatchActive, Phase::List, Phase::AddMember, Phase::GetGroup];

impl Phase {
    /// Its name in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Post => "POST /Users",
            Self::Filter => "GET filter userName eq",
            Self::Get => "GET by id",
            Self::PatchActive => "PATCH active",
            Self::List => "list, 100 of a page",
            Self::AddMember => "PATCH, one member more",
            Self::GetGroup => "GET group without members",
        }
    }
}

/// What a server came to in a phase: nothing, where it cannot do what is asked.
pub type Outcome = Result<Report, String>;

/// Runs all phases against a server that begins empty; `members` is how many its group came to have.
pub fn measure(run: &Run, name: &str, endpoint: &Endpoint) -> anyhow::Result<(Vec<(Phase, Outcome)>, usize)> {
    let people = if run.quick { PEOPLE / 10 } else { PEOPLE };
    let load = load(
        endpoint,
        Stop::Requests(people as u64),
        request(endpoint, "POST", "/Users", Some(person("peer")), &[]),
        201,
    );
    let made = load::run(&Load { keep_ids: true, ..load })?;
    anyhow::ensure!(made.ids.len() == people, "{name} made {} of {people} people: {:?}", made.ids.len(), made.trouble);
    progress(&format!("{name}: {people} people, {:.0}/s", made.per_second));
    let group = group(endpoint, &made.ids)?;
    let mut outcomes = Vec::new();
    for phase in ALL {
        let outcome = prepared(phase, endpoint, run.stop(), &made, group.as_ref().map(|(id, _)| id.as_str()));
        let outcome = match outcome {
            Ok(load) => judged(load::run(&load)?, load.expected_status),
            Err(error) => Err(format!("{error:#}")),
        };
        let shown = outcome.as_ref().map_or_else(Clone::clone, |report| format!("{:.0}/s", report.per_second));
        progress(&format!("{name}: {}: {shown}", phase.name()));
        outcomes.push((phase, outcome));
    }
    Ok((outcomes, group.map_or(0, |(_, members)| members)))
}

/// A load of which less than half is answered as it should is no figure.
fn judged(report: Report, expected_status: u16) -> Outcome {
    let good = report.statuses.get(&expected_status).copied().unwrap_or(0);
    if report.requests == 0 || good * 2 < report.requests {
        return Err(report.trouble.unwrap_or_else(|| "no answer in time".to_owned()));
    }
    Ok(report)
}

/// The load of a phase, tried once before: what is answered then tells the status of a good answer.
fn prepared(phase: Phase, endpoint: &Endpoint, stop: Stop, made: &Report, group: Option<&str>) -> anyhow::Result<Load> {
    let ids = made.ids.as_slice();
    let request = match phase {
        Phase::Post => request(endpoint, "POST", "/Users", Some(person("peer")), &[]),
        Phase::Filter => {
            let names: Vec<String> = (0..ids.len()).map(|number| format!("peer.{number}%40contoso.example")).collect();
            request(endpoint, "GET", "/Users?filter=userName%20eq%20%22{subject}%22", None, &names)
        }
        Phase::Get => request(endpoint, "GET", "/Users/{subject}", None, ids),
        Phase::PatchActive => {
            let body = operation(r#"{"op":"replace","path":"active","value":{flag}}"#);
            request(endpoint, "PATCH", "/Users/{subject}", Some(body), ids)
        }
        Phase::List => {
            let starts: Vec<String> = (0..ids.len() / PAGE).map(|page| (page * PAGE + 1).to_string()).collect();
            request(endpoint, "GET", &format!("/Users?startIndex={{subject}}&count={PAGE}"), None, &starts)
        }
        Phase::AddMember => {
            let group = group.context("it has no group")?;
            let body = operation(r#"{"op":"add","path":"members","value":[{"value":"{subject}"}]}"#);
            request(endpoint, "PATCH", &format!("/Groups/{group}"), Some(body), newcomers(ids))
        }
        Phase::GetGroup => {
            let group = group.context("it has no group")?;
            request(endpoint, "GET", &format!("/Groups/{group}?excludedAttributes=members"), None, &[])
        }
    };
    let expected = match phase {
        Phase::Post => 201,
        Phase::Filter | Phase::Get | Phase::List | Phase::GetGroup => 200,
        Phase::PatchActive | Phase::AddMember => status_of_patch(endpoint, phase, group, ids)?,
    };
    // Who is a member already is no change, so nobody joins twice.
    let stop = match stop {
        Stop::Seconds { counted, .. } if phase == Phase::AddMember => {
            Stop::AtMost { requests: newcomers(ids).len() as u64, seconds: counted }
        }
        stop => stop,
    };
    Ok(Load {
        first_number: if phase == Phase::Post { made.next_number } else { 0 },
        ..load(endpoint, stop, request, expected)
    })
}

/// RFC 7644 §3.5.2 leaves the choice of 200 and 204.
fn status_of_patch(endpoint: &Endpoint, phase: Phase, group: Option<&str>, ids: &[String]) -> anyhow::Result<u16> {
    let (first, last) = ids.first().zip(ids.last()).context("nobody was made")?;
    // Both are a change, which some answer otherwise than what is none.
    let (path, operation) = if phase == Phase::PatchActive {
        (format!("/Users/{first}"), json!({ "op": "replace", "path": "active", "value": false }))
    } else {
        let path = format!("/Groups/{}", group.context("it has no group")?);
        (path, json!({ "op": "add", "path": "members", "value": [{ "value": last }] }))
    };
    let (status, said) = patch(endpoint, &path, &operation)?;
    anyhow::ensure!((200..300).contains(&status), "PATCH is answered with {status}: {said}");
    Ok(status)
}

fn patch(endpoint: &Endpoint, below: &str, operation: &Value) -> anyhow::Result<(u16, String)> {
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] });
    let path = endpoint.path(below);
    let (status, said) = scim::request(endpoint.address, "PATCH", &path, Some(&endpoint.token), Some(&body))?;
    Ok((status, String::from_utf8_lossy(&said).chars().take(200).collect()))
}

/// A group of all but the newcomers, as far as the server takes them.
fn group(endpoint: &Endpoint, ids: &[String]) -> anyhow::Result<Option<(String, usize)>> {
    let body = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Everyone" });
    let Ok(made) = endpoint.call("POST", "/Groups", Some(&body)) else { return Ok(None) };
    let id = made["id"].as_str().context("a group without an id")?.to_owned();
    let mut members = 0;
    let old = &ids[..ids.len() - newcomers(ids).len()];
    for part in old.chunks(MEMBERS_PER_REQUEST) {
        let value: Vec<Value> = part.iter().map(|id| json!({ "value": id })).collect();
        let operation = json!({ "op": "add", "path": "members", "value": value });
        match patch(endpoint, &format!("/Groups/{id}"), &operation) {
            Ok((200..300, _)) => members += part.len(),
            // It has as many as it takes; what is measured says how many those are.
            Ok(_) | Err(_) => break,
        }
    }
    Ok(Some((id, members)))
}

/// Who joins while it is measured.
fn newcomers(ids: &[String]) -> &[String] {
    &ids[ids.len() - ids.len() / 6..]
}

fn operation(operation: &str) -> String {
    format!(r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{operation}]}}"#)
}

fn request(endpoint: &Endpoint, method: &str, below: &str, body: Option<String>, subjects: &[String]) -> Request {
    Request {
        method: method.to_owned(),
        path: endpoint.path(below),
        token: Some(endpoint.token.clone()),
        body,
        subjects: subjects.to_vec(),
        order: Order::InTurn,
    }
}

const fn load(endpoint: &Endpoint, stop: Stop, request: Request, expected_status: u16) -> Load {
    Load {
        address: endpoint.address,
        connections: CONNECTIONS,
        stop,
        request,
        first_number: 0,
        expected_status,
        keep_ids: false,
    }
}

#[cfg(test)]
mod tests {
    use super::{PEOPLE, judged, newcomers};
    use crate::load::Report;

    #[test]
    fn the_group_has_ten_thousand_members_and_the_others_join() {
        let ids: Vec<String> = (0..PEOPLE).map(|number| number.to_string()).collect();
        assert_eq!(newcomers(&ids).first().unwrap(), "10000");
    }

    #[test]
    fn mostly_wrong_answers_are_no_figure() {
        let report = |good: u64, bad: u64| Report {
            requests: good + bad,
            statuses: [(200, good), (500, bad)].into(),
            trouble: Some("500: broken".to_owned()),
            ..Report::default()
        };
        assert!(judged(report(2, 1), 200).is_ok());
        assert_eq!(judged(report(1, 2), 200).unwrap_err(), "500: broken");
        assert!(judged(report(0, 0), 200).is_err());
    }
}
