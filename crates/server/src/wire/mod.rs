//! What is between a socket and the HTTP library: which requests reach it, in which form, and how long a client may take.

mod head;
mod refusal;
mod requests;
mod stream;

pub(crate) use head::HeadLimits;
pub(crate) use refusal::Refusal;
pub(crate) use stream::{Pace, Stream};
