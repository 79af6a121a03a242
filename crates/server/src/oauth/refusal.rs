//! Why there is no access token, as RFC 6749 §5.2 writes it. The sentences are ours alone: nothing of a request is repeated.

use axum::body::Body;
use axum::response::IntoResponse;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use provider::oauth::OAuthError;
use serde_json::json;

use super::{FORM_BYTES_MAX, may_pass};
use crate::in_clear::{IsExposed, TOLD};
use crate::media_type::ACCEPTED_CODINGS;

/// A request for a token that is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Another method than POST.
    Method,
    /// The form is compressed.
    Coded,
    /// The form is too long.
    TooLarge,
    /// The credential came where others could read it.
    InClear,
    /// The form did not arrive in time.
    Slow,
    /// Too many credentials were wrong of late (RFC 6749 §2.3.1).
    TooManyTries {
        /// Until the next may be tried.
        seconds: u64,
    },
    /// A use case refused or failed.
    OAuth(OAuthError),
}

/// Marks the answer to a client that has not proved who it is, so that such are counted.
#[derive(Clone, Copy)]
pub(crate) struct IsBadClient;

impl From<OAuthError> for Refusal {
    fn from(error: OAuthError) -> Self {
        Self::OAuth(error)
    }
}

impl Refusal {
    fn status(&self) -> (StatusCode, &'static str) {
        let error = match self {
            Self::Method => return (StatusCode::METHOD_NOT_ALLOWED, "invalid_request"),
            Self::Coded => return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid_request"),
            Self::TooLarge => return (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request"),
            Self::InClear => return (StatusCode::FORBIDDEN, "invalid_request"),
            Self::Slow => return (StatusCode::REQUEST_TIMEOUT, "invalid_request"),
            Self::TooManyTries { .. } => return (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable"),
            Self::OAuth(error) => error,
        };
        match error {
            OAuthError::InvalidRequest(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            OAuthError::InvalidClient(_) => (StatusCode::UNAUTHORIZED, "invalid_client"),
            OAuthError::UnsupportedGrant => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            OAuthError::InvalidScope => (StatusCode::BAD_REQUEST, "invalid_scope"),
            OAuthError::Suspended => (StatusCode::FORBIDDEN, "unauthorized_client"),
            OAuthError::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            OAuthError::Store(error) if may_pass(error) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
            OAuthError::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
        }
    }

    fn description(&self) -> String {
        match self {
            Self::Method => "a token is asked for by POST".to_owned(),
            Self::Coded => "the form must not be compressed".to_owned(),
            Self::InClear => TOLD.to_owned(),
            Self::TooLarge => format!("a form has at most {FORM_BYTES_MAX} bytes"),
            Self::Slow => "the form did not arrive in time".to_owned(),
            Self::TooManyTries { .. } => {
                "too many credentials were wrong; try again after the time in Retry-After".to_owned()
            }
            Self::OAuth(OAuthError::Store(error)) if may_pass(error) => "the server is busy; try again".to_owned(),
            Self::OAuth(OAuthError::Store(_)) => "internal error".to_owned(),
            Self::OAuth(error) => error.to_string(),
        }
    }

    fn header(&self, status: StatusCode) -> Option<(HeaderName, HeaderValue)> {
        match (self, status) {
            (Self::TooManyTries { seconds }, _) => Some((header::RETRY_AFTER, HeaderValue::from(*seconds))),
            (Self::Coded, _) => Some((header::ACCEPT_ENCODING, ACCEPTED_CODINGS)),
            (Self::TooLarge | Self::Slow, _) => Some((header::CONNECTION, HeaderValue::from_static("close"))),
            (_, StatusCode::UNAUTHORIZED) => {
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"SCIM\"")))
            }
            (_, StatusCode::SERVICE_UNAVAILABLE) => Some((header::RETRY_AFTER, HeaderValue::from_static("5"))),
            _ => None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        if let Self::OAuth(OAuthError::Store(error)) = &self {
            tracing::error!("A request for a token failed in the store: {error}");
        }
        let (status, word) = self.status();
        let body = json!({ "error": word, "error_description": self.description() });
        let mut answer = Response::new(Body::from(body.to_string()));
        *answer.status_mut() = status;
        if matches!(self, Self::InClear) {
            answer.extensions_mut().insert(IsExposed);
        }
        if status == StatusCode::UNAUTHORIZED {
            answer.extensions_mut().insert(IsBadClient);
        }
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        if let Some((name, value)) = self.header(status) {
            headers.insert(name, value);
        }
        answer
    }
}
