//! What clients in the field send, habit by habit: each line of a flow is named after the habit it shows.
//!
//! A flow is a table beside its test (`*.jsonl`), told in order to one tenant on every database there is; `flow` says how one is
//! written. What the habits have in common with the RFCs is told in the stories of the SCIM API.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so do the functions it is told with")]

mod compatibility;
mod discovery;
mod entra;
mod flow;
mod gallery;
mod okta;
mod others;
mod postman;
mod validator;
#[expect(dead_code, reason = "the stories of the SCIM API use the rest")]
#[path = "../scim/world.rs"]
mod world;
