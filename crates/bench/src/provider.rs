//! The product as a service provider under load: POST, GET by id, filter, PATCH, and one member more in groups of three
//! sizes. Each figure is measured in turn with its mark, so that a noisy moment meets both.

use std::collections::HashMap;

use anyhow::Context as _;
use serde_json::json;

use crate::database::Kind;
use crate::figures::{Figure, Required, Unit, median, median_load};
use crate::limits::{GET_CONNECTIONS, POST_CONNECTIONS, bare_get, post};
use crate::load::{Load, Order, Report, Request, Stop};
use crate::product::Product;
use crate::run::{Run, progress, timed};
use crate::scim::Endpoint;
use crate::serve;

/// Connections of the PATCHes.
pub const PATCH_CONNECTIONS: usize = 8;
/// Connections of the requests that set a measurement up.
const SET_UP_CONNECTIONS: usize = 64;
/// Sizes of the groups; the last is held against the first.
const GROUP_SIZES: [usize; 3] = [100, 10_000, 100_000];
/// Sizes of the groups of a quick run.
const GROUP_SIZES_QUICK: [usize; 3] = [100, 300, 1_000];
/// Members added one by one to a group before they are taken out again.
const ADDED: usize = 250;
/// Rounds of adding, over all sizes in turn.
const ADD_ROUNDS: usize = 4;
/// Members in one request while a group is filled.
const MEMBERS_PER_REQUEST: usize = 1_000;
/// Ids that a load chooses from; more would measure its own memory.
const SUBJECTS: usize = 100_000;

const MINIMAL: &str = "minimal handler, POST";
const BARE: &str = "bare handler, GET";

/// Measures the service provider on each database.
pub fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for kind in run.kinds() {
        figures.extend(on(run, kind)?);
    }
    Ok(figures)
}

fn on(run: &Run, kind: Kind) -> anyhow::Result<Vec<Figure>> {
    let product = Product::new(run, run.database(kind)?)?;
    let server = product.serve()?;
    let endpoint = product.tenant()?;
    let mut figures = posts(run, kind, &endpoint)?;
    let sizes = if run.quick { GROUP_SIZES_QUICK } else { GROUP_SIZES };
    let users = set_up_users(&endpoint, sizes[2] + ADDED)?;
    figures.extend(reads(run, kind, &endpoint, &users)?);
    figures.push(patches(run, kind, &endpoint, &users, figures[0].mark.as_ref().map_or(0.0, |mark| mark.value))?);
    figures.extend(members(run, kind, &endpoint, &users, sizes)?);
    let peak = server.peak_bytes().context("the server is gone")?;
    figures.push(bytes("provider: peak memory of the server", kind, peak));
    Ok(figures)
}

#[expect(clippy::cast_precision_loss, reason = "bytes of memory stay far below 2^52")]
fn bytes(name: &str, kind: Kind, bytes: u64) -> Figure {
    Figure::new(name, Some(kind), bytes as f64, Unit::Bytes)
}

/// POST against the minimal handler, both on databases that begin empty and grow alike.
fn posts(run: &Run, kind: Kind, endpoint: &Endpoint) -> anyhow::Result<Vec<Figure>> {
    let database = run.database(kind)?;
    let minimal = serve::start_minimal(&database)?;
    let (mut next_minimal, mut next_product) = (0, 0);
    let mut figures = Vec::new();
    for connections in POST_CONNECTIONS {
        let (mut marks, mut products) = (Vec::new(), Vec::new());
        for _ in 0..run.rounds {
            let load = post(minimal.address, "/Users", None, next_minimal, connections, run.stop());
            let report = timed(MINIMAL, &load)?;
            next_minimal = report.next_number;
            marks.push(report);
            let (path, token) = (endpoint.path("/Users"), Some(endpoint.token.clone()));
            let load = post(endpoint.address, &path, token, next_product, connections, run.stop());
            let report = timed("provider: POST /Users", &load)?;
            next_product = report.next_number;
            products.push(report);
        }
        let name = format!("provider: POST /Users, {connections} connections");
        let figure = against(&name, kind, products, MINIMAL, marks);
        figures.push(figure.requiring(Required::RatioAtLeast(0.4)));
    }
    Ok(figures)
}

fn against(name: &str, kind: Kind, products: Vec<Report>, mark: &str, marks: Vec<Report>) -> Figure {
    let mark_report = median_load(marks);
    let figure = Figure::of_load(name, Some(kind), &median_load(products)).against(mark, mark_report.per_second);
    match mark_report.trouble {
        Some(trouble) => figure.noted(format!("{} errors of the mark, first: {trouble}", mark_report.errors)),
        None => figure,
    }
}

/// Users whose ids are known, made through the endpoint.
pub fn set_up_users(endpoint: &Endpoint, count: usize) -> anyhow::Result<Vec<String>> {
    let request = Request {
        method: "POST".to_owned(),
        path: endpoint.path("/Users"),
        token: Some(endpoint.token.clone()),
        body: Some(
            json!({
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": "member.{number}@contoso.example", "externalId": "member-{number}", "active": true,
                "name": {"givenName": "Member", "familyName": "Number {number}"},
            })
            .to_string(),
        ),
        ..Request::default()
    };
    let load = Load {
        address: endpoint.address,
        connections: SET_UP_CONNECTIONS,
        stop: Stop::Requests(count as u64),
        request,
        first_number: 0,
        expected_status: 201,
        keep_ids: true,
    };
    let report = timed(&format!("provider: setting up {count} users"), &load)?;
    let made = report.ids.len();
    anyhow::ensure!(made == count, "{made} of {count} users were made: {}", report.trouble.unwrap_or_default());
    Ok(report.ids)
}

/// GET by id and by filter, against the bare handler.
fn reads(run: &Run, kind: Kind, endpoint: &Endpoint, users: &[String]) -> anyhow::Result<Vec<Figure>> {
    let bare = serve::start_bare()?;
    let ids = users[..users.len().min(SUBJECTS)].to_vec();
    let numbers = (0..ids.len()).map(|number| number.to_string()).collect();
    let by_name = "/Users?filter=userName%20eq%20%22member.{subject}%40contoso.example%22";
    let loads = [
        ("provider: GET by id, 32 connections", get(run, endpoint, "/Users/{subject}", ids)),
        ("provider: GET filter userName eq, 32 connections", get(run, endpoint, by_name, numbers)),
    ];
    let mut figures = Vec::new();
    for (name, load) in loads {
        let (mut marks, mut products) = (Vec::new(), Vec::new());
        for _ in 0..run.rounds {
            marks.push(timed(BARE, &bare_get(bare.address, GET_CONNECTIONS, run.stop()))?);
            products.push(timed(name, &load)?);
        }
        figures.push(against(name, kind, products, BARE, marks));
    }
    let filter = figures.pop().context("a figure of the filter")?;
    let by_id = figures.pop().context("a figure of the GET")?.requiring(Required::RatioAtLeast(0.5));
    Ok(vec![by_id, filter])
}

fn get(run: &Run, endpoint: &Endpoint, below: &str, subjects: Vec<String>) -> Load {
    let request = Request {
        method: "GET".to_owned(),
        path: endpoint.path(below),
        token: Some(endpoint.token.clone()),
        subjects,
        order: Order::Mixed,
        body: None,
    };
    Load {
        address: endpoint.address,
        connections: GET_CONNECTIONS,
        stop: run.stop(),
        request,
        first_number: 0,
        expected_status: 200,
        keep_ids: false,
    }
}

/// PATCH of `active`, each one a change: the users are switched off in turn, then on again.
fn patches(run: &Run, kind: Kind, endpoint: &Endpoint, users: &[String], mark: f64) -> anyhow::Result<Figure> {
    let name = "provider: PATCH active, 8 connections";
    let mut reports = Vec::new();
    let mut first_number = 0;
    for _ in 0..run.rounds {
        let load = Load {
            address: endpoint.address,
            connections: PATCH_CONNECTIONS,
            stop: run.stop(),
            request: patch(endpoint, "/Users/{subject}", r#"{"op":"replace","path":"active","value":{flag}}"#, users),
            first_number,
            expected_status: 200,
            keep_ids: false,
        };
        let report = timed(name, &load)?;
        first_number = report.next_number;
        reports.push(report);
    }
    Ok(Figure::of_load(name, Some(kind), &median_load(reports)).against(format!("{MINIMAL}, 8 connections"), mark))
}

fn patch(endpoint: &Endpoint, below: &str, operation: &str, subjects: &[String]) -> Request {
    Request {
        method: "PATCH".to_owned(),
        path: endpoint.path(below),
        token: Some(endpoint.token.clone()),
        body: Some(format!(
            r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{operation}]}}"#
        )),
        subjects: subjects.to_vec(),
        order: Order::InTurn,
    }
}

/// One member more, in groups of three sizes in turn. After each round the new members go again, so that a group keeps
/// its size.
fn members(
    run: &Run,
    kind: Kind,
    endpoint: &Endpoint,
    users: &[String],
    sizes: [usize; 3],
) -> anyhow::Result<Vec<Figure>> {
    let (in_groups, new) = users.split_at(sizes[2]);
    let mut groups = Vec::new();
    for size in sizes {
        groups.push((size, set_up_group(endpoint, &in_groups[..size])?));
    }
    let mut seconds: HashMap<usize, Vec<f64>> = HashMap::new();
    let mut troubles = Vec::new();
    for _ in 0..ADD_ROUNDS * run.rounds {
        for (size, group) in &groups {
            let report = change_members(endpoint, group, true, new)?;
            seconds.entry(*size).or_default().push(seconds_each(&report));
            troubles.extend(report.trouble);
            troubles.extend(change_members(endpoint, group, false, new)?.trouble);
        }
    }
    progress("provider: one member more, done");
    let smallest = median(seconds.get(&sizes[0]).cloned().unwrap_or_default());
    let mut figures = Vec::new();
    for size in sizes {
        let value = median(seconds.remove(&size).unwrap_or_default());
        let name = format!("provider: one member more, group of {size}, {PATCH_CONNECTIONS} connections");
        let figure = Figure::new(name, Some(kind), value, Unit::Seconds);
        let figure = figure.against(format!("group of {}", sizes[0]), smallest);
        let judged = size == GROUP_SIZES[2];
        figures.push(if judged { figure.requiring(Required::RatioAtMost(1.3)) } else { figure });
    }
    let last = figures.pop().context("a figure for each size")?;
    figures.push(troubles.into_iter().take(1).fold(last, Figure::noted));
    Ok(figures)
}

/// Seconds of each answer of a load.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
pub fn seconds_each(report: &Report) -> f64 {
    report.seconds / report.requests.max(1) as f64
}

/// Makes a group of these members.
pub fn set_up_group(endpoint: &Endpoint, members: &[String]) -> anyhow::Result<String> {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": format!("Group of {}", members.len()),
    });
    let group = endpoint.call("POST", "/Groups", Some(&body))?;
    let id = group["id"].as_str().context("a group without an id")?.to_owned();
    for part in members.chunks(MEMBERS_PER_REQUEST) {
        let values: Vec<_> = part.iter().map(|id| json!({"value": id})).collect();
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "add", "path": "members", "value": values}],
        });
        endpoint.call("PATCH", &format!("/Groups/{id}"), Some(&body))?;
    }
    progress(&format!("provider: set up a group of {}", members.len()));
    Ok(id)
}

/// Adds members to a group one by one, or takes them out.
pub fn change_members(endpoint: &Endpoint, group: &str, add: bool, members: &[String]) -> anyhow::Result<Report> {
    let operation = if add {
        r#"{"op":"add","path":"members","value":[{"value":"{subject}"}]}"#
    } else {
        r#"{"op":"remove","path":"members[value eq \"{subject}\"]"}"#
    };
    crate::load::run(&Load {
        address: endpoint.address,
        connections: PATCH_CONNECTIONS,
        stop: Stop::Requests(members.len() as u64),
        request: patch(endpoint, &format!("/Groups/{group}"), operation, members),
        first_number: 0,
        expected_status: 204,
        keep_ids: false,
    })
}
