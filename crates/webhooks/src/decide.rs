//! What is decided about an event and the answer to it: pure.

use jiff::{SignedDuration, Timestamp};
use provider::Event;
use store::Action;
use store::webhooks::{Progress, WebhookRecord};

/// Shortest wait after a failure, in seconds.
pub const RETRY_SECONDS_MIN: i64 = 5;
/// Longest wait, in seconds, also where the receiver asks for more.
pub const RETRY_SECONDS_MAX: i64 = 3600;
/// A webhook that has failed for so many hours without a success is paused.
pub const GIVEN_UP_AFTER_HOURS: i64 = 7 * 24;
/// Most of a reason that is kept, in characters.
const WHY_CHARS_MAX: usize = 500;

/// How a receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It has the event.
    Taken,
    /// It wants no more events (410).
    Gone,
    /// It does not have it, or not for sure.
    Failed {
        /// Why, in words.
        why: String,
        /// The wait that it asks for, in seconds.
        retry_after: Option<u64>,
    },
}

impl Answer {
    /// What a status means.
    pub fn of(status: u16, retry_after: Option<u64>) -> Self {
        match status {
            200..=299 => Self::Taken,
            410 => Self::Gone,
            300..=399 => {
                let why = format!("status {status}: redirects are not followed; give the final address");
                Self::Failed { why, retry_after }
            }
            _ => Self::Failed { why: format!("status {status}"), retry_after },
        }
    }
}

/// Whether a webhook wants an event: one of its names is wanted, and its resource type.
pub fn wants(webhook: &WebhookRecord, event: &Event) -> bool {
    let is_among = |list: &str, name: &str| list.is_empty() || list.split(' ').any(|one| one == name);
    let switched = event.switched.map(|active| if active { "activate" } else { "deactivate" });
    let is_wanted = [Some(action_name(event.action)), switched];
    is_among(&webhook.types, &event.resource_type)
        && is_wanted.into_iter().flatten().any(|name| is_among(&webhook.actions, name))
}

/// As the names of events of RFC 9967 §2.4 say it.
const fn action_name(action: Action) -> &'static str {
    match action {
        Action::Created => "create",
        Action::Patched => "patch",
        Action::Replaced => "put",
        Action::Deleted => "delete",
    }
}

/// How far a webhook has come after event number `number` was answered. `chance` is any number; it spreads the next attempts.
pub fn after(before: &Progress, number: i64, answer: &Answer, now: Timestamp, chance: u32) -> Progress {
    let failed = |why: &str| {
        let kept: String = why.chars().take(WHY_CHARS_MAX).collect();
        Progress {
            failures: before.failures.saturating_add(1),
            failing_since: before.failing_since.or(Some(now)),
            last_failure: Some((now, kept)),
            ..before.clone()
        }
    };
    match answer {
        Answer::Taken => Progress {
            read_to: number,
            failures: 0,
            failing_since: None,
            next_attempt: Timestamp::UNIX_EPOCH,
            last_success: Some(now),
            ..before.clone()
        },
        Answer::Gone => {
            let paused = Some("the receiver answered that it is gone (410)".to_owned());
            Progress { paused, ..failed("status 410") }
        }
        Answer::Failed { why, retry_after } => {
            let failed = failed(why);
            let wait = SignedDuration::from_secs(wait_seconds(failed.failures, *retry_after, chance));
            let next_attempt = now.checked_add(wait).unwrap_or(Timestamp::MAX);
            let failing = failed.failing_since.map_or(SignedDuration::ZERO, |since| now.duration_since(since));
            let is_given_up = failing >= SignedDuration::from_hours(GIVEN_UP_AFTER_HOURS);
            let paused = is_given_up.then(|| format!("nothing was taken for {} days", GIVEN_UP_AFTER_HOURS / 24));
            Progress { next_attempt, paused, ..failed }
        }
    }
}

/// Seconds until the next attempt: twice as long after each failure, a little spread, never less than the receiver asks for, within
/// [`RETRY_SECONDS_MAX`].
fn wait_seconds(failures: i64, retry_after: Option<u64>, chance: u32) -> i64 {
    let doublings = u32::try_from(failures.saturating_sub(1).clamp(0, 20)).unwrap_or(20);
    let plain = (RETRY_SECONDS_MIN << doublings).min(RETRY_SECONDS_MAX);
    // Up to a quarter more, so that many that failed together do not come back together.
    let spread = plain + ((plain * i64::from(chance)) >> 34);
    let asked = retry_after.map_or(0, |seconds| i64::try_from(seconds).unwrap_or(i64::MAX));
    spread.max(asked).min(RETRY_SECONDS_MAX)
}

#[cfg(test)]
mod tests;
