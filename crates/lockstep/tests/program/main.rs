//! Stories of the whole program: the real binary in processes of its own, over real HTTP, on both databases where
//! `LOCKSTEP_TEST_POSTGRES` names a PostgreSQL server.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so do the functions it is told with")]

mod admins;
mod bad_files;
mod bulk;
mod configuring;
mod credentials;
mod demo;
mod directory;
mod discovering;
mod documents;
mod events;
mod every_problem;
mod installation;
mod provisioning;
mod refusals;
mod schemas;
mod serving;
mod setting;
mod stopping;
mod targets;
mod tenants;
mod traces;
mod trying;
mod warning;
