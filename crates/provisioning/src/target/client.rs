//! The SCIM client: the five calls a cycle makes, with retries, waiting as the target asks, and every answer checked
//! before it is believed.
//!
//! Whoever sends a write gives it a leave, which is asked for once more whenever the write had to wait: what was written down
//! about it before is too old by then, and somebody else may have taken the job over. Where it is refused, that is the outer of
//! the two errors, and nothing more is sent.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use mapping::ObjectType;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::failure::{ConnectionProblem, failure_of_status, ignored_filter, is_about_the_form, shown};
use super::pace::Pace;
use super::transport::{Method, Request, Response, SendError, Transport};
use crate::dialect;
use crate::gallery::Dialect;
use crate::object_plan::{Failure, MatchValue};

/// Attempts of one call in one cycle.
const ATTEMPTS_MAX: u32 = 3;
/// Calls in a row, each sent again for [`BUSY_MAX`], that the target had no room for, after which a cycle stops.
const BUSY_CALLS_MAX: u32 = 3;
/// How long a call waits for what the target asks where it has too many, also after that many attempts. Only these waits count: what
/// else takes time meanwhile is not the call's fault.
const BUSY_MAX: Duration = Duration::from_secs(120);
/// Refusals of the token in a row after which a cycle stops.
const UNAUTHORIZED_MAX: u32 = 5;
/// Reads without an answer in a row, each tried [`ATTEMPTS_MAX`] times, after which a cycle stops.
const SILENT_MAX: u32 = 3;
/// Failures to connect in a row after which a cycle stops.
const UNREACHABLE_MAX: u32 = 3;
/// Shortest and longest wait that `Retry-After` can ask for.
const RETRY_AFTER_SECONDS: std::ops::RangeInclusive<u64> = 1..=3600;
/// Wait before the second attempt where the target names none; doubled for the third.
const RETRY_DELAY: Duration = Duration::from_millis(500);
/// What is said of a target that lets the questions of the connection test wait too long.
const NO_ANSWER: &str = "the target gave no answer in time; check the Tenant URL and that the application is running";
/// Longest `id` a target may give, in bytes.
const TARGET_ID_BYTES_MAX: usize = 1024;

/// A target: its transport, and the facts that decide how requests to it are written.
pub struct Target {
    transport: Arc<dyn Transport>,
    /// How requests are written.
    pub dialect: Dialect,
    requests: AtomicU64,
    unauthorized: AtomicU32,
    unreachable: AtomicU32,
    silent: AtomicU32,
    busy: AtomicU32,
    pace: Pace,
}

/// The cure that is told where a target does not understand how a request is written.
const DIALECT_HINT: &str = "\r\nHint: the target does not take Microsoft Entra's way of writing requests; if it follows RFC 7644 strictly, set the application's dialect to rfc (--dialect rfc)";

/// What is known of a target beside its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetFacts {
    /// It refuses a second user with the same matching value.
    pub unique_users: bool,
    /// It refuses a second group with the same matching value.
    pub unique_groups: bool,
}

impl TargetFacts {
    /// Whether it refuses a second object of this type with the same matching value.
    pub const fn refuses_duplicates(self, object: ObjectType) -> bool {
        match object {
            ObjectType::User => self.unique_users,
            ObjectType::Group => self.unique_groups,
        }
    }
}

/// Why a call failed, and so what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The target refused, definitely: it did nothing.
    Refused(Failure),
    /// The outcome is unknown: the target may have acted.
    Unknown(Failure),
    /// The cycle cannot go on.
    Job(ConnectionProblem),
}

/// The answer to a create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// The new object's id.
    pub id: String,
}

/// The answer to an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patched {
    /// It was carried out, and nothing of it can come later.
    Done,
    /// It was carried out, but an earlier attempt of the same call may still be carried out later.
    DoneButLate,
    /// There is no such object.
    Gone,
}

/// An answer whose status has not been judged, and whether an earlier attempt of the same call is of unknown outcome.
type Answer = Result<(Response, bool), CallError>;

impl Target {
    /// A target behind a transport.
    pub fn new(transport: Arc<dyn Transport>, dialect: Dialect) -> Self {
        Self {
            transport,
            dialect,
            requests: AtomicU64::new(0),
            unauthorized: AtomicU32::new(0),
            unreachable: AtomicU32::new(0),
            silent: AtomicU32::new(0),
            busy: AtomicU32::new(0),
            pace: Pace::new(),
        }
    }

    /// How many requests have been sent.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// The objects whose matching attribute has the value; where some have it in the same case, only those. A target that
    /// ignores the filter is found out here: only objects that really have the value are given, and where it gives but a part
    /// of others, nobody knows whether there is one.
    pub async fn find(
        &self,
        object: ObjectType,
        wanted: &MatchValue<'_>,
    ) -> Result<Vec<Map<String, Value>>, CallError> {
        let listed = self.list_matching(object, wanted).await?;
        having(listed, wanted)
    }

    /// Whether an object has the value. One that the target lists without telling the attribute has it: it was asked for nothing
    /// else. Where objects are listed that have another value, the target ignores the filter and that says nothing.
    pub async fn is_taken(&self, object: ObjectType, wanted: &MatchValue<'_>) -> Result<bool, CallError> {
        names_one(self.list_matching(object, wanted).await?, wanted)
    }

    async fn list_matching(&self, object: ObjectType, wanted: &MatchValue<'_>) -> Result<Listed, CallError> {
        let path = dialect::match_query(self.dialect, object, wanted.path, &wanted.value);
        let (answer, _) = self.get(path, None).await?;
        if answer.status != 200 {
            return Err(self.refusal(&answer));
        }
        listed(&answer.body).ok_or_else(|| not_scim(&answer))
    }

    /// The object with that id; `None` where it is gone.
    pub async fn read(&self, object: ObjectType, id: &str) -> Result<Option<Map<String, Value>>, CallError> {
        let (answer, _) = self.get(dialect::read_path(object, id), None).await?;
        match answer.status {
            200 => {
                let resource = object_of(&answer.body).ok_or_else(|| not_scim(&answer))?;
                match resource_id(&resource) {
                    Some(given) if given == id => Ok(Some(resource)),
                    _ => Err(CallError::Refused(Failure {
                        code: "InvalidAnchor",
                        reason: "the target answered with another object than the one asked for".to_owned(),
                    })),
                }
            }
            404 | 410 => Ok(None),
            _ => Err(self.refusal(&answer)),
        }
    }

    /// Creates an object. Sent once: an outcome that is unknown is found out by a look-up, never by sending again.
    pub async fn create<E, F: Future<Output = Result<(), E>>>(
        &self,
        object: ObjectType,
        body: &Value,
        leave: impl Fn() -> F,
    ) -> Result<Result<Created, CallError>, E> {
        let path = dialect::collection(object).to_owned();
        let answer = self.call_within(Method::Post, path, Some(body), None, leave).await?;
        Ok(answer.and_then(|(answer, _)| self.created(&answer)))
    }

    fn created(&self, answer: &Response) -> Result<Created, CallError> {
        // Also where it is only accepted (202) or said in no words (204): it was not refused.
        if !(200..=299).contains(&answer.status) {
            return Err(self.refusal(answer));
        }
        let id = object_of(&answer.body).and_then(|resource| resource_id(&resource).map(str::to_owned));
        id.map(|id| Created { id }).ok_or_else(|| {
            CallError::Unknown(Failure {
                code: "SystemForCrossDomainIdentityManagementServiceIncompatible",
                reason: format!(
                    "the target answered the create with status {} but no usable id: {}",
                    answer.status,
                    shown(&answer.body)
                ),
            })
        })
    }

    /// Updates an object.
    pub async fn patch<E, F: Future<Output = Result<(), E>>>(
        &self,
        object: ObjectType,
        id: &str,
        body: &Value,
        leave: impl Fn() -> F,
    ) -> Result<Result<Patched, CallError>, E> {
        let path = dialect::write_path(object, id);
        let answer = self.call_within(Method::Patch, path, Some(body), None, leave).await?;
        Ok(answer.and_then(|(answer, late)| self.patched(&answer, late)))
    }

    fn patched(&self, answer: &Response, late: bool) -> Result<Patched, CallError> {
        match answer.status {
            200..=299 if is_page(answer) => Err(unknown(not_scim(answer))),
            200..=299 if late => Ok(Patched::DoneButLate),
            200..=299 => Ok(Patched::Done),
            404 | 410 => Ok(Patched::Gone),
            _ => Err(late_refusal(self.refusal(answer), late)),
        }
    }

    /// Deletes an object. One that is gone already counts as deleted.
    pub async fn delete<E, F: Future<Output = Result<(), E>>>(
        &self,
        object: ObjectType,
        id: &str,
        leave: impl Fn() -> F,
    ) -> Result<Result<(), CallError>, E> {
        let answer = self.call_within(Method::Delete, dialect::write_path(object, id), None, None, leave).await?;
        Ok(answer.and_then(|(answer, late)| self.deleted(&answer, late)))
    }

    fn deleted(&self, answer: &Response, late: bool) -> Result<(), CallError> {
        match answer.status {
            200..=299 if is_page(answer) => Err(unknown(not_scim(answer))),
            200..=299 | 404 | 410 => Ok(()),
            _ => Err(late_refusal(self.refusal(answer), late)),
        }
    }

    /// One request as it is, for the questions of the connection test. `patience` is how long answers are waited for, over
    /// all attempts, and over all questions that share it; what the target asks to wait does not count.
    pub(super) async fn ask(&self, path: &str, patience: &mut Duration) -> Result<Response, CallError> {
        Ok(self.get(path.to_owned(), Some(patience)).await?.0)
    }

    /// Reads need no leave.
    async fn get(&self, path: String, patience: Option<&mut Duration>) -> Answer {
        let Ok(answer) = self.call_within(Method::Get, path, None, patience, || ready(Ok::<_, Infallible>(()))).await;
        answer
    }

    async fn call_within<E, F: Future<Output = Result<(), E>>>(
        &self,
        method: Method,
        path: String,
        body: Option<&Value>,
        mut patience: Option<&mut Duration>,
        leave: impl Fn() -> F,
    ) -> Result<Answer, E> {
        let text = body.map(|body| serde_json::to_vec(body).expect("a JSON value is JSON"));
        let request = Request { method, path, body: text.map(Bytes::from) };
        let (mut attempt, mut busy, mut late, mut waited) = (1, 1, false, Duration::ZERO);
        loop {
            let turn = self.pace.lane().await;
            if (turn.was_waited_for || attempt > 1 || busy > 1) && method != Method::Get {
                leave().await?;
            }
            self.requests.fetch_add(1, Ordering::Relaxed);
            let result = self.send(request.clone(), patience.as_deref_mut()).await;
            let is_busy = matches!(&result, Ok(answer) if answer.status == 429);
            let has_another = match &patience {
                Some(left) if left.is_zero() => false,
                None if is_busy => busy < ATTEMPTS_MAX || waited < BUSY_MAX,
                Some(_) if is_busy => busy < ATTEMPTS_MAX,
                Some(_) | None => attempt < ATTEMPTS_MAX,
            };
            let delay = match self.judge(method, &result) {
                Next::Again(delay) if has_another => delay.unwrap_or(RETRY_DELAY * 2_u32.pow(attempt - 1)),
                Next::Done | Next::Again(_) => {
                    let ended = result.map_err(|error| late_refusal(self.give_up(method, error), late));
                    return Ok(ended.map(|answer| (answer, late)));
                }
            };
            late |= method != Method::Get && is_of_unknown_outcome(&result);
            drop(turn);
            if is_busy {
                busy += 1;
                waited += delay;
            } else {
                attempt += 1;
                tokio::time::sleep(delay).await;
            }
        }
    }

    /// Sends a request once. Where patience has an end, it is what is left of it that the answer is waited for.
    async fn send(&self, request: Request, patience: Option<&mut Duration>) -> Result<Response, SendError> {
        let Some(left) = patience else { return self.transport.send(request).await };
        let (began, limit) = (Instant::now(), *left);
        let result = tokio::time::timeout(limit, self.transport.send(request)).await;
        *left = limit.saturating_sub(began.elapsed());
        result.unwrap_or_else(|_| {
            *left = Duration::ZERO;
            Err(SendError::Unknown(NO_ANSWER.to_owned()))
        })
    }

    /// Whether an outcome is final, or the request may be sent again: never a create whose fate is unknown.
    fn judge(&self, method: Method, result: &Result<Response, SendError>) -> Next {
        match result {
            Ok(answer) => {
                self.unreachable.store(0, Ordering::Relaxed);
                self.silent.store(0, Ordering::Relaxed);
                if answer.status != 401 {
                    self.unauthorized.store(0, Ordering::Relaxed);
                }
                if answer.status == 429 {
                    self.pace.slow_down(retry_after(answer));
                } else {
                    self.pace.answered();
                    self.busy.store(0, Ordering::Relaxed);
                }
                match answer.status {
                    429 => Next::Again(Some(retry_after(answer))),
                    501 => Next::Done,
                    503 if method != Method::Post => {
                        Next::Again(answer.retry_after.as_ref().map(|_| retry_after(answer)))
                    }
                    500..=599 if method != Method::Post => Next::Again(None),
                    _ => Next::Done,
                }
            }
            Err(SendError::Unknown(_)) if method == Method::Post => Next::Done,
            Err(SendError::NotSent(_) | SendError::Unknown(_)) => Next::Again(None),
        }
    }

    fn give_up(&self, method: Method, error: SendError) -> CallError {
        match error {
            SendError::NotSent(cause) => {
                let failures = self.unreachable.fetch_add(1, Ordering::Relaxed) + 1;
                if failures >= UNREACHABLE_MAX {
                    CallError::Job(ConnectionProblem::Unreachable(cause))
                } else {
                    CallError::Refused(Failure { code: "WebExceptionProtocolError", reason: cause })
                }
            }
            // Only for reads: a write of unknown outcome has to be remembered as one.
            SendError::Unknown(cause) if method == Method::Get => {
                if self.silent.fetch_add(1, Ordering::Relaxed) + 1 >= SILENT_MAX {
                    return CallError::Job(ConnectionProblem::Unreachable(cause));
                }
                CallError::Refused(Failure { code: "Timeout", reason: cause })
            }
            SendError::Unknown(cause) => CallError::Unknown(Failure { code: "Timeout", reason: cause }),
        }
    }

    /// A status that is no success: refused for good, of unknown effect, or the end of the cycle.
    fn refusal(&self, answer: &Response) -> CallError {
        let mut failure = failure_of_status(answer.status, &answer.body);
        if self.dialect != Dialect::Rfc && answer.status == 400 && is_about_the_form(&answer.body) {
            failure.reason.push_str(DIALECT_HINT);
        }
        match answer.status {
            // What is forbidden (403) is so for this object: the token itself was good when the cycle began.
            401 if self.unauthorized.fetch_add(1, Ordering::Relaxed) + 1 >= UNAUTHORIZED_MAX => {
                CallError::Job(ConnectionProblem::Unauthorized(answer.status))
            }
            429 if self.busy.fetch_add(1, Ordering::Relaxed) + 1 >= BUSY_CALLS_MAX => {
                CallError::Job(ConnectionProblem::Busy)
            }
            501 => CallError::Refused(failure),
            500..=599 => CallError::Unknown(failure),
            _ => CallError::Refused(failure),
        }
    }
}

/// Whether an attempt may have been, or may yet be, carried out.
fn is_of_unknown_outcome(result: &Result<Response, SendError>) -> bool {
    match result {
        Ok(answer) => matches!(answer.status, 500 | 502..=599),
        Err(SendError::Unknown(_)) => true,
        Err(SendError::NotSent(_)) => false,
    }
}

/// A refusal after an attempt of unknown outcome, or no more answers: the target may have acted all the same. Where the cycle cannot
/// go on, the next call finds that out too.
fn late_refusal(error: CallError, late: bool) -> CallError {
    if late { unknown(error) } else { error }
}

fn unknown(error: CallError) -> CallError {
    match error {
        CallError::Refused(failure) | CallError::Unknown(failure) => CallError::Unknown(failure),
        CallError::Job(problem) => {
            CallError::Unknown(Failure { code: "WebExceptionProtocolError", reason: problem.to_string() })
        }
    }
}

/// Whether a success is a page for people, such as a form to sign in: then nothing was carried out, or who knows.
fn is_page(answer: &Response) -> bool {
    answer.content_type.as_deref().is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}

enum Next {
    Done,
    Again(Option<Duration>),
}

/// The wait that a target asks for, within limits; the shortest where it names none.
fn retry_after(answer: &Response) -> Duration {
    let asked = answer.retry_after.unwrap_or_default();
    Duration::from_secs(asked.clamp(*RETRY_AFTER_SECONDS.start(), *RETRY_AFTER_SECONDS.end()))
}

fn not_scim(answer: &Response) -> CallError {
    CallError::Refused(Failure {
        code: "SystemForCrossDomainIdentityManagementServiceIncompatible",
        reason: format!(
            "the answer cannot be read as SCIM ({}): {}",
            answer.content_type.as_deref().unwrap_or("no content type"),
            shown(&answer.body)
        ),
    })
}

fn object_of(body: &[u8]) -> Option<Map<String, Value>> {
    match scim::parse_json(body).ok()? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// The objects of a list that really have a value; where some have it in the same case, only those.
fn having(listed: Listed, wanted: &MatchValue<'_>) -> Result<Vec<Map<String, Value>>, CallError> {
    let Listed { resources: mut found, is_part } = listed;
    let (path, value) = (wanted.path, Value::from(wanted.value.as_str()));
    found.retain(|resource| path.read(resource).is_some_and(|held| path.matches(held, &value)));
    let is_same = |resource: &Map<String, Value>| path.read(resource).is_some_and(|held| path.same(held, &value));
    if found.is_empty() && is_part {
        return Err(CallError::Refused(ignored_filter(path.text())));
    }
    if found.len() > 1 && found.iter().any(is_same) {
        found.retain(is_same);
    }
    Ok(found)
}

/// Whether a list names an object that has a value, or may have it.
fn names_one(listed: Listed, wanted: &MatchValue<'_>) -> Result<bool, CallError> {
    let is_silent = listed.resources.iter().all(|resource| wanted.path.read(resource).is_none());
    let is_answer = !listed.is_part && !listed.resources.is_empty();
    Ok((is_answer && is_silent) || !having(listed, wanted)?.is_empty())
}

/// What a ListResponse holds.
pub(super) struct Listed {
    /// Its resources.
    pub(super) resources: Vec<Map<String, Value>>,
    /// Whether there are some, and more than these (RFC 7644 §3.4.2, `totalResults`).
    pub(super) is_part: bool,
}

/// Reads a ListResponse.
pub(super) fn listed(body: &[u8]) -> Option<Listed> {
    let mut list = object_of(body)?;
    let total = list.get("totalResults")?.as_u64()?;
    let key = list.keys().find(|key| key.eq_ignore_ascii_case("resources")).cloned();
    let resources: Vec<_> = match key.and_then(|key| list.remove(&key)) {
        Some(Value::Array(items)) => items
            .into_iter()
            .map(|item| if let Value::Object(resource) = item { Some(resource) } else { None })
            .collect::<Option<_>>()?,
        Some(Value::Null) | None if total == 0 => Vec::new(),
        Some(_) | None => return None,
    };
    Some(Listed { is_part: !resources.is_empty() && total > resources.len() as u64, resources })
}

/// The `id` of a resource, if it can be used in an address.
pub fn resource_id(resource: &Map<String, Value>) -> Option<&str> {
    resource
        .get("id")?
        .as_str()
        .filter(|id| !id.is_empty() && id.len() <= TARGET_ID_BYTES_MAX && *id != "." && *id != "..")
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::super::transport::Sending;
    use super::*;
    use crate::target_path::TargetPath;

    /// Answers with these statuses in turn; 0 is no answer.
    struct Script(Mutex<Vec<u16>>);

    impl Transport for Script {
        fn send(&self, _: Request) -> Sending<'_> {
            let status = self.0.lock().unwrap().remove(0);
            let response =
                Response { status, retry_after: None, content_type: None, body: Bytes::from("{\"id\":\"1\"}") };
            Box::pin(ready(if status == 0 { Err(SendError::Unknown(String::new())) } else { Ok(response) }))
        }
    }

    /// Calls a target that answers so, with leave given so often; says how often leave was asked for, how many requests were
    /// sent, and whether leave was refused.
    async fn called(method: Method, statuses: &[u16], given: u32) -> (u32, u64, bool) {
        let target = Target::new(Arc::new(Script(Mutex::new(statuses.to_vec()))), Dialect::Rfc);
        let asked = AtomicU32::new(0);
        let leave = || ready(if asked.fetch_add(1, Ordering::Relaxed) < given { Ok(()) } else { Err(()) });
        let (user, body) = (ObjectType::User, Value::Null);
        let refused = match method {
            Method::Get => target.read(user, "1").await.is_err(),
            Method::Post => target.create(user, &body, leave).await.is_err(),
            Method::Patch => target.patch(user, "1", &body, leave).await.is_err(),
            Method::Delete => target.delete(user, "1", leave).await.is_err(),
        };
        (asked.into_inner(), target.requests(), refused)
    }

    #[test]
    fn who_is_listed_without_the_attribute_may_have_the_value() {
        let path = TargetPath::parse("nickName", ObjectType::User).unwrap();
        let wanted = MatchValue { path: &path, value: "ann".to_owned(), redacted: false };
        let (silent, ann, bob) = (json!({ "id": "1" }), json!({ "nickName": "Ann" }), json!({ "nickName": "bob" }));
        for (resources, total, expected) in [
            (json!([]), 0, Some(false)),
            (json!([silent]), 1, Some(true)),
            (json!([ann]), 1, Some(true)),
            (json!([bob]), 1, Some(false)),
            (json!([silent, bob]), 2, Some(false)),
            (json!([silent, ann]), 2, Some(true)),
            (json!([silent]), 2, None),
        ] {
            let body = json!({ "totalResults": total, "Resources": resources }).to_string();
            let taken = names_one(listed(body.as_bytes()).unwrap(), &wanted).ok();
            assert_eq!(taken, expected, "{body}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_had_to_wait_asks_for_leave_again() {
        use Method::{Delete, Get, Patch, Post};
        for (method, statuses, given, expected) in [
            (Post, &[201][..], 0, (0, 1, false)),
            (Post, &[0], 0, (0, 1, false)),
            (Post, &[429, 201], 9, (1, 2, false)),
            (Post, &[429, 429, 201], 9, (2, 3, false)),
            (Post, &[429, 429, 201], 1, (2, 2, true)),
            (Patch, &[503, 0, 200], 9, (2, 3, false)),
            (Patch, &[0], 0, (1, 1, true)),
            (Delete, &[429, 204], 9, (1, 2, false)),
            (Get, &[429, 503, 200], 0, (0, 3, false)),
        ] {
            assert_eq!(called(method, statuses, given).await, expected, "{method:?} {statuses:?}");
        }
    }
}
