//! What is learnt of one request on its way, and what is done with it at its end: counters and the request log.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::IntoResponse;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use jiff::Timestamp;
use provider::{Bearer, Caller, Credential, Definer, TenantSettings};
use store::TenantKey;
use tokio::time::Instant;

use crate::edge::Edge;
use crate::gates::{self, Gate};
use crate::in_clear::IsExposed;
use crate::leftover::Leftover;
use crate::limiter::Passage;
use crate::oauth::{IsBadClient, Refusal};
use crate::request_log::{Bodies, LOGGED_BODY_BYTES_MAX, Line, Names, Owner, secrets};
use crate::scim_api::{BodyPlace, IsBadToken, Rejection};
use crate::traces::{Told, Trace, TraceId};

/// Names a request, in it and in its answer.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest name that is taken from a client, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 64;
/// What stands in the log where the client went away before there was an answer.
const GONE: u16 = 499;

/// What is told of who calls.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    tenant: TenantKey,
    credential: Option<Credential>,
    wants_bodies: bool,
}

impl From<&Caller> for Known {
    fn from(caller: &Caller) -> Self {
        let wants_bodies = caller.settings().log_bodies == Some(true);
        Self { tenant: caller.tenant(), credential: caller.credential(), wants_bodies }
    }
}

impl From<&Definer> for Known {
    fn from(definer: &Definer) -> Self {
        let wants_bodies = definer.settings().log_bodies == Some(true);
        Self { tenant: definer.tenant(), credential: Some(definer.credential()), wants_bodies }
    }
}

impl From<&Bearer> for Known {
    fn from(bearer: &Bearer) -> Self {
        let wants_bodies = bearer.settings.log_bodies == Some(true);
        Self { tenant: bearer.tenant, credential: bearer.credential, wants_bodies }
    }
}

impl Known {
    /// Has the request pass its tenant's gate, and tells the trail whose it is.
    pub(crate) fn pass(
        self,
        edge: &Edge,
        trail: Option<&Arc<Trail>>,
        (name, settings): (&str, &TenantSettings),
    ) -> Result<(), Rejection> {
        let (gate, passage) = edge.gates.pass(self.tenant, name, settings.requests_per_second);
        if let Some(trail) = trail {
            trail.is_of(self, (gate, passage));
        }
        match passage {
            Passage::Refused { seconds } => Err(Rejection::TooMany { seconds }),
            Passage::Now | Passage::Later(_) => Ok(()),
        }
    }
}

/// What handlers tell of the request; handed to them with it.
#[derive(Default)]
pub(crate) struct Trail {
    caller: OnceLock<(Known, Arc<Gate>)>,
    /// The same where its token is for people and groups.
    admitted: OnceLock<Arc<Caller>>,
    later: OnceLock<Duration>,
    body: OnceLock<Bytes>,
    /// Bytes of the body.
    came: AtomicU64,
    /// Operations in the body beyond the first.
    operations: AtomicU64,
    trace: Option<Arc<Trace>>,
    leftover: Mutex<Option<Leftover>>,
    room: OnceLock<BodyPlace>,
}

impl Trail {
    /// Tells who calls, and how it passed. Only the first time counts.
    fn is_of(&self, known: Known, (gate, passage): (Arc<Gate>, Passage)) {
        // A look-up that ran again tells the same.
        drop(self.caller.set((known, gate)));
        if let Passage::Later(time) = passage {
            self.hold_back(time);
        }
    }

    /// Tells who calls in full. Only the first time counts.
    pub(crate) fn admits(&self, caller: &Arc<Caller>) {
        self.admitted.get_or_init(|| Arc::clone(caller));
    }

    /// Has the answer held back for so long.
    pub(crate) fn hold_back(&self, time: Duration) {
        self.later.get_or_init(|| time);
    }

    /// For how long the answer is held back.
    pub(crate) fn later(&self) -> Option<Duration> {
        self.later.get().copied()
    }

    /// Whose request it is, once that is known.
    pub(crate) fn tenant(&self) -> Option<TenantKey> {
        self.caller.get().map(|(known, _)| known.tenant)
    }

    /// The trace, where the request is followed and its steps are told.
    pub(crate) fn trace(&self) -> Option<&Arc<Trace>> {
        self.trace.as_ref().filter(|trace| trace.takes_steps())
    }

    /// Counts a body.
    pub(crate) fn came_bytes(&self, bytes: usize) {
        self.came.store(bytes as u64, Ordering::Relaxed);
    }

    /// Counts the operations in a body.
    pub(crate) fn did(&self, operations: usize) {
        self.operations.store(operations.saturating_sub(1) as u64, Ordering::Relaxed);
    }

    /// Counts a body, and keeps it for the log, where the tenant wants it.
    pub(crate) fn came(&self, body: &Bytes) {
        self.came_bytes(body.len());
        if self.wants_bodies() {
            drop(self.body.set(body.clone()));
        }
    }

    /// Keeps what was not read of the body.
    pub(crate) fn leave(&self, leftover: Leftover) {
        *self.leftover.lock().unwrap_or_else(PoisonError::into_inner) = Some(leftover);
    }

    /// Takes what was not read of the body.
    pub(crate) fn leftover(&self) -> Option<Leftover> {
        self.leftover.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Holds the room that the body takes as JSON until the request is over.
    pub(crate) fn hold(&self, room: BodyPlace) {
        drop(self.room.set(room));
    }

    fn wants_bodies(&self) -> bool {
        self.caller.get().is_some_and(|(known, _)| known.wants_bodies)
    }
}

/// A request on its way. Counted as one whose client has gone where no answer is told.
pub(crate) struct Passing {
    edge: Arc<Edge>,
    trail: Arc<Trail>,
    peer: Option<IpAddr>,
    method: Method,
    uri: Uri,
    id: HeaderValue,
    at: Timestamp,
    began: Instant,
    is_exposed: bool,
    is_done: bool,
}

impl Passing {
    pub(crate) fn begin(
        edge: &Arc<Edge>,
        peer: Option<IpAddr>,
        at: Timestamp,
        head: (&Method, &Uri, &HeaderMap),
    ) -> Self {
        let (method, uri, headers) = head;
        edge.metrics.begin();
        let began = Instant::now();
        let trace = edge.traces.as_ref().and_then(|traces| traces.begin(headers, began.into_std()));
        Self {
            edge: Arc::clone(edge),
            trail: Arc::new(Trail { trace, ..Trail::default() }),
            peer,
            method: method.clone(),
            uri: uri.clone(),
            id: request_id(edge, headers),
            at,
            began,
            is_exposed: false,
            is_done: false,
        }
    }

    pub(crate) fn trail(&self) -> Arc<Trail> {
        Arc::clone(&self.trail)
    }

    /// Names the trace of the request, where it has one.
    pub(crate) fn trace_id(&self) -> Option<TraceId> {
        self.trail.trace.as_ref().map(|trace| trace.id)
    }

    /// Takes the answer, and gives the one to send.
    pub(crate) async fn end(mut self, mut answer: Response<Body>) -> Response<Body> {
        let is_bad_client = answer.extensions().get::<IsBadClient>().is_some();
        if is_bad_client || answer.extensions().get::<IsBadToken>().is_some() {
            let wait = self.edge.failures.count(self.peer, self.tenant());
            self.edge.metrics.bad_token(wait.is_some());
            if let Some(seconds) = wait {
                answer = if is_bad_client {
                    Refusal::TooManyTries { seconds }.into_response()
                } else {
                    Rejection::BadTokens { seconds }.into_response()
                };
            }
        }
        self.is_exposed = answer.extensions().get::<IsExposed>().is_some();
        let mut sent = None;
        if self.edge.log.is_some() && self.trail.wants_bodies() {
            (answer, sent) = kept(answer).await;
        }
        answer.headers_mut().insert(REQUEST_ID, self.id.clone());
        let bytes = answer.body().size_hint().exact();
        self.told(answer.status(), bytes, sent.as_deref());
        answer
    }

    /// The tenant in the address.
    fn tenant(&self) -> &str {
        self.uri.path().strip_prefix("/t/").and_then(|rest| rest.split('/').next()).unwrap_or_default()
    }

    fn told(&mut self, status: StatusCode, bytes: Option<u64>, sent: Option<&[u8]>) {
        self.is_done = true;
        let took = self.began.elapsed();
        let came = self.trail.came.load(Ordering::Relaxed);
        self.edge.metrics.end(&self.method, status, took, (came, bytes));
        self.told_to_collector(took, status, (came, bytes));
        let caller = self.trail.caller.get();
        if let Some((_, gate)) = caller {
            gate.answers[crate::metrics::class(status)].fetch_add(1, Ordering::Relaxed);
            gate.owe(gates::further(came, bytes.unwrap_or(0), self.trail.operations.load(Ordering::Relaxed)));
        }
        if let Some(log) = &self.edge.log {
            let owner = match caller {
                Some((_, gate)) => Owner::Tenant(Arc::clone(gate)),
                None if self.tenant().is_empty() => return,
                None => Owner::Named(self.tenant().to_owned()),
            };
            let came = self.trail.body.get();
            log.add(owner, &self.line(took, status, bytes, (came.map(|came| &came[..]), sent)));
        }
    }

    fn told_to_collector(&self, took: Duration, status: StatusCode, (came, bytes): (u64, Option<u64>)) {
        let (Some(traces), Some(trace)) = (&self.edge.traces, &self.trail.trace) else { return };
        let mut id = self.id.as_bytes().to_vec();
        // A client may call its request what it likes.
        secrets(&mut id);
        traces.end(
            trace,
            &Told {
                at: self.at,
                took,
                method: &self.method,
                path: self.uri.path(),
                status: (status.as_u16() != GONE).then_some(status),
                tenant: self.trail.caller.get().map(|(_, gate)| gate.tenant.as_str()),
                id: &String::from_utf8_lossy(&id),
                came,
                bytes,
            },
        );
    }

    fn names(&self) -> Names<'_> {
        let admitted = self.trail.admitted.get();
        Names {
            tenant: self.tenant(),
            profile: admitted.map(|caller| caller.profile()),
            own: admitted.and_then(|caller| Some(caller.settings().address.as_ref()?.path())),
        }
    }

    fn line<'a>(&'a self, took: Duration, status: StatusCode, bytes: Option<u64>, bodies: Bodies<'a>) -> Line<'a> {
        Line {
            at: self.at,
            took,
            method: &self.method,
            uri: &self.uri,
            names: self.names(),
            status,
            caller: self.trail.caller.get().and_then(|(known, _)| known.credential),
            bytes,
            id: self.id.to_str().unwrap_or_default(),
            trace: self.trace_id(),
            is_exposed: self.is_exposed,
            bodies: self.trail.wants_bodies().then_some(bodies),
        }
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if !self.is_done {
            self.told(StatusCode::from_u16(GONE).unwrap_or(StatusCode::BAD_REQUEST), None, None);
        }
    }
}

/// The answer with its body, where that is there already and not too long for the log.
async fn kept(answer: Response<Body>) -> (Response<Body>, Option<Bytes>) {
    let is_short = answer.body().size_hint().upper().is_some_and(|bytes| bytes <= LOGGED_BODY_BYTES_MAX as u64);
    if !is_short {
        return (answer, None);
    }
    let (head, body) = answer.into_parts();
    match body.collect().await {
        Ok(body) => {
            let body = body.to_bytes();
            let kept = (!body.is_empty()).then(|| body.clone());
            (Response::from_parts(head, Body::from(body)), kept)
        }
        Err(_) => (Rejection::Internal.into_response(), None),
    }
}

/// The id that the client gave, if it is one, else a new one.
fn request_id(edge: &Edge, headers: &HeaderMap) -> HeaderValue {
    let given = headers.get(REQUEST_ID).filter(|given| {
        let is_of_id = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        (1..=REQUEST_ID_BYTES_MAX).contains(&given.len()) && given.as_bytes().iter().all(is_of_id)
    });
    given.cloned().unwrap_or_else(|| new_request_id(edge))
}

pub(crate) fn new_request_id(edge: &Edge) -> HeaderValue {
    HeaderValue::try_from(edge.request_id()).expect("letters, digits and a hyphen are allowed in a header")
}
