//! Attacks on bodies, schemas, paths, unique names and the walls between tenants, each under the number of its case.
//!
//! A case is a row of the project's list of attacks (`SJ-08`); `cases` checks that every one in its list is borne by a test. Each row
//! stands for a rule, so its neighbours are tried beside it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so do the functions it is told with")]

mod bodies;
mod cases;
mod encodings;
mod forms;
mod log;
mod paths;
mod races;
mod schemas;
mod send;
mod tenants;
mod twice;
mod unique;
mod values;
#[expect(dead_code, reason = "the stories of the SCIM API use the rest")]
#[path = "../scim/world.rs"]
mod world;
