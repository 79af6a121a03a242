//! Stories of webhooks, against a receiver that really listens and on a clock that the story turns.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so do the functions it is told with")]

mod receiver;
mod sending;
mod world;
