//! What a collector of traces is told of requests, and what it is not.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use provider::Address;
use server::{SendSpans, Sending, Taken, TraceSettings};

use super::requests::{ANN, JSON, USERS, logging_with};
use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";

fn tracing(share: f64) -> EdgeSettings {
    let traces = TraceSettings { service_name: "scim".to_owned(), share };
    EdgeSettings { traces: Some(traces), ..EdgeSettings::default() }
}

/// The header of a caller that follows its requests, or does not.
fn parent(flags: &str) -> String {
    format!("traceparent: 00-{TRACE}-{SPAN}-{flags}\r\n")
}

impl Running {
    /// All spans of the requests that were answered so far, and the text that they came in.
    async fn spans(&self) -> (Vec<Value>, String) {
        let batches = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&batches);
        let send: SendSpans = Box::new(move |batch| -> Sending {
            taken.lock().unwrap().push(batch);
            Box::pin(std::future::ready(Ok(Taken { status: 200, retry_after: None })))
        });
        self.app.send_spans(send, std::future::ready(())).await;
        let text = batches.lock().unwrap().join("\n");
        let batch = |line: &str| serde_json::from_str::<Value>(line).unwrap()["resourceSpans"][0].clone();
        let spans = text.lines().flat_map(|line| {
            let batch = batch(line);
            assert_eq!(batch["resource"]["attributes"][0]["value"]["stringValue"], "scim");
            batch["scopeSpans"][0]["spans"].as_array().unwrap().clone()
        });
        (spans.collect(), text)
    }
}

/// The attributes of a span, by name.
fn attributes(span: &Value) -> BTreeMap<&str, &str> {
    let value =
        |value: &'_ Value| value.get("stringValue").or(value.get("intValue")).unwrap().as_str().unwrap().to_owned();
    let all = span["attributes"].as_array().unwrap();
    all.iter().map(|one| (one["key"].as_str().unwrap(), &*value(&one["value"]).leak())).collect()
}

fn nanos(span: &Value) -> (u64, u64) {
    let at = |name: &str| span[name].as_str().unwrap().parse().unwrap();
    (at("startTimeUnixNano"), at("endTimeUnixNano"))
}

#[tokio::test]
async fn a_write_has_a_span_under_its_callers_and_one_for_each_step() {
    let running = start_with(patient(), TestDatabase::sqlite(), tracing(0.0)).await;
    let answer =
        running.ask(&format!("POST {USERS}"), &format!("{JSON}X-Request-Id: r1\r\n{}", parent("01")), ANN).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let (spans, text) = running.spans().await;
    let names: Vec<_> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["POST /Users", "store wait", "store write", "store commit"]);
    let server = &spans[0];
    assert_eq!((&server["traceId"], &server["parentSpanId"]), (&TRACE.into(), &SPAN.into()));
    assert_eq!((&server["kind"], &server["status"]), (&2.into(), &Value::Null));
    let (came, bytes) = (ANN.len().to_string(), answer.body.len().to_string());
    let expected = BTreeMap::from([
        ("http.request.method", "POST"),
        ("http.route", "/t/{tenant}/scim/v2/Users"),
        ("url.path", "/t/{tenant}/scim/v2/Users"),
        ("url.scheme", "http"),
        ("http.response.status_code", "201"),
        ("http.request.body.size", came.as_str()),
        ("http.response.body.size", bytes.as_str()),
        ("lockstep.tenant", "contoso"),
        ("lockstep.request_id", "r1"),
    ]);
    assert_eq!(attributes(server), expected);
    let (mut latest, whole) = (nanos(server).0, nanos(server));
    for step in &spans[1..] {
        assert_eq!(
            (&step["traceId"], &step["parentSpanId"], &step["kind"]),
            (&TRACE.into(), &server["spanId"], &1.into())
        );
        let (from, to) = nanos(step);
        assert!(latest <= from && from <= to && to <= whole.1, "{step} in {server}");
        latest = to;
    }
    for secret in [running.token.as_str(), "ann", "t1meMa$heen", "contoso.example"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

/// TI-08: spans tell of tenants, never of people.
#[tokio::test]
async fn ti_08_a_span_is_named_by_the_template_of_its_address() {
    let running = start_with(patient(), TestDatabase::sqlite(), tracing(1.0)).await;
    let own = TenantSettings { address: Some(Address::new("", "/api/v2/scim").unwrap()), ..TenantSettings::default() };
    let token = tenant(&running.store, "fabrikam", &own).await;
    let made = running.ask(&format!("POST {USERS}"), JSON, ANN).await;
    let made: Value = serde_json::from_str(&made.body).unwrap();
    let id = made["id"].as_str().unwrap();
    running.spans().await;
    let secret = format!("lst_{}", "s".repeat(43));
    for (token, line, headers, names) in [
        (Some(&running.token), format!("GET {USERS}/{id}"), "", vec!["GET /Users/{id}", "store read"]),
        (
            Some(&running.token),
            format!("GET {USERS}?filter=userName+eq+%22ann@contoso.example%22"),
            "",
            vec!["GET /Users", "store read"],
        ),
        (Some(&running.token), format!("GET {USERS}/ann@contoso.example"), "", vec!["GET /Users/{id}", "store read"]),
        (None, "GET /t/contoso/scim/v2/ann/example".to_owned(), "", vec!["GET /{endpoint}/{id}"]),
        (None, "GET /ann@contoso.example".to_owned(), "", vec!["GET"]),
        (Some(&token), "GET /api/v2/scim/Users".to_owned(), "", vec!["GET /Users", "store read"]),
        (None, "ANN /healthz".to_owned(), "", vec!["HTTP /healthz"]),
        (None, "GET /healthz".to_owned(), secret.as_str(), vec!["GET /healthz"]),
        (None, "POST /t/contoso/oauth2/token".to_owned(), "", vec!["POST /t/{tenant}/oauth2/token"]),
    ] {
        let headers = if headers.is_empty() { String::new() } else { format!("X-Request-Id: {headers}\r\n") };
        let answer = running.ask_as(token.map(String::as_str), &line, &headers, "").await;
        let (spans, text) = running.spans().await;
        assert_eq!(spans.iter().map(|span| span["name"].as_str().unwrap()).collect::<Vec<_>>(), names, "{line}");
        assert_eq!((&spans[0]["parentSpanId"], &spans[0]["status"]), (&Value::Null, &Value::Null), "{line} {answer:?}");
        assert_eq!(attributes(&spans[0])["http.response.status_code"], answer.status.to_string());
        for told in ["ann", "example", id, secret.as_str()] {
            assert!(!text.contains(told), "{told} in {text}");
        }
    }
}

#[tokio::test]
async fn who_follows_a_request_decides_whether_it_is_told() {
    let running = start_with(patient(), TestDatabase::sqlite(), tracing(0.0)).await;
    for (token, header, expected) in [
        (Some(running.token.as_str()), parent("01"), 2),
        (Some(running.token.as_str()), parent("00"), 0),
        (Some(running.token.as_str()), String::new(), 0),
        (Some(running.token.as_str()), parent("01").to_uppercase().replace("TRACEPARENT", "traceparent"), 0),
        (Some(running.token.as_str()), parent("01").repeat(2), 0),
        (Some("lst_x"), parent("01"), 0),
        (None, parent("01"), 0),
    ] {
        running.ask_as(token, &format!("GET {USERS}"), &header, "").await;
        assert_eq!(running.spans().await.0.len(), expected, "{token:?} {header}");
    }
}

#[tokio::test]
async fn only_what_failed_here_is_an_error() {
    let running = start_with(patient(), TestDatabase::sqlite(), tracing(1.0)).await;
    running.database.fill_up();
    for (token, line, status, code) in [
        (Some(running.token.as_str()), format!("GET {USERS}/nobody"), 404, Value::Null),
        (None, format!("GET {USERS}"), 401, Value::Null),
        (None, "GET /readyz".to_owned(), 503, Value::from(2)),
    ] {
        assert_eq!(running.ask_as(token, &line, "", "").await.status, status, "{line}");
        let (spans, _) = running.spans().await;
        assert_eq!(spans[0]["status"]["code"], code, "{line}");
        let error = (status >= 500).then(|| status.to_string());
        assert_eq!(attributes(&spans[0]).get("error.type").copied(), error.as_deref(), "{line}");
    }
    running.database.make_room();
}

#[tokio::test]
async fn the_line_of_a_request_bears_its_trace() {
    let (running, folder) = logging_with(tracing(0.0)).await;
    for flags in ["01", "00"] {
        running.ask(&format!("GET {USERS}"), &parent(flags), "").await;
    }
    running.ask(&format!("GET {USERS}"), "", "").await;
    let lines = running.log(&folder, "contoso").await;
    let traces: Vec<_> = lines.iter().map(|line| line["trace"].as_str()).collect();
    assert_eq!(traces, [Some(TRACE), Some(TRACE), None]);
}

#[tokio::test]
async fn without_a_collector_nothing_is_followed() {
    let (running, folder) = logging_with(EdgeSettings::default()).await;
    running.ask(&format!("GET {USERS}"), &parent("01"), "").await;
    assert_eq!(running.spans().await.1, "");
    assert_eq!(running.log(&folder, "contoso").await[0]["trace"], Value::Null);
}

#[tokio::test]
async fn spans_and_what_the_store_does_are_counted() {
    let running = start_with(patient(), TestDatabase::sqlite(), tracing(1.0)).await;
    running.ask(&format!("POST {USERS}"), JSON, ANN).await;
    running.spans().await;
    let text = super::requests::metrics(&running).await;
    let body = format!("lockstep_request_body_bytes_total {}", ANN.len());
    for line in [
        "lockstep_spans_sent_total 4",
        "lockstep_spans_dropped_total 0",
        "lockstep_store_waiting 0",
        "lockstep_commit_writes_bucket{le=\"256\"} ",
        "lockstep_commit_duration_seconds_bucket{le=\"+Inf\"} ",
        "lockstep_store_wait_seconds_bucket{le=\"+Inf\"} ",
        body.as_str(),
    ] {
        assert!(text.lines().any(|found| found.starts_with(line)), "{line} in\n{text}");
    }
    assert!(!text.contains("lockstep_pool"), "there is no pool on SQLite: {text}");
}
