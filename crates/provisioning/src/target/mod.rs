//! The target of a job, as seen over HTTP: addresses, the transport, and the SCIM client.

mod client;
mod failure;
mod http;
mod pace;
mod probe;
mod tenant_url;
mod transport;

pub use client::{CallError, Created, Patched, Target, TargetFacts, resource_id};
pub(crate) use failure::{CUT, TOO_MANY_REQUESTS};
pub use failure::{ConnectionProblem, failure_of_status};
pub use http::{HttpTransport, RESPONSE_BYTES_MAX};
pub use outbound::{OutboundPolicy, Trust};
pub use probe::{Untold, discover, test_connection};
pub use tenant_url::{BadTenantUrl, TenantUrl};
pub use transport::{Method, Request, Response, SendError, Sending, Transport};
