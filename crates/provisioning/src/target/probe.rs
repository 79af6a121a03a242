//! Test connection: can this target be worked with? And what its `/Schemas` tells.

use std::time::Duration;

use mapping::ObjectType;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::client::{CallError, Target, listed};
use super::failure::{ConnectionProblem, scim_detail, shown};
use super::transport::Response;
use crate::dialect;
use crate::object_plan::Failure;
use crate::target_path::TargetPath;

/// Attributes taken from a target's `/Schemas` at the most.
const DISCOVERED_MAX: usize = 2000;
/// Longest piece of an answer in a message.
const MESSAGE_BYTES_MAX: usize = 120;

/// What a target's `/Schemas` tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Discovered {
    /// `userName` is unique at the target.
    pub unique_users: bool,
    /// The `displayName` of groups is unique at the target.
    pub unique_groups: bool,
    /// Its attributes, those of extensions with their URN.
    pub attributes: Vec<String>,
}

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

/// Reads the target's `/Schemas`. A target without it, or one that does not answer within `patience`, tells nothing, which
/// is no failure.
pub async fn discover(target: &Target, mut patience: Duration) -> Discovered {
    match target.ask("/Schemas", &mut patience).await {
        Ok(answer) if answer.status == 200 => {
            listed(&answer.body).map_or_else(Discovered::default, |schemas| discovered(&schemas.resources))
        }
        Ok(_) | Err(_) => Discovered::default(),
    }
}

fn discovered(schemas: &[Map<String, Value>]) -> Discovered {
    let mut found = Discovered::default();
    for schema in schemas {
        let id = schema.get("id").and_then(Value::as_str).unwrap_or_default();
        let prefix = if id == scim::USER_URN || id == scim::GROUP_URN { String::new() } else { format!("{id}:") };
        for attribute in schema.get("attributes").and_then(Value::as_array).into_iter().flatten() {
            let name = attribute.get("name").and_then(Value::as_str).unwrap_or_default();
            let unique = attribute
                .get("uniqueness")
                .and_then(Value::as_str)
                .is_some_and(|unique| unique == "server" || unique == "global");
            found.unique_users |= unique && id == scim::USER_URN && name == "userName";
            found.unique_groups |= unique && id == scim::GROUP_URN && name == "displayName";
            if !name.is_empty() && found.attributes.len() < DISCOVERED_MAX {
                found.attributes.push(format!("{prefix}{name}"));
            }
        }
    }
    found
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
                assert_eq!(discover(&target, patience).await, Discovered::default());
                assert_eq!(began.elapsed(), patience);
            });
        }
    }
}
