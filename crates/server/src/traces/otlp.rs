//! Spans in the form of the OpenTelemetry protocol over HTTP, `http/json`: protobuf's JSON mapping with ids in hexadecimal (OTLP 1.x,
//! "JSON Protobuf Encoding"). Names of attributes are those of the semantic conventions for HTTP servers.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::ids::{SpanId, TraceId};
use super::route;
use super::trace::{Told, Trace};

/// `SPAN_KIND_INTERNAL`.
const INTERNAL: u8 = 1;
/// `SPAN_KIND_SERVER`.
const SERVER: u8 = 2;
/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;
/// Methods that are told by name; any other text is the client's.
const METHODS: [&str; 9] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT"];
/// What tells in the batch which part of the program its spans are from.
const SCOPE: &str = "lockstep";
/// What ends a batch.
const END: &str = "]}]}]}";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Span<'a> {
    #[serde(rename = "traceId")]
    trace: String,
    #[serde(rename = "spanId")]
    id: String,
    #[serde(rename = "parentSpanId", skip_serializing_if = "Option::is_none")]
    above: Option<String>,
    name: &'a str,
    kind: u8,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

#[derive(Serialize)]
struct Status {
    code: u8,
}

#[derive(Serialize)]
struct Attribute<'a> {
    key: &'static str,
    value: Value<'a>,
}

#[derive(Serialize)]
enum Value<'a> {
    #[serde(rename = "stringValue")]
    Text(&'a str),
    /// In a text, as all numbers of 64 bits.
    #[serde(rename = "intValue")]
    Number(String),
}

fn number(number: impl Into<u64>) -> Value<'static> {
    Value::Number(number.into().to_string())
}

/// The spans of a request with commas in between, and how many they are.
pub(super) fn spans(trace: &Trace, told: &Told<'_>) -> (String, usize) {
    let route = trace.route(told.path);
    let method = METHODS.into_iter().find(|known| *known == told.method.as_str());
    let steps = trace.take_steps();
    let name = match route {
        Some(route) => format!("{} {}", method.unwrap_or("HTTP"), route::short(route)),
        None => method.unwrap_or("HTTP").to_owned(),
    };
    let failed = told.status.filter(StatusCode::is_server_error);
    let mut attributes = attributes(told, method, route, failed.as_ref());
    if steps.left_out > 0 {
        attributes.push(Attribute { key: "lockstep.steps_left_out", value: number(steps.left_out) });
    }
    let mut text = one(
        (trace.id, trace.span, trace.above),
        (&name, SERVER),
        (told.at, Duration::ZERO, told.took),
        (attributes, failed.map(|_| Status { code: ERROR })),
    );
    let count = steps.told.len();
    for (number, step) in (1..).zip(steps.told) {
        text.push(',');
        text.push_str(&one(
            (trace.id, trace.span.step(number), Some(trace.span)),
            (step.name, INTERNAL),
            (told.at, step.from, step.to),
            (Vec::new(), None),
        ));
    }
    (text, 1 + count)
}

fn attributes<'a>(
    told: &'a Told<'_>,
    method: Option<&'static str>,
    route: Option<&'static str>,
    failed: Option<&'a StatusCode>,
) -> Vec<Attribute<'a>> {
    let mut all = vec![
        Attribute { key: "http.request.method", value: Value::Text(method.unwrap_or("_OTHER")) },
        Attribute { key: "url.scheme", value: Value::Text("http") },
        Attribute { key: "lockstep.request_id", value: Value::Text(told.id) },
    ];
    let mut tell = |key, value: Option<Value<'a>>| all.extend(value.map(|value| Attribute { key, value }));
    tell("http.route", route.map(Value::Text));
    // The address itself may name people.
    tell("url.path", route.map(Value::Text));
    tell("http.response.status_code", told.status.map(|status| number(status.as_u16())));
    tell("http.request.body.size", (told.came > 0).then(|| number(told.came)));
    tell("http.response.body.size", told.bytes.map(number));
    tell("lockstep.tenant", told.tenant.map(Value::Text));
    let error = if told.status.is_none() { Some("canceled") } else { failed.map(StatusCode::as_str) };
    tell("error.type", error.map(Value::Text));
    all
}

fn one(
    (trace, span, above): (TraceId, SpanId, Option<SpanId>),
    (name, kind): (&str, u8),
    (at, from, to): (Timestamp, Duration, Duration),
    (attributes, status): (Vec<Attribute<'_>>, Option<Status>),
) -> String {
    let span = Span {
        trace: trace.to_string(),
        id: span.to_string(),
        above: above.map(|above| above.to_string()),
        name,
        kind,
        start_time_unix_nano: nanos(at, from),
        end_time_unix_nano: nanos(at, to.max(from)),
        attributes,
        status,
    };
    serde_json::to_string(&span).expect("a struct of texts is JSON")
}

/// Nanoseconds since 1970, of a moment and a time after it.
fn nanos(at: Timestamp, after: Duration) -> String {
    let at = u128::try_from(at.as_nanosecond()).unwrap_or(0);
    (at + after.as_nanos()).to_string()
}

/// What begins a batch.
pub(super) fn beginning(service: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let text = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let resource = json!({ "attributes": [text("service.name", service), text("service.version", version)] });
    let scope = json!({ "name": SCOPE, "version": version });
    format!("{{\"resourceSpans\":[{{\"resource\":{resource},\"scopeSpans\":[{{\"scope\":{scope},\"spans\":[")
}

/// A whole batch (`ExportTraceServiceRequest`).
pub(super) fn batch(beginning: &str, spans: &[String]) -> String {
    [beginning, &spans.join(","), END].concat()
}
