//! Test connection: can this target be worked with? And what its `/Schemas` tells.

use std::time::Duration;

use mapping::ObjectType;
use serde_json::{Map, Value};

use super::client::{CallError, Target, listed};
use super::failure::{ConnectionProblem, scim_detail, shown};
use super::transport::Response;
use crate::dialect;
use crate::discovery::Discovered;
use crate::object_plan::Failure;
use crate::target_path::TargetPath;

/// Longest piece of an answer in a message.
const MESSAGE_BYTES_MAX: usize = 120;

/// Asks for a user that cannot exist, and for a group where groups are provisioned. The target must answer each with a
/// list: an empty one or, where it ignores filters, everything it has, which can be searched here; but not a part of it.
/// `nonce` makes the name; `patience` is how long all answers together are waited for.
pub async fn test_connection(
    target: &Target,
    matching: &[(ObjectType, &TargetPath)],
    nonce: &str,
    mut patience: Duration,
) -> Result<(), ConnectionProblem> {
    let mut ignored = None;
    for (object, path) in matching {
        let query = dialect::match_query(target.dialect, *object, path, nonce);
        let answer = target.ask(&query, &mut patience).await.map_err(problem)?;
        match judge(*object, path, &answer) {
            // What may be taken all the same is told last: any other problem may not.
            Err(problem @ ConnectionProblem::IgnoresFilters(_)) => ignored = ignored.or(Some(problem)),
            judged => judged?,
        }
    }
    ignored.map_or(Ok(()), Err)
}

fn judge(object: ObjectType, path: &TargetPath, answer: &Response) -> Result<(), ConnectionProblem> {
    match (answer.status, listed(&answer.body)) {
        (200, Some(list)) if list.is_part => Err(ConnectionProblem::IgnoresFilters(path.text().to_owned())),
        (200, Some(_)) => Ok(()),
        (200..=299, _) => Err(ConnectionProblem::NotScim(what_it_is(answer))),
        (300..=399, _) => Err(ConnectionProblem::Redirect(answer.status)),
        (401 | 403, _) => Err(ConnectionProblem::Unauthorized(answer.status)),
        (404, _) => Err(ConnectionProblem::NotFound { path: dialect::collection(object) }),
        (status, _) => {
            let detail = scim_detail(&answer.body)
                .ok_or_else(|| ConnectionProblem::NotScim(format!("status {status}, {}", what_it_is(answer))))?;
            Err(ConnectionProblem::Refused { status, detail })
        }
    }
}

/// What an answer is, shortly: its type, never its content beyond a few words.
fn what_it_is(answer: &Response) -> String {
    match answer.content_type.as_deref() {
        Some(kind) if !kind.contains("json") => shown(kind.as_bytes()).chars().take(MESSAGE_BYTES_MAX).collect(),
        _ if answer.body.is_empty() => "an empty body".to_owned(),
        Some(_) => "JSON, but no SCIM list".to_owned(),
        None => "no content type".to_owned(),
    }
}

fn problem(error: CallError) -> ConnectionProblem {
    match error {
        CallError::Job(problem) => problem,
        CallError::Refused(Failure { reason, .. }) | CallError::Unknown(Failure { reason, .. }) => {
            ConnectionProblem::Unreachable(reason)
        }
    }
}

/// Why a target told nothing of its attributes. One sentence with the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the target's /Schemas cannot be read: {0}")]
pub struct Untold(String);

impl Untold {
    /// What an answer says that is not what was asked for. Only one that there is nothing to be read says what to do without.
    fn of(answer: &Response) -> Self {
        let status = answer.status;
        let said = scim_detail(&answer.body).unwrap_or_else(|| what_it_is(answer));
        Self(match status {
            300..=399 => ConnectionProblem::Redirect(status).to_string(),
            401 => ConnectionProblem::Unauthorized(status).to_string(),
            403 => format!(
                "the target forbids it (status 403: {said}); look at the application whether the tenant is suspended, and whether the token may read schemas"
            ),
            200..=299 | 400 | 404 | 405 | 410 | 501 => format!(
                "it answers with status {status}, {said}; a target without it has its attributes added by hand, to targetAttributes of its mappings"
            ),
            _ => format!("it answers with status {status}, {said}; try again later, or ask the operator of the target"),
        })
    }
}

/// Reads the target's `/Schemas` and, where there is one, `/ResourceTypes`. A target that does not answer within `patience` tells
/// nothing.
pub async fn discover(target: &Target, mut patience: Duration) -> Result<Discovered, Untold> {
    let schemas = resources_at(target, "/Schemas", &mut patience).await?;
    let resource_types = resources_at(target, "/ResourceTypes", &mut patience).await.unwrap_or_default();
    Ok(Discovered::read(&schemas, &resource_types))
}

async fn resources_at(target: &Target, path: &str, patience: &mut Duration) -> Result<Vec<Map<String, Value>>, Untold> {
    let answer = match target.ask(path, patience).await {
        Ok(answer) => answer,
        Err(error) => return Err(Untold(problem(error).to_string())),
    };
    match listed(&answer.body).filter(|_| answer.status == 200) {
        Some(list) => Ok(list.resources),
        None => Err(Untold::of(&answer)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::Instant;

    use super::*;
    use crate::gallery::Dialect;
    use crate::target::transport::{Request, SendError, Sending, Transport};

    /// A target that answers the first of its requests, after a while, and no other.
    struct Hanging {
        first_answer_after: Option<Duration>,
        asked: std::sync::atomic::AtomicU32,
    }

    impl Transport for Hanging {
        fn send(&self, _: Request) -> Sending<'_> {
            let number = self.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let after = self.first_answer_after.filter(|_| number == 0);
            Box::pin(async move {
                let Some(after) = after else { return std::future::pending().await };
                tokio::time::sleep(after).await;
                Err(SendError::Unknown("the connection broke".to_owned()))
            })
        }
    }

    #[test]
    fn a_target_that_hangs_is_waited_for_no_longer_than_was_said() {
        let patience = Duration::from_millis(40);
        for (first_answer_after, expected) in [(None, 40), (Some(10), 540), (Some(40), 40)] {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async {
                let first_answer_after = first_answer_after.map(Duration::from_millis);
                let target = Target::new(Arc::new(Hanging { first_answer_after, asked: 0.into() }), Dialect::Rfc);
                let path = TargetPath::parse("userName", ObjectType::User).unwrap();
                let began = Instant::now();
                let told = test_connection(&target, &[(ObjectType::User, &path)], "nobody", patience).await;
                assert!(matches!(told, Err(ConnectionProblem::Unreachable(_))), "{told:?}");
                // The pause before another attempt is not waiting for an answer.
                assert_eq!(began.elapsed(), Duration::from_millis(expected), "{first_answer_after:?}");
                let began = Instant::now();
                assert!(discover(&target, patience).await.is_err());
                assert_eq!(began.elapsed(), patience);
            });
        }
    }
}
