//! What holds for all requests, whoever serves them: limits, counters, the request log, ids of requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use store::Figures;

use crate::connections::Connections;
use crate::failures::Failures;
use crate::gates::{Gates, REQUESTS_PER_SECOND};
use crate::metrics::{Beside, Metrics};
use crate::request_log::{LogSettings, RequestLog};
use crate::traces::{TraceSettings, Traces};

/// What an operator can set of it.
#[derive(Clone, Debug)]
pub struct EdgeSettings {
    /// Requests that a tenant without a rate of its own may send in a second while others are served; 0 for no such limit.
    pub requests_per_second: u32,
    /// Where the request log is kept, if it is.
    pub log: Option<LogSettings>,
    /// How requests are traced, if they are; who wants that runs [`App::send_spans`](crate::App::send_spans) too.
    pub traces: Option<TraceSettings>,
}

impl Default for EdgeSettings {
    fn default() -> Self {
        Self { requests_per_second: REQUESTS_PER_SECOND, log: None, traces: None }
    }
}

/// Shared by all connections.
pub(crate) struct Edge {
    pub(crate) gates: Gates,
    pub(crate) failures: Failures,
    pub(crate) metrics: Metrics,
    pub(crate) connections: Arc<Connections>,
    pub(crate) log: Option<RequestLog>,
    pub(crate) traces: Option<Traces>,
    /// Set when no new connections are accepted any more.
    pub(crate) is_stopping: AtomicBool,
    /// What the ids of requests begin with: different each time the server starts.
    run: String,
    requests: AtomicU64,
}

/// Characters of an id that tell one run of the server from another.
const RUN_CHARS: usize = 12;

impl Default for Edge {
    fn default() -> Self {
        Self::new(&EdgeSettings::default(), None, None, "")
    }
}

impl Edge {
    /// Takes a random id, whose last characters become the beginning of ids.
    pub(crate) fn new(settings: &EdgeSettings, log: Option<RequestLog>, traces: Option<Traces>, random: &str) -> Self {
        let run = random.get(random.len().saturating_sub(RUN_CHARS)..).unwrap_or_default();
        Self {
            gates: Gates::new(settings.requests_per_second),
            failures: Failures::default(),
            metrics: Metrics::default(),
            connections: Arc::default(),
            log,
            traces,
            is_stopping: AtomicBool::new(false),
            run: run.to_owned(),
            requests: AtomicU64::new(0),
        }
    }

    /// A new id for a request.
    pub(crate) fn request_id(&self) -> String {
        format!("{}-{:x}", self.run, self.requests.fetch_add(1, Ordering::Relaxed))
    }

    /// The counters as text, with those of the store.
    pub(crate) fn metrics_text(&self, store: &Figures) -> String {
        self.metrics.text(&Beside {
            gates: &self.gates,
            connections: self.connections.open(),
            log_dropped: self.log.as_ref().map_or(0, RequestLog::dropped),
            spans: self.traces.as_ref().map(|traces| traces.queue.counted()),
            store,
        })
    }
}
