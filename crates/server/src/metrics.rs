//! Counters, and their text for Prometheus (exposition format 0.0.4).
//!
//! They are plain atomics that live where they are counted, and the text is put together when it is asked for: a library would bring a
//! map with labels to look up for every request. Labels are names of tenants, methods and classes of statuses; nothing else.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};

use crate::gates::Gates;

/// Tenants with lines of their own; the others are counted together.
pub const TENANT_LABELS_MAX: usize = 1000;

const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "other"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
/// Upper bounds of durations, in microseconds, with their names in seconds.
const BUCKETS: [(u64, &str); 12] = [
    (100, "0.0001"),
    (250, "0.00025"),
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (25_000, "0.025"),
    (100_000, "0.1"),
    (500_000, "0.5"),
    (2_500_000, "2.5"),
    (10_000_000, "10"),
];

/// What is counted of all tenants.
#[derive(Default)]
pub(crate) struct Metrics {
    requests: [[AtomicU64; CLASSES.len()]; METHODS.len()],
    durations: [AtomicU64; BUCKETS.len() + 1],
    microseconds: AtomicU64,
    answer_bytes: AtomicU64,
    in_flight: AtomicI64,
    connections_refused: AtomicU64,
    refusals: AtomicU64,
    bad_tokens: AtomicU64,
    bad_tokens_limited: AtomicU64,
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

    pub(crate) fn end(&self, method: &Method, status: StatusCode, took: Duration, bytes: Option<u64>) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let method = METHODS.iter().position(|name| *name == method.as_str()).unwrap_or(METHODS.len() - 1);
        self.requests[method][class(status)].fetch_add(1, Ordering::Relaxed);
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.durations[BUCKETS.partition_point(|(bound, _)| *bound < took)].fetch_add(1, Ordering::Relaxed);
        self.microseconds.fetch_add(took, Ordering::Relaxed);
        self.answer_bytes.fetch_add(bytes.unwrap_or(0), Ordering::Relaxed);
    }

    /// All counters as text.
    pub(crate) fn text(&self, gates: &Gates, connections: usize, log_dropped: u64) -> String {
        let mut text = Text(String::with_capacity(4 << 10));
        text.family("lockstep_requests_total", "counter", "Requests that were answered");
        for (method, classes) in METHODS.iter().zip(&self.requests) {
            for (class, count) in CLASSES.iter().zip(classes).filter(|(_, count)| load(count) > 0) {
                let labels = format!("{{method=\"{method}\",status=\"{class}\"}}");
                text.line("lockstep_requests_total", &labels, load(count));
            }
        }
        self.durations(&mut text);
        for (name, kind, about, value) in [
            (
                "lockstep_requests_in_flight",
                "gauge",
                "Requests that are being answered",
                self.in_flight.load(Ordering::Relaxed).max(0).unsigned_abs(),
            ),
            ("lockstep_connections", "gauge", "Connections that are open", connections as u64),
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
            ("lockstep_request_log_dropped_total", "counter", "Lines that the request log could not take", log_dropped),
        ] {
            text.family(name, kind, about);
            text.line(name, "", value);
        }
        tenants(&mut text, gates);
        text.0
    }

    fn durations(&self, text: &mut Text) {
        const NAME: &str = "lockstep_request_duration_seconds";
        text.family(NAME, "histogram", "Time from the end of a request's headers to its answer");
        let mut below = 0;
        for ((_, bound), count) in BUCKETS.iter().zip(&self.durations) {
            below += load(count);
            text.line(&format!("{NAME}_bucket"), &format!("{{le=\"{bound}\"}}"), below);
        }
        below += load(&self.durations[BUCKETS.len()]);
        text.line(&format!("{NAME}_bucket"), "{le=\"+Inf\"}", below);
        let micros = load(&self.microseconds);
        text.line(&format!("{NAME}_sum"), "", format_args!("{}.{:06}", micros / 1_000_000, micros % 1_000_000));
        text.line(&format!("{NAME}_count"), "", below);
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
            metrics.end(&Method::PATCH, StatusCode::NO_CONTENT, Duration::from_micros(micros), Some(7));
        }
        let text = metrics.text(&gates, 3, 0);
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
            "lockstep_answer_bytes_total 28",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
