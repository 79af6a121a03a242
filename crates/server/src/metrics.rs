//! Counters, and their text for Prometheus (exposition format 0.0.4).
//!
//! They are plain atomics that live where they are counted, and the text is put together when it is asked for: a library would bring a
//! map with labels to look up for every request. Labels are names of tenants, methods and classes of statuses; nothing else.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use store::{Figures, Histogram};

use crate::gates::Gates;

/// Tenants with lines of their own; the others are counted together.
pub const TENANT_LABELS_MAX: usize = 1000;

const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What is counted of all tenants.
pub(crate) struct Metrics {
    requests: [[AtomicU64; CLASSES.len()]; METHODS.len()],
    durations: Histogram,
    body_bytes: AtomicU64,
    answer_bytes: AtomicU64,
    in_flight: AtomicI64,
    connections_refused: AtomicU64,
    refusals: AtomicU64,
    bad_tokens: AtomicU64,
    bad_tokens_limited: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Default::default(),
            durations: Histogram::of_durations(),
            body_bytes: AtomicU64::default(),
            answer_bytes: AtomicU64::default(),
            in_flight: AtomicI64::default(),
            connections_refused: AtomicU64::default(),
            refusals: AtomicU64::default(),
            bad_tokens: AtomicU64::default(),
            bad_tokens_limited: AtomicU64::default(),
        }
    }
}

/// What is counted elsewhere and told with the rest.
pub(crate) struct Beside<'a> {
    pub(crate) gates: &'a Gates,
    pub(crate) connections: usize,
    pub(crate) log_dropped: u64,
    /// Spans that were sent and that were dropped, where there are traces.
    pub(crate) spans: Option<(u64, u64)>,
    pub(crate) store: &'a Figures,
}

/// The class of a status: its first digit less one.
pub(crate) fn class(status: StatusCode) -> usize {
    usize::from(status.as_u16() / 100).saturating_sub(1).min(CLASSES.len() - 1)
}

impl Metrics {
    pub(crate) fn connection_refused(&self) {
        self.connections_refused.fetch_add(1, Ordering::Relaxed);
    }

    /// A request that was refused before it was read as one.
    pub(crate) fn refusal(&self) {
        self.refusals.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn bad_token(&self, is_limited: bool) {
        self.bad_tokens.fetch_add(1, Ordering::Relaxed);
        self.bad_tokens_limited.fetch_add(u64::from(is_limited), Ordering::Relaxed);
    }

    pub(crate) fn begin(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an answer, with the bytes of the body that came and of the answer's, where they are known.
    pub(crate) fn end(&self, method: &Method, status: StatusCode, took: Duration, (came, bytes): (u64, Option<u64>)) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let method = METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1);
        self.requests[method][class(status)].fetch_add(1, Ordering::Relaxed);
        self.durations.count_duration(took);
        if came > 0 {
            self.body_bytes.fetch_add(came, Ordering::Relaxed);
        }
        self.answer_bytes.fetch_add(bytes.unwrap_or(0), Ordering::Relaxed);
    }

    /// All counters as text.
    pub(crate) fn text(&self, beside: &Beside<'_>) -> String {
        let mut text = Text(String::with_capacity(4 << 10));
        text.family("lockstep_requests_total", "counter", "Requests that were answered");
        for (method, classes) in METHODS.iter().zip(&self.requests) {
            for (class, count) in CLASSES.iter().zip(classes).filter(|(_, count)| load(count) > 0) {
                let labels = format!("{{method=\"{method}\",status=\"{class}\"}}");
                text.line("lockstep_requests_total", &labels, load(count));
            }
        }
        text.seconds(
            "lockstep_request_duration_seconds",
            "Time from the end of a request's headers to its answer",
            &self.durations,
        );
        self.counters(beside, &mut text);
        if let Some((sent, dropped)) = beside.spans {
            text.one("lockstep_spans_sent_total", "counter", "Spans that the collector took", sent);
            text.one("lockstep_spans_dropped_total", "counter", "Spans that nobody gets", dropped);
        }
        of_store(&mut text, beside.store);
        tenants(&mut text, beside.gates);
        text.0
    }

    fn counters(&self, beside: &Beside<'_>, text: &mut Text) {
        for (name, kind, about, value) in [
            (
                "lockstep_requests_in_flight",
                "gauge",
                "Requests that are being answered",
                self.in_flight.load(Ordering::Relaxed).max(0).unsigned_abs(),
            ),
            ("lockstep_connections", "gauge", "Connections that are open", beside.connections as u64),
            (
                "lockstep_connections_refused_total",
                "counter",
                "Connections beyond the cap of their address",
                load(&self.connections_refused),
            ),
            (
                "lockstep_malformed_requests_total",
                "counter",
                "Requests that were refused before they were read as such",
                load(&self.refusals),
            ),
            ("lockstep_request_body_bytes_total", "counter", "Bytes of bodies that came", load(&self.body_bytes)),
            ("lockstep_answer_bytes_total", "counter", "Bytes of bodies that were answered", load(&self.answer_bytes)),
            (
                "lockstep_bad_tokens_total",
                "counter",
                "Requests with a token that was not valid",
                load(&self.bad_tokens),
            ),
            (
                "lockstep_bad_tokens_limited_total",
                "counter",
                "Of these, the ones told to wait",
                load(&self.bad_tokens_limited),
            ),
            (
                "lockstep_request_log_dropped_total",
                "counter",
                "Lines that the request log could not take",
                beside.log_dropped,
            ),
        ] {
            text.one(name, kind, about, value);
        }
    }
}

/// What waits for the database, and what commits take.
fn of_store(text: &mut Text, store: &Figures) {
    let waits = "Use cases that wait for the writer, or on PostgreSQL for a connection";
    text.one("lockstep_store_waiting", "gauge", waits, store.waiting());
    text.seconds("lockstep_store_wait_seconds", "How long they waited", &store.waits);
    text.seconds("lockstep_commit_duration_seconds", "Time that a commit took", &store.commits);
    if let Some(connections) = store.connections {
        text.one("lockstep_pool_connections", "gauge", "Connections to PostgreSQL, at the most", connections);
        text.one("lockstep_pool_connections_busy", "gauge", "Of these, the ones in use", store.busy());
    } else {
        const NAME: &str = "lockstep_commit_writes";
        text.family(NAME, "histogram", "Writes that shared a commit");
        text.histogram(NAME, &store.commit_writes, |bound| bound.to_string(), &store.commit_writes.sum());
    }
}

fn tenants(text: &mut Text, gates: &Gates) {
    const REQUESTS: &str = "lockstep_tenant_requests_total";
    const LIMITED: &str = "lockstep_tenant_limited_total";
    let (mut told, mut others, mut limited) = (0, [0; CLASSES.len()], Vec::new());
    text.family(REQUESTS, "counter", "Requests with a valid token, by tenant");
    gates.each(|gate| {
        told += 1;
        for ((class, count), others) in CLASSES.iter().zip(&gate.answers).zip(&mut others) {
            match load(count) {
                0 => {}
                count if told <= TENANT_LABELS_MAX => {
                    text.line(REQUESTS, &format!("{{tenant=\"{}\",status=\"{class}\"}}", gate.tenant), count);
                }
                count => *others += count,
            }
        }
        let count = load(&gate.limited);
        if count > 0 && told <= TENANT_LABELS_MAX {
            limited.push((gate.tenant.clone(), count));
        }
    });
    for (class, count) in CLASSES.iter().zip(others).filter(|(_, count)| *count > 0) {
        // No tenant is called so: names have no capitals.
        text.line(REQUESTS, &format!("{{tenant=\"OTHERS\",status=\"{class}\"}}"), count);
    }
    text.family(LIMITED, "counter", "Requests beyond the rate of their tenant");
    for (tenant, count) in limited {
        text.line(LIMITED, &format!("{{tenant=\"{tenant}\"}}"), count);
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, about: &str) {
        // Writing to a text does not fail.
        let _ = writeln!(self.0, "# HELP {name} {about}.\n# TYPE {name} {kind}");
    }

    /// A family of one line.
    fn one(&mut self, name: &str, kind: &str, about: &str, value: impl std::fmt::Display) {
        self.family(name, kind, about);
        self.line(name, "", value);
    }

    /// A histogram of durations.
    fn seconds(&mut self, name: &str, about: &str, histogram: &Histogram) {
        self.family(name, "histogram", about);
        let sum = histogram.sum();
        let sum = format_args!("{}.{:06}", sum / 1_000_000, sum % 1_000_000).to_string();
        self.histogram(name, histogram, |micros| Duration::from_micros(micros).as_secs_f64().to_string(), &sum);
    }

    fn histogram(
        &mut self,
        name: &str,
        histogram: &Histogram,
        bound_text: impl Fn(u64) -> String,
        sum: &dyn std::fmt::Display,
    ) {
        let (bucket, mut all) = (format!("{name}_bucket"), 0);
        for (bound, below) in histogram.up_to() {
            let bound = bound.map_or_else(|| "+Inf".to_owned(), &bound_text);
            self.line(&bucket, &format!("{{le=\"{bound}\"}}"), below);
            all = below;
        }
        self.line(&format!("{name}_sum"), "", sum);
        self.line(&format!("{name}_count"), "", all);
    }

    fn line(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        // As above.
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_in_every_bucket_above_it() {
        let (metrics, gates) = (Metrics::default(), Gates::new(0));
        for micros in [100, 101, 3_000, 99_000_000] {
            metrics.begin();
            metrics.end(&Method::PATCH, StatusCode::NO_CONTENT, Duration::from_micros(micros), (5, Some(7)));
        }
        let store = Figures::new(Some(16));
        let beside = Beside { gates: &gates, connections: 3, log_dropped: 0, spans: Some((8, 9)), store: &store };
        let text = metrics.text(&beside);
        for line in [
            "lockstep_requests_total{method=\"PATCH\",status=\"2xx\"} 4",
            "lockstep_request_duration_seconds_bucket{le=\"0.0001\"} 1",
            "lockstep_request_duration_seconds_bucket{le=\"0.00025\"} 2",
            "lockstep_request_duration_seconds_bucket{le=\"0.005\"} 3",
            "lockstep_request_duration_seconds_bucket{le=\"10\"} 3",
            "lockstep_request_duration_seconds_bucket{le=\"+Inf\"} 4",
            "lockstep_request_duration_seconds_sum 99.003201",
            "lockstep_request_duration_seconds_count 4",
            "lockstep_requests_in_flight 0",
            "lockstep_connections 3",
            "lockstep_request_body_bytes_total 20",
            "lockstep_answer_bytes_total 28",
            "lockstep_spans_sent_total 8",
            "lockstep_spans_dropped_total 9",
            "lockstep_pool_connections 16",
            "lockstep_pool_connections_busy 0",
            "lockstep_store_waiting 0",
            "lockstep_store_wait_seconds_count 0",
            "lockstep_commit_duration_seconds_bucket{le=\"0.00025\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
