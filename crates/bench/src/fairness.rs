//! What one tenant's load does to another: how long 99 of 100 of a quiet tenant's requests take while it is alone, while a tenant
//! beside it sends all it can (attack case TI-06), and while the same is sent to another server on the machine, which tells how much of
//! that is the machine's doing. They are measured in turn, and the middle one of the rounds counts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::database::Kind;
use crate::document::{self, NUMBER};
use crate::figures::{Figure, Required, Unit, median};
use crate::line::Line;
use crate::load::{self, Load, Report, Request, Stop, percentile};
use crate::product::Product;
use crate::provider::{set_up_group, set_up_users};
use crate::run::{Run, progress};
use crate::scim::Endpoint;

/// Connections of the quiet tenant, each with one request after the other.
const QUIET_CONNECTIONS: usize = 2;
/// What such a connection waits between two requests: a client that never pauses is not quiet.
const QUIET_PAUSE: Duration = Duration::from_millis(2);
/// How long the noise goes on before the quiet tenant's requests count, in seconds: until what it may send at once is used up.
const BEFORE: f64 = 0.7;
/// Parts of a round in each of which both are measured, so that a busy moment of the machine meets both.
const SLICES: u32 = 4;
/// Users of the quiet tenant.
const QUIET_USERS: usize = 10_000;
/// Users of the noisy one, all of them members of one group; the second number is of a quick run.
const NOISY_USERS: [usize; 2] = [50_000, 1_000];
/// Operations of a bulk request.
const BULK_OPERATIONS: usize = 200;
/// Bytes of a large body, without what stands around them.
const LARGE_BYTES: usize = 900 << 10;
/// The most that the quiet tenant's p99 may grow to, as a multiple.
const RATIO_MAX: f64 = 2.0;
/// What the quiet tenant asks for, in turn.
const ASKED: [&str; 3] = ["GET by id", "filter by userName", "POST"];

/// Measures each noise on each database.
pub fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for kind in run.kinds() {
        let product = Product::new(run, run.database(kind)?)?;
        let _server = product.serve()?;
        let quiet = Quiet::set_up(&product)?;
        let elsewhere = Product::new(run, run.database(kind)?)?;
        let _server_elsewhere = elsewhere.serve()?;
        let users = NOISY_USERS[usize::from(run.quick)];
        for ((name, here), (_, there)) in noises(&product, users)?.into_iter().zip(noises(&elsewhere, users)?) {
            figures.extend(beside(run, kind, &quiet, name, [here, there])?);
        }
    }
    Ok(figures)
}

/// The tenant whose requests are timed.
struct Quiet {
    endpoint: Endpoint,
    users: Vec<String>,
}

impl Quiet {
    fn set_up(product: &Product) -> anyhow::Result<Self> {
        let endpoint = product.tenant_named("quiet")?;
        let users = set_up_users(&endpoint, QUIET_USERS)?;
        Ok(Self { endpoint, users })
    }

    /// Microseconds of each answer, by what was asked. `mark` makes the names of new users new.
    fn ask(&self, seconds: f64, mark: &str) -> anyhow::Result<[Vec<u32>; 3]> {
        let until = Instant::now() + Duration::from_secs_f64(seconds);
        let lines = (0..QUIET_CONNECTIONS).map(|_| Line::open(&self.endpoint)).collect::<anyhow::Result<Vec<_>>>()?;
        std::thread::scope(|scope| {
            let callers: Vec<_> = lines
                .into_iter()
                .enumerate()
                .map(|(caller, line)| {
                    scope.spawn(move || self.caller(line, until, &format!("{mark}.{caller}"), caller))
                })
                .collect();
            let mut all: [Vec<u32>; 3] = Default::default();
            for caller in callers {
                let found = caller.join().map_err(|_| anyhow::anyhow!("a caller panicked"))??;
                extend(&mut all, found);
            }
            Ok(all)
        })
    }

    /// The same while a noise is made.
    fn ask_beside(&self, noise: &Load, seconds: f64, mark: &str) -> anyhow::Result<([Vec<u32>; 3], Report)> {
        std::thread::scope(|scope| {
            let loud = scope.spawn(|| load::run_behind(noise));
            std::thread::sleep(Duration::from_secs_f64(BEFORE));
            let micros = self.ask(seconds, mark);
            let report = loud.join().map_err(|_| anyhow::anyhow!("the noise panicked"))?;
            Ok((micros?, report?))
        })
    }

    fn caller(&self, mut line: Line, until: Instant, mark: &str, caller: usize) -> anyhow::Result<[Vec<u32>; 3]> {
        let mut micros: [Vec<u32>; 3] = Default::default();
        let mut number = caller;
        while Instant::now() < until {
            number += QUIET_CONNECTIONS;
            let at = number * 7 % self.users.len();
            let (user, name) = (&self.users[at], format!("member.{at}@contoso.example"));
            let body = document::user(mark).replace(NUMBER, &number.to_string());
            let requests = [
                ("GET", format!("/Users/{user}"), None, 200),
                ("GET", format!("/Users?filter=userName%20eq%20%22{}%22", name.replace('@', "%40")), None, 200),
                ("POST", "/Users".to_owned(), Some(body.as_str()), 201),
            ];
            for (times, (method, path, body, expected)) in micros.iter_mut().zip(requests) {
                let begun = Instant::now();
                let (status, answer) = line.call(method, &path, body)?;
                times.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
                anyhow::ensure!(
                    status == expected,
                    "the quiet tenant was answered {status}: {}",
                    String::from_utf8_lossy(&answer)
                );
                std::thread::sleep(QUIET_PAUSE);
            }
        }
        Ok(micros)
    }
}

/// The quiet tenant alone, beside one noise, and beside the same at another server, in turn.
fn beside(run: &Run, kind: Kind, quiet: &Quiet, name: &str, mut noises: [Load; 2]) -> anyhow::Result<Vec<Figure>> {
    let seconds = run.seconds / f64::from(SLICES);
    for noise in &mut noises {
        noise.stop = Stop::Seconds { warm_up: BEFORE, counted: seconds };
    }
    let (mut alone, mut rounds): (Rounds, [Rounds; 2]) = Default::default();
    let mut answered = BTreeMap::<u16, u64>::new();
    for round in 0..run.rounds {
        let (mut round_alone, mut rounds_beside): ([Vec<u32>; 3], [[Vec<u32>; 3]; 2]) = Default::default();
        for slice in 0..SLICES {
            let mark = format!("{}.{round}.{slice}", name.replace(|c: char| !c.is_ascii_alphanumeric(), ""));
            extend(&mut round_alone, quiet.ask(seconds, &format!("{mark}.alone"))?);
            for (place, (noise, micros)) in noises.iter_mut().zip(&mut rounds_beside).enumerate() {
                let (more, report) = quiet.ask_beside(noise, seconds, &format!("{mark}.{place}"))?;
                extend(micros, more);
                noise.first_number = report.next_number;
                for (status, count) in report.statuses.into_iter().filter(|_| place == 0) {
                    *answered.entry(status).or_default() += count;
                }
            }
        }
        keep(&mut alone, round_alone);
        rounds.iter_mut().zip(rounds_beside).for_each(|(rounds, round)| keep(rounds, round));
    }
    let answered: Vec<_> = answered.into_iter().map(|(status, count)| format!("{count} times {status}")).collect();
    let answered = answered.join(", ");
    progress(&format!("fairness: {name}: {answered}"));
    Ok(figures(kind, name, alone, rounds, &answered))
}

/// The p99 of each round, in seconds, for each of what is asked.
type Rounds = [Vec<f64>; 3];

fn figures(kind: Kind, name: &str, alone: Rounds, [here, there]: [Rounds; 2], answered: &str) -> Vec<Figure> {
    let [alone, here, there] = [alone, here, there].map(|rounds| rounds.map(median));
    let mut figures = Vec::new();
    for (asked, ((alone, here), there)) in ASKED.into_iter().zip(alone.into_iter().zip(here).zip(there)) {
        let figure = Figure::new(format!("fairness: p99 of {asked} beside {name}"), Some(kind), here, Unit::Seconds);
        let figure = figure.against("alone", alone).requiring(Required::RatioAtMost(RATIO_MAX));
        figures.push(figure.noted(format!("{:.2} times beside the same at another server", there / alone)));
    }
    if let Some(last) = figures.pop() {
        figures.push(last.noted(format!("the noise was answered {answered}")));
    }
    figures
}

fn extend(all: &mut [Vec<u32>; 3], more: [Vec<u32>; 3]) {
    all.iter_mut().zip(more).for_each(|(all, more)| all.extend(more));
}

/// Keeps the p99 of a round, in seconds.
fn keep(rounds: &mut Rounds, micros: [Vec<u32>; 3]) {
    for (round, mut micros) in rounds.iter_mut().zip(micros) {
        micros.sort_unstable();
        round.push(f64::from(percentile(&micros, 99)) / 1e6);
    }
}

/// What the noisy tenant sends, each as fast as it is answered.
fn noises(product: &Product, users: usize) -> anyhow::Result<Vec<(&'static str, Load)>> {
    let noisy = product.tenant_named("noisy")?;
    let ids = set_up_users(&noisy, users)?;
    let group = set_up_group(&noisy, &ids)?;
    let load = |connections, method: &str, below: &str, body: Option<String>, subjects: &[String]| Load {
        address: noisy.address,
        connections,
        stop: Stop::Requests(0),
        request: Request {
            method: method.to_owned(),
            path: noisy.path(below),
            token: Some(noisy.token.clone()),
            body,
            subjects: subjects.to_vec(),
            ..Request::default()
        },
        first_number: 0,
        expected_status: 200,
        keep_ids: false,
    };
    let member = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"members[value eq \"{subject}\"]"},{"op":"add","path":"members","value":[{"value":"{subject}"}]}]}"#;
    Ok(vec![
        ("GETs at full rate", load(32, "GET", "/Users/{subject}", None, &ids)),
        ("a flood of POSTs", load(32, "POST", "/Users", Some(document::user("noise")), &[])),
        ("scans without an index", load(8, "GET", "/Users?filter=title%20co%20%22nobody%22", None, &[])),
        ("walks through all users", load(8, "GET", "/Users?count=100&startIndex={number}", None, &[])),
        ("bulk requests", load(4, "POST", "/Bulk", Some(bulk()), &[])),
        ("large bodies", load(4, "POST", "/Users", Some(large()), &[])),
        ("PATCHes of a huge group", load(16, "PATCH", &format!("/Groups/{group}"), Some(member.to_owned()), &ids)),
    ])
}

/// A bulk request of new users.
fn bulk() -> String {
    let operation = |at: usize| {
        let user = document::user(&format!("bulk.{at}"));
        format!(r#"{{"method":"POST","path":"/Users","bulkId":"b{at}","data":{user}}}"#)
    };
    let operations: Vec<_> = (0..BULK_OPERATIONS).map(operation).collect();
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{}]}}"#,
        operations.join(",")
    )
}

/// A user with much that nobody knows, which is read and not kept.
fn large() -> String {
    let mut user = json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "large.{number}@contoso.example" });
    let pieces: Vec<_> = (0..LARGE_BYTES / 100).map(|at| format!("{at:097}")).collect();
    user["unknown"] = json!(pieces);
    user.to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{BULK_OPERATIONS, LARGE_BYTES, bulk, large};

    #[test]
    fn what_the_noisy_tenant_sends_is_within_the_limits() {
        for (text, least) in [(bulk(), 1), (large(), LARGE_BYTES)] {
            assert!((least..1 << 20).contains(&text.len()), "{}", text.len());
            serde_json::from_str::<Value>(&text).unwrap();
        }
        let bulk: Value = serde_json::from_str(&bulk()).unwrap();
        assert_eq!(bulk["Operations"].as_array().unwrap().len(), BULK_OPERATIONS);
    }
}
