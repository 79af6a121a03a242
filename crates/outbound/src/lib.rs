//! What goes out over HTTP: the check of every address that is dialled, the certificate authorities that are trusted, a client that
//! follows no redirect and uses no proxy of the environment, and why an exchange failed, in words that help.
//!
//! Who is called, and what is said, is decided by those who use it.

mod address;
mod cause;
mod client;
mod dial;
mod trust;
mod wait;

pub use address::{BadAddress, WebAddress};
pub use cause::{Called, root_cause};
pub use client::{Client, Posted, client, fetch, post};
pub use dial::{CONNECT_TIMEOUT, DialError, Dialler, OutboundPolicy, look_up};
pub use trust::Trust;
pub use wait::seconds_from;
