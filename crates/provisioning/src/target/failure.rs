//! What a target's answers mean, in Entra's codes, and in one sentence with the cure where a person is asking.

use crate::object_plan::Failure;

/// Longest piece of a target's answer that is shown or logged.
const SHOWN_BYTES_MAX: usize = 2048;
/// Stands where such a piece was cut.
pub const CUT: &str = "…";

/// Why a target cannot be worked with. One sentence with the cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionProblem {
    /// It cannot be reached.
    #[error("{0}")]
    Unreachable(String),
    /// The token is refused.
    #[error("{}", refused_token(*.0))]
    Unauthorized(u16),
    /// There is no SCIM endpoint at the address.
    #[error(
        "{path} was not found at the target (404); check the Tenant URL: it is the address to which {path} is appended"
    )]
    NotFound {
        /// The path that was asked for.
        path: &'static str,
    },
    /// The answer is no SCIM answer.
    #[error(
        "the target does not answer as a SCIM server ({0}); check that the Tenant URL names a SCIM endpoint and not a web page"
    )]
    NotScim(String),
    /// It redirects elsewhere.
    #[error("the target redirects (status {0}), which is never followed; use the address it redirects to")]
    Redirect(u16),
    /// It has too many requests, and takes none for a long time.
    #[error(
        "the target has taken no request for minutes, as it has too many (status 429); ask its operator for the limit, and give the job a longer interval or fewer requests at a time (--concurrency)"
    )]
    Busy,
    /// It answers a filter with a part of everything it has.
    #[error("{}", ignored_filter(.0).reason)]
    IgnoresFilters(String),
    /// Any other refusal.
    #[error("the target answered with status {status}: {detail}")]
    Refused {
        /// The status.
        status: u16,
        /// What it said.
        detail: String,
    },
}

fn refused_token(status: u16) -> String {
    if status == 403 {
        return "the target knows the secret token but forbids what it asks for (status 403); look at the application whether the tenant is suspended or the token may read and write users".to_owned();
    }
    format!(
        "the target refused the secret token (status {status}); create a new one at the application and set it again"
    )
}

/// A failure that nobody knows whether an object exists: among the first of all objects it is not.
pub fn ignored_filter(attribute: &str) -> Failure {
    let reason = format!(
        "the target ignores filters: asked for one {attribute} it answered with the first of all objects, so whether the one asked for exists cannot be known; have the target filter by {attribute}, or match by an attribute that it filters by"
    );
    Failure { code: "SystemForCrossDomainIdentityManagementServiceIncompatible", reason }
}

/// The code of a refusal that says nothing of the object, but only that the target is busy.
pub(crate) const TOO_MANY_REQUESTS: &str = "TooManyRequests";

/// The code of Entra's provisioning log for a refusal, and its text in Entra's layout.
pub fn failure_of_status(status: u16, body: &[u8]) -> Failure {
    let (code, name) = match status {
        300..=399 => ("RedirectRefused", "Redirect"),
        400 => ("SystemForCrossDomainIdentityManagementServiceIncompatible", "BadRequest"),
        401 => ("Unauthorized", "Unauthorized"),
        403 => ("InsufficientRights", "Forbidden"),
        404 | 410 => ("InvalidAnchor", "NotFound"),
        405 => ("MethodNotAllowed", "MethodNotAllowed"),
        409 => ("EntryConflict", "Conflict"),
        422 => ("UnprocessableEntity", "UnprocessableEntity"),
        429 => (TOO_MANY_REQUESTS, "TooManyRequests"),
        501 => ("NotImplemented", "NotImplemented"),
        500..=599 => ("InternalServerError", "InternalServerError"),
        _ => ("WebExceptionProtocolError", "Unexpected"),
    };
    let shown = shown(body);
    let message = scim_detail(body).unwrap_or_else(|| format!("the target answered with status {status}"));
    Failure { code, reason: format!("StatusCode: {name}\r\nMessage: {message}\r\nWeb Response: \r\n{shown}") }
}

/// The `detail` of a SCIM error body (RFC 7644 §3.12).
pub fn scim_detail(body: &[u8]) -> Option<String> {
    let value = scim::parse_json(body).ok()?;
    Some(shown(value.get("detail")?.as_str()?.as_bytes()))
}

/// Whether a refusal is about how a request is written: a path, a value, the syntax (RFC 7644 §3.12, `scimType`).
pub fn is_about_the_form(body: &[u8]) -> bool {
    let value = scim::parse_json(body).ok();
    let kind = value.as_ref().and_then(|value| value.get("scimType")).and_then(serde_json::Value::as_str);
    kind.is_some_and(|kind| ["invalidPath", "invalidValue", "invalidSyntax"].contains(&kind))
}

/// The beginning of an answer as printable text, with a mark where it was cut.
pub fn shown(body: &[u8]) -> String {
    let Some((begin, _)) = body.split_at_checked(SHOWN_BYTES_MAX).filter(|(_, rest)| !rest.is_empty()) else {
        return printable(&String::from_utf8_lossy(body));
    };
    // A character that was cut in two is left out.
    let text = String::from_utf8_lossy(begin);
    printable(text.trim_end_matches(char::REPLACEMENT_CHARACTER)) + CUT
}

fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() && character != '\n' { ' ' } else { character }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes() {
        for (status, code) in [
            (400, "SystemForCrossDomainIdentityManagementServiceIncompatible"),
            (404, "InvalidAnchor"),
            (409, "EntryConflict"),
            (429, "TooManyRequests"),
            (503, "InternalServerError"),
            (302, "RedirectRefused"),
        ] {
            assert_eq!(failure_of_status(status, b"").code, code);
        }
    }

    #[test]
    fn answers_are_shown_short_and_printable() {
        let failure = failure_of_status(409, br#"{"schemas":[],"detail":"userName\u0007 taken","status":"409"}"#);
        assert!(
            failure.reason.starts_with("StatusCode: Conflict\r\nMessage: userName  taken\r\n"),
            "{}",
            failure.reason
        );
        assert!(failure_of_status(500, &vec![b'x'; 1 << 20]).reason.len() < 3000);
        assert_eq!(shown(b"\x1b[31mred\xff"), " [31mred\u{fffd}");
        let whole = "x".repeat(SHOWN_BYTES_MAX);
        assert_eq!(shown(whole.as_bytes()), whole);
        assert_eq!(shown(format!("{whole}y").as_bytes()), format!("{whole}{CUT}"));
        let begun = "x".repeat(SHOWN_BYTES_MAX - 1);
        assert_eq!(shown(format!("{begun}é").as_bytes()), format!("{begun}{CUT}"), "no half of a character");
    }
}
