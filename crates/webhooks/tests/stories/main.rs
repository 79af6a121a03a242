//! Stories of webhooks, against a receiver that really listens and on a clock that the story turns.

mod receiver;
mod sending;
mod world;
