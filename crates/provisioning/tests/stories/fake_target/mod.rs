//! An application in memory behind the seam of the SCIM client: what it was asked, what it holds, and how it fails. What
//! it does with a request that reaches it is in `application`.

mod application;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use provisioning::target::{Method, Request, Response, SendError, Sending, Transport};
use serde_json::{Value, json};
use store::links::{LinkState, open_links};
use store::{AppId, ObjectKind, Store};

pub use application::Application;

use crate::world::Clock;

/// What an application is like.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a trait of its own")]
pub struct Nature {
    /// It refuses a second user or group of the same name.
    pub unique: bool,
    /// A create is found by queries and reads only after this time.
    pub lag: SignedDuration,
    /// It knows no groups: `/Groups` answers 404 to all but queries.
    pub users_only: bool,
    /// It answers every query with everything it has.
    pub ignores_filters: bool,
    /// It answers a query with this many objects at the most.
    pub page: usize,
    /// It stores display names in capitals.
    pub normalises: bool,
    /// It keeps in its groups who is deleted.
    pub keeps_members: bool,
}

impl Nature {
    /// Like most applications.
    pub const ORDINARY: Self = Self {
        unique: true,
        lag: SignedDuration::ZERO,
        users_only: false,
        ignores_filters: false,
        page: 200,
        normalises: false,
        keeps_members: false,
    };
}

impl Default for Nature {
    fn default() -> Self {
        Self::ORDINARY
    }
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is served.
    None,
    /// The connection cannot be made.
    Unreachable,
    /// It is lost on its way; the sender cannot know.
    Lost,
    /// It is carried out, and the answer is lost.
    AnswerLost,
    /// It is answered with a status, and not carried out.
    Refused(u16, Option<u64>),
    /// It is carried out, and answered with a status of failure.
    AppliedThenRefused(u16),
    /// It takes long; the sender gives up, and it is carried out after this time.
    Late(SignedDuration),
    /// It takes long, and then it is served.
    Slow(Duration),
    /// It is carried out, and answered with something that is no SCIM.
    Garbage,
    /// It is answered with another object than the one it is about.
    OtherId,
    /// It is never answered.
    Silent,
    /// It is served when the story says so.
    Held,
    /// It is served, and answered when the story says so.
    AnswerHeld,
    /// It is refused for the way it is written, with this `scimType`.
    Malformed(&'static str),
    /// It is refused with this status, in words that repeat what was sent, and what it holds.
    Repeated(u16),
    /// The sender dies before it is served.
    CrashBefore,
    /// The sender dies after it was served, before it has the answer.
    CrashAfter,
}

/// A request that was made, and how it was answered; no status where no answer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The method.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// The body.
    pub body: Option<Value>,
    /// The status.
    pub status: Option<u16>,
}

impl Recorded {
    /// Whether it may change the application.
    pub fn is_write(&self) -> bool {
        self.method != "GET"
    }
}

/// Chooses what happens to each request.
pub type Faults = Box<dyn FnMut(&Request) -> Fault + Send>;

struct State {
    application: Application,
    requests: Vec<Recorded>,
    faults: Faults,
    late: Vec<(Timestamp, Request)>,
    witness: Option<(Store, AppId)>,
}

/// An application; cheap to clone.
#[derive(Clone)]
pub struct FakeTarget {
    state: Arc<Mutex<State>>,
    clock: Clock,
    crash: Arc<tokio::sync::Notify>,
    held: Arc<tokio::sync::Notify>,
    freed: Arc<tokio::sync::Notify>,
    answer_held: Arc<tokio::sync::Notify>,
    answer_freed: Arc<tokio::sync::Notify>,
}

impl FakeTarget {
    /// An empty application.
    pub fn new(nature: Nature, clock: Clock) -> Self {
        let state = State {
            application: Application::new(nature),
            requests: Vec::new(),
            faults: Box::new(|_| Fault::None),
            late: Vec::new(),
            witness: None,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            clock,
            crash: Arc::default(),
            held: Arc::default(),
            freed: Arc::default(),
            answer_held: Arc::default(),
            answer_freed: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds the lock")
    }

    /// Looks at, or changes, what the application holds, behind the back of the engine.
    pub fn with<T>(&self, with: impl FnOnce(&mut Application) -> T) -> T {
        self.run_late();
        with(&mut self.state().application)
    }

    /// Lets a function decide what happens to each request from now on.
    pub fn fail(&self, faults: impl FnMut(&Request) -> Fault + Send + 'static) {
        self.state().faults = Box::new(faults);
    }

    /// Lets one thing happen to the next request that the predicate chooses.
    pub fn fail_once(&self, fault: Fault, mut chosen: impl FnMut(&Request) -> bool + Send + 'static) {
        let mut fault = Some(fault);
        self.fail(move |request| if chosen(request) { fault.take().unwrap_or(Fault::None) } else { Fault::None });
    }

    /// Serves every request from now on.
    pub fn heal(&self) {
        self.fail(|_| Fault::None);
    }

    /// From now on a create without an intent in the store is a violation.
    pub fn watch_intents(&self, store: Store, app: AppId) {
        self.state().witness = Some((store, app));
    }

    /// What was asked since the last call.
    pub fn take_requests(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.state().requests)
    }

    /// What was asked since the last call and may have changed the application.
    pub fn take_writes(&self) -> Vec<Recorded> {
        self.take_requests().into_iter().filter(Recorded::is_write).collect()
    }

    /// Is ready when a request is held.
    pub async fn holds(&self) {
        self.held.notified().await;
    }

    /// Lets the request that is held be served.
    pub fn frees(&self) {
        self.freed.notify_one();
    }

    /// Is ready when an answer is held.
    pub async fn holds_answer(&self) {
        self.answer_held.notified().await;
    }

    /// Lets the answer that is held be given.
    pub fn frees_answer(&self) {
        self.answer_freed.notify_one();
    }

    /// Is ready when a fault of the kind *crash* has happened.
    pub async fn crashed(&self) {
        self.crash.notified().await;
    }

    /// Carries out what was on its way for so long, as of the moment when it arrived.
    fn run_late(&self) {
        let now = self.clock.now();
        let mut state = self.state();
        let (due, waiting) = std::mem::take(&mut state.late).into_iter().partition(|(at, _)| *at <= now);
        state.late = waiting;
        let due: Vec<(Timestamp, Request)> = due;
        for (at, request) in due {
            state.application.serve(&request, at);
        }
    }

    fn serve(&self, request: &Request) -> Response {
        let now = self.clock.now();
        self.state().application.serve(request, now)
    }

    fn record(&self, request: &Request) -> usize {
        let mut state = self.state();
        state.requests.push(Recorded {
            method: request.method.as_str(),
            path: request.path.clone(),
            body: request.body.as_ref().and_then(|body| serde_json::from_slice(body).ok()),
            status: None,
        });
        state.requests.len() - 1
    }

    fn answered(&self, number: usize, response: Response) -> Response {
        if let Some(recorded) = self.state().requests.get_mut(number) {
            recorded.status = Some(response.status);
        }
        response
    }

    /// A create must have been written down before it is sent.
    async fn check_intent(&self, request: &Request) {
        let witness = self.state().witness.clone();
        let (Some((store, app)), Method::Post) = (witness, request.method) else { return };
        let kind = if request.path.starts_with("/Users") { ObjectKind::User } else { ObjectKind::Group };
        let body: Value =
            request.body.as_deref().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
        let name = body.get("userName").or_else(|| body.get("displayName")).map(Value::to_string).unwrap_or_default();
        let links = store.scan(move |tx| open_links(tx, app, None, 10_000)).await.expect("the store can be read");
        if !links
            .iter()
            .any(|link| link.kind == kind && link.state == LinkState::Creating && link.match_key.contains(&name))
        {
            self.state().application.violations.push(format!("a create of {name} was sent without an intent"));
        }
    }

    async fn carry(&self, request: Request) -> Result<Response, SendError> {
        self.check_intent(&request).await;
        self.run_late();
        let number = self.record(&request);
        let fault = (self.state().faults)(&request);
        match fault {
            Fault::None => Ok(self.answered(number, self.serve(&request))),
            Fault::Unreachable => Err(SendError::NotSent("no connection".to_owned())),
            Fault::Lost => Err(SendError::Unknown("no answer".to_owned())),
            Fault::AnswerLost => {
                self.serve(&request);
                Err(SendError::Unknown("no answer".to_owned()))
            }
            Fault::Refused(status, retry_after) => {
                Ok(self.answered(number, Response { retry_after, ..application::refusal(status, "refused") }))
            }
            Fault::AppliedThenRefused(status) => {
                self.serve(&request);
                Ok(self.answered(number, application::refusal(status, "failed")))
            }
            Fault::Late(after) => {
                let due = self.clock.now() + after;
                self.state().late.push((due, request));
                Err(SendError::Unknown("no answer in time".to_owned()))
            }
            Fault::Slow(duration) => {
                tokio::time::sleep(duration).await;
                Ok(self.answered(number, self.serve(&request)))
            }
            Fault::Garbage => Ok(self.answered(number, application::page(self.serve(&request).status))),
            Fault::OtherId => Ok(self.answered(number, application::with_other_id(self.serve(&request)))),
            Fault::Silent => std::future::pending().await,
            Fault::Held => {
                self.held.notify_one();
                self.freed.notified().await;
                Ok(self.answered(number, self.serve(&request)))
            }
            Fault::AnswerHeld => {
                let response = self.serve(&request);
                self.answer_held.notify_one();
                self.answer_freed.notified().await;
                Ok(self.answered(number, response))
            }
            Fault::Malformed(kind) => Ok(self.answered(number, application::malformed(kind))),
            Fault::Repeated(status) => {
                let sent = request.body.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
                let held = self.with(|app| app.users.values().map(|user| json!(user.attributes)).collect::<Value>());
                Ok(self.answered(number, application::refusal(status, &format!("{sent} {held}"))))
            }
            Fault::CrashBefore => self.die().await,
            Fault::CrashAfter => {
                self.serve(&request);
                self.die().await
            }
        }
    }

    async fn die(&self) -> Result<Response, SendError> {
        self.crash.notify_one();
        std::future::pending().await
    }
}

impl Transport for FakeTarget {
    fn send(&self, request: Request) -> Sending<'_> {
        Box::pin(self.carry(request))
    }
}
