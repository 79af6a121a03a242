//! Sending one request and getting one answer: the seam at which tests put a target of their own.

use std::future::Future;
use std::pin::Pin;

use bytes::Bytes;

/// The methods the client uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Updates.
    Patch,
    /// Deletes.
    Delete,
}

impl Method {
    /// The method as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request below the Tenant URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Path and query, beginning with `/`, encoded.
    pub path: String,
    /// The JSON body.
    pub body: Option<Bytes>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The header `Retry-After`, in seconds from now; a wait that is not understood counts as none.
    pub retry_after: Option<u64>,
    /// The header `Content-Type`.
    pub content_type: Option<String>,
    /// The body, never longer than [`super::RESPONSE_BYTES_MAX`].
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The request was not sent: the target cannot have acted on it.
    NotSent(String),
    /// The request was or may have been sent: the target may have acted on it.
    Unknown(String),
}

/// A request under way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response, SendError>> + Send + 'a>>;

/// Something that can carry requests to a target.
pub trait Transport: Send + Sync {
    /// Sends one request, once.
    fn send(&self, request: Request) -> Sending<'_>;
}
