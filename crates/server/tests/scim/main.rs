//! Stories of the SCIM API, told through the router on every database there is.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so do the functions it is told with")]

mod access;
mod cursors;
mod discovery;
mod filters;
mod groups;
mod lists;
mod malformed;
mod profiles;
mod races;
mod searching;
mod sorting;
mod users;
mod versions;
mod walks;
mod wire;
mod world;
