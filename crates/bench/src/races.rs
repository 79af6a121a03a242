//! Callers that want the same at the same moment: who makes a user of one name, and who joins one group. What is counted is the
//! rounds that came out as they must.

use std::sync::{Barrier, Mutex, PoisonError};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::database::Kind;
use crate::figures::{Figure, Required, Unit};
use crate::line::Line;
use crate::product::Product;
use crate::run::{Run, progress};
use crate::scim::Endpoint;

/// Rounds of each race; the second number is of a quick run.
const ROUNDS: [usize; 2] = [2_000, 20];
/// Callers who make a user of one name.
const MAKERS: usize = 16;
/// Callers who add a member to one group.
const JOINERS: usize = 8;

/// Measures both races on each database.
pub fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let rounds = ROUNDS[usize::from(run.quick)];
    let mut figures = Vec::new();
    for kind in run.kinds() {
        let product = Product::new(run, run.database(kind)?)?;
        let _server = product.serve()?;
        let endpoint = product.tenant()?;
        let good = makers(&endpoint, rounds)?;
        figures.push(figure(
            "races: 16 POSTs of one userName in 4 spellings, one 201 and fifteen 409",
            kind,
            good,
            rounds,
        ));
        let good = joiners(&endpoint, rounds)?;
        figures.push(figure("races: 8 PATCHes of one group's members, all present", kind, good, rounds));
    }
    Ok(figures)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn figure(name: &str, kind: Kind, good: usize, rounds: usize) -> Figure {
    progress(&format!("{name}: {good} of {rounds}"));
    let figure = Figure::new(name, Some(kind), good as f64, Unit::Count).against("rounds", rounds as f64);
    figure.requiring(Required::RatioAtLeast(1.0))
}

/// A name in one of four spellings: as it is, in capitals, with a capital, with full-width letters (RFC 8265 takes them for the same).
fn spelling(round: usize, caller: usize) -> String {
    let name = format!("racer.{round}@contoso.example");
    match caller % 4 {
        0 => name,
        1 => name.to_uppercase(),
        2 => name.replacen('r', "R", 1),
        _ => name.replacen('c', "\u{ff43}", 1),
    }
}

fn makers(endpoint: &Endpoint, rounds: usize) -> anyhow::Result<usize> {
    let answers = raced(endpoint, MAKERS, rounds, |line, round, caller| {
        let schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"];
        let body = json!({ "schemas": schemas, "userName": spelling(round, caller) }).to_string();
        let (status, answer) = line.call("POST", "/Users", Some(&body))?;
        let is_unique =
            || serde_json::from_slice::<Value>(&answer).is_ok_and(|answer| answer["scimType"] == "uniqueness");
        Ok(if status == 409 && !is_unique() { 0 } else { status })
    })?;
    let came_out = |statuses: &Vec<u16>| {
        let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
        count(201) == 1 && count(409) == MAKERS - 1
    };
    Ok(answers.iter().filter(|statuses| came_out(statuses)).count())
}

fn joiners(endpoint: &Endpoint, rounds: usize) -> anyhow::Result<usize> {
    let mut people = Vec::new();
    for number in 0..JOINERS {
        let name = format!("joiner.{number}@contoso.example");
        let user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name });
        let made = endpoint.call("POST", "/Users", Some(&user))?;
        people.push(made["id"].as_str().context("a user without an id")?.to_owned());
    }
    let group = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Race" });
    let group = endpoint.call("POST", "/Groups", Some(&group))?;
    let path = format!("/Groups/{}", group["id"].as_str().context("a group without an id")?);
    let request = |operation: Value| {
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] }).to_string()
    };
    let remove = request(json!({ "op": "remove", "path": "members" }));
    let mut after = Line::open(endpoint)?;
    let mut good = 0;
    for _ in 0..rounds {
        let answers = raced(endpoint, JOINERS, 1, |line, _, caller| {
            let added = json!({ "op": "add", "path": "members", "value": [{ "value": people[caller] }] });
            Ok(line.call("PATCH", &path, Some(&request(added)))?.0)
        })?;
        let (_, body) = after.call("GET", &path, None)?;
        let found: Value = serde_json::from_slice(&body)?;
        let present =
            |id: &String| found["members"].as_array().is_some_and(|all| all.iter().any(|one| one["value"] == **id));
        let all_taken = answers.iter().flatten().all(|status| (200..300).contains(status));
        good += usize::from(all_taken && people.iter().all(present));
        after.call("PATCH", &path, Some(&remove))?;
    }
    Ok(good)
}

/// The statuses that the callers of each round were answered. All of a round begin at the same moment.
fn raced(
    endpoint: &Endpoint,
    callers: usize,
    rounds: usize,
    ask: impl Fn(&mut Line, usize, usize) -> anyhow::Result<u16> + Sync,
) -> anyhow::Result<Vec<Vec<u16>>> {
    let lines = (0..callers).map(|_| Line::open(endpoint)).collect::<anyhow::Result<Vec<_>>>()?;
    let (begin, answers) = (Barrier::new(callers), Mutex::new(vec![Vec::with_capacity(callers); rounds]));
    std::thread::scope(|scope| {
        for (caller, mut line) in lines.into_iter().enumerate() {
            let (begin, answers, ask) = (&begin, &answers, &ask);
            scope.spawn(move || {
                for round in 0..rounds {
                    begin.wait();
                    // A caller whose connection broke is answered nothing, which is never as it must be.
                    let status = ask(&mut line, round, caller).unwrap_or(0);
                    answers.lock().unwrap_or_else(PoisonError::into_inner)[round].push(status);
                }
            });
        }
    });
    Ok(answers.into_inner().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{MAKERS, ROUNDS, spelling};

    #[test]
    fn names_have_four_spellings() {
        let spellings: HashSet<_> = (0..MAKERS).map(|caller| spelling(7, caller)).collect();
        assert_eq!(spellings.len(), 4);
        assert_eq!(ROUNDS[0], 2_000);
    }
}
