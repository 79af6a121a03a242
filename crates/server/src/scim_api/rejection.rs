//! What is answered instead of a result: one table from errors to status and keyword (RFC 7644 §3.12), no arm for "the rest".

use axum::body::Body;
use axum::response::IntoResponse;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use provider::{AuthError, ProviderError, SCHEMA_BYTES_MAX, SchemaError, Scope};
use scim::{ErrorBody, ScimError, ScimType};
use store::StoreError;

use super::answer;
use crate::in_clear::IsExposed;
use crate::media_type::ACCEPTED_CODINGS;
use crate::oauth::may_pass;
use crate::wire::Refusal;

/// Goes with the answer to a token that is not valid.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IsBadToken;

/// A request that is refused, or that failed.
#[derive(Debug)]
pub(crate) enum Rejection {
    /// No bearer token.
    NoToken,
    /// A token that opens nothing here.
    BadToken,
    /// The token came where others could read it.
    InClear,
    /// The tenant is suspended.
    Suspended,
    /// The token is for something else.
    OtherScope {
        /// The scope of one that is for this.
        needed: Scope,
    },
    /// What the tenant defines itself was changed while the request was on its way.
    SchemasChanged,
    /// What the tenant defines itself is yet to be read; answered by reading it.
    SchemasNotAtHand,
    /// The address leads nowhere.
    NoSuchAddress,
    /// What would be answered is at another version than the client names.
    NotAtVersion,
    /// The address has no such method.
    NoSuchMethod,
    /// Discovery has no filters (RFC 7644 §4).
    DiscoveryFilter,
    /// The body is not JSON by its own words.
    MediaType,
    /// The body is compressed.
    ContentEncoding,
    /// The body is too long.
    TooLarge,
    /// The document is too long for a definition.
    DefinitionTooLarge,
    /// The body did not arrive in time.
    BodyTooSlow,
    /// The body broke off.
    BodyBroken,
    /// The answer did not come in time.
    TooSlow,
    /// More requests of a tenant than it may send.
    TooMany {
        /// How long to wait.
        seconds: u64,
    },
    /// More requests of a tenant at a time than wait for their turn.
    TooManyAtOnce,
    /// More tokens that are not valid than are looked at.
    BadTokens {
        /// How long to wait.
        seconds: u64,
    },
    /// What came was refused before it was read as a request.
    Refused(Refusal),
    /// A use case refused or failed.
    Provider(ProviderError),
    /// A definition was refused.
    Schemas(SchemaError),
    /// Something failed in here that the log knows.
    Internal,
}

impl From<ProviderError> for Rejection {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}

impl From<ScimError> for Rejection {
    fn from(error: ScimError) -> Self {
        Self::Provider(ProviderError::Scim(error))
    }
}

impl From<StoreError> for Rejection {
    fn from(error: StoreError) -> Self {
        Self::Provider(ProviderError::Store(error))
    }
}

impl From<SchemaError> for Rejection {
    fn from(error: SchemaError) -> Self {
        match error {
            SchemaError::Store(error) => error.into(),
            SchemaError::Wrong(_) | SchemaError::InTheWay(_) | SchemaError::Changed => Self::Schemas(error),
        }
    }
}

impl From<AuthError> for Rejection {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Invalid | AuthError::Expired => Self::BadToken,
            AuthError::Suspended => Self::Suspended,
            AuthError::OtherScope { needed, .. } => Self::OtherScope { needed },
            AuthError::SchemasChanged => Self::SchemasChanged,
            AuthError::SchemasNotAtHand => Self::SchemasNotAtHand,
            AuthError::Store(error) => error.into(),
        }
    }
}

impl Rejection {
    /// Status and keyword.
    fn status(&self) -> (StatusCode, Option<ScimType>) {
        match self {
            Self::NoToken | Self::BadToken => (StatusCode::UNAUTHORIZED, None),
            Self::InClear | Self::Suspended | Self::OtherScope { .. } | Self::DiscoveryFilter => {
                (StatusCode::FORBIDDEN, None)
            }
            Self::NoSuchAddress => (StatusCode::NOT_FOUND, None),
            Self::NoSuchMethod => (StatusCode::METHOD_NOT_ALLOWED, None),
            Self::MediaType | Self::ContentEncoding => (StatusCode::UNSUPPORTED_MEDIA_TYPE, None),
            Self::TooLarge | Self::DefinitionTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, None),
            Self::BodyTooSlow => (StatusCode::REQUEST_TIMEOUT, None),
            Self::BodyBroken => (StatusCode::BAD_REQUEST, None),
            Self::TooSlow | Self::SchemasChanged | Self::SchemasNotAtHand => (StatusCode::SERVICE_UNAVAILABLE, None),
            Self::TooMany { .. } | Self::TooManyAtOnce | Self::BadTokens { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, None)
            }
            Self::NotAtVersion => (StatusCode::PRECONDITION_FAILED, None),
            Self::Refused(refusal) => (refusal.status(), None),
            Self::Provider(error) => provider_status(error),
            Self::Schemas(error) => schema_status(error),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, None),
        }
    }

    /// What the client is told.
    fn detail(&self) -> String {
        match self {
            Self::NoToken => "a bearer token is needed".into(),
            Self::BadToken => "the bearer token is not valid here".into(),
            Self::InClear => crate::in_clear::TOLD.into(),
            Self::Suspended => "the tenant is suspended".into(),
            Self::OtherScope { needed } => {
                format!("this token is for something else; ask for one of the scope {needed}")
            }
            Self::NoSuchAddress => "nothing is at this address".into(),
            Self::NoSuchMethod => "this address does not have that method".into(),
            Self::DiscoveryFilter => "discovery endpoints have no filters".into(),
            Self::MediaType => "the body must be application/scim+json or application/json, in UTF-8".into(),
            Self::ContentEncoding => "the body must not be compressed".into(),
            Self::TooLarge => {
                format!("the body exceeds maxPayloadSize: it has at most {} bytes", super::BODY_BYTES_MAX)
            }
            Self::DefinitionTooLarge => {
                format!("a document of schemas has at most {SCHEMA_BYTES_MAX} bytes; leave something out")
            }
            Self::BodyTooSlow => "the body did not arrive in time".into(),
            Self::BodyBroken => "the body broke off".into(),
            Self::TooSlow => "the server is busy; try again".into(),
            Self::SchemasChanged | Self::SchemasNotAtHand => {
                "the tenant's schemas were changed meanwhile; send the request again".into()
            }
            Self::TooMany { .. } => "too many requests; wait for as long as Retry-After says".into(),
            Self::TooManyAtOnce => "too many requests of this tenant wait for their turn; try again".into(),
            Self::BadTokens { .. } => {
                "the bearer token is not valid here, and too many were not; wait for as long as Retry-After says".into()
            }
            Self::NotAtVersion => "the resource is at another version than If-Match names; get it anew".into(),
            Self::Refused(refusal) => refusal.detail().into(),
            Self::Provider(ProviderError::Scim(error)) => error.detail.clone(),
            Self::Provider(ProviderError::Store(error)) | Self::Schemas(SchemaError::Store(error)) => {
                store_answer(error).1.into()
            }
            Self::Provider(error) => error.to_string(),
            Self::Schemas(error) => error.to_string(),
            Self::Internal => "internal error".into(),
        }
    }

    /// The body of the error.
    pub(crate) fn body(&self) -> ErrorBody {
        let (status, scim_type) = self.status();
        let mut body = ErrorBody::new(status.as_u16(), self.detail());
        body.scim_type = scim_type.map(|word| word.as_str().to_owned());
        body
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::NoToken => Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"SCIM\""))),
            Self::BadToken => Some((
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"SCIM\", error=\"invalid_token\""),
            )),
            // RFC 6750 §3.1: the scope is what is missing.
            Self::Provider(ProviderError::ReadOnly) => Some((
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"SCIM\", error=\"insufficient_scope\", scope=\"read write\""),
            )),
            Self::OtherScope { needed } => {
                let challenge = format!("Bearer realm=\"SCIM\", error=\"insufficient_scope\", scope=\"{needed}\"");
                Some((header::WWW_AUTHENTICATE, HeaderValue::try_from(challenge).ok()?))
            }
            Self::TooSlow | Self::SchemasChanged | Self::SchemasNotAtHand => {
                Some((header::RETRY_AFTER, HeaderValue::from_static("5")))
            }
            Self::Provider(ProviderError::Store(error)) if may_pass(error) => {
                Some((header::RETRY_AFTER, HeaderValue::from_static("5")))
            }
            Self::TooMany { seconds } | Self::BadTokens { seconds } => {
                Some((header::RETRY_AFTER, HeaderValue::from(*seconds)))
            }
            Self::ContentEncoding => Some((header::ACCEPT_ENCODING, ACCEPTED_CODINGS)),
            Self::TooManyAtOnce => Some((header::RETRY_AFTER, HeaderValue::from_static("1"))),
            // What is left of the body is not read, so nothing can follow it.
            Self::TooLarge | Self::DefinitionTooLarge | Self::BodyTooSlow | Self::BodyBroken => {
                Some((header::CONNECTION, HeaderValue::from_static("close")))
            }
            _ => None,
        }
    }
}

fn provider_status(error: &ProviderError) -> (StatusCode, Option<ScimType>) {
    match error {
        ProviderError::Scim(error) => (scim_status(error.scim_type), Some(error.scim_type)),
        ProviderError::NotFound { .. } => (StatusCode::NOT_FOUND, None),
        ProviderError::NotUnique { .. } => (StatusCode::CONFLICT, Some(ScimType::Uniqueness)),
        ProviderError::VersionMismatch { .. } => (StatusCode::PRECONDITION_FAILED, None),
        ProviderError::NotImplemented(_) => (StatusCode::NOT_IMPLEMENTED, None),
        ProviderError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, None),
        ProviderError::Conflict(_) => (StatusCode::CONFLICT, None),
        ProviderError::ReadOnly | ProviderError::Quota { .. } => (StatusCode::FORBIDDEN, None),
        ProviderError::Store(error) => (store_answer(error).0, None),
    }
}

const fn schema_status(error: &SchemaError) -> (StatusCode, Option<ScimType>) {
    match error {
        SchemaError::Wrong(_) => (StatusCode::BAD_REQUEST, Some(ScimType::InvalidValue)),
        SchemaError::InTheWay(_) => (StatusCode::CONFLICT, None),
        SchemaError::Changed => (StatusCode::PRECONDITION_FAILED, None),
        SchemaError::Store(error) => (store_answer(error).0, None),
    }
}

fn scim_status(scim_type: ScimType) -> StatusCode {
    StatusCode::from_u16(scim_type.status()).expect("the statuses of the protocol are those of HTTP")
}

/// Status, and what the client is told.
const fn store_answer(error: &StoreError) -> (StatusCode, &'static str) {
    match error {
        StoreError::Busy | StoreError::GaveUp | StoreError::Unavailable(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, "the server is busy; try again")
        }
        StoreError::Full => (StatusCode::INSUFFICIENT_STORAGE, "the server has no space left"),
        StoreError::NotUnique(_)
        | StoreError::NotOffered(_)
        | StoreError::Foreign { .. }
        | StoreError::Newer { .. }
        | StoreError::Damaged(_)
        | StoreError::FeedTrimmed { .. }
        | StoreError::Decode(_)
        | StoreError::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response<Body> {
        if let Self::Provider(ProviderError::Store(error)) = &self {
            tracing::error!("A request failed in the store: {error}");
        }
        let text = serde_json::to_string(&self.body()).expect("a struct of texts is JSON");
        let mut answer = answer::json(self.status().0, text);
        if matches!(self, Self::BadToken) {
            answer.extensions_mut().insert(IsBadToken);
        }
        if matches!(self, Self::InClear) {
            answer.extensions_mut().insert(IsExposed);
        }
        if let Some((name, value)) = self.header() {
            answer.headers_mut().insert(name, value);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_apart_from_what_failed() {
        for (error, status, retry_after, detail) in [
            (StoreError::Busy, 503, true, "the server is busy; try again"),
            (StoreError::GaveUp, 503, true, "the server is busy; try again"),
            (StoreError::Unavailable("too many connections".to_owned()), 503, true, "the server is busy; try again"),
            (StoreError::Full, 507, false, "the server has no space left"),
            (StoreError::Internal("no such table".to_owned()), 500, false, "internal error"),
        ] {
            let shown = error.to_string();
            let rejection = Rejection::from(error);
            assert_eq!(rejection.detail(), detail, "{shown}");
            let answer = rejection.into_response();
            let told = (answer.status().as_u16(), answer.headers().contains_key(header::RETRY_AFTER));
            assert_eq!(told, (status, retry_after), "{shown}");
        }
    }
}
