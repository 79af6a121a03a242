//! Stories of the SCIM API, told through the router on every database there is.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so do the functions it is told with")]

mod access;
mod bulk;
mod credentials;
mod custom_types;
mod custom_values;
mod discovery;
mod federation;
mod groups;
mod groups_at_size;
mod lists;
mod malformed;
mod methods;
mod oauth;
mod patching;
mod profiles;
mod races;
mod users;
mod versions;
mod wire;
mod world;
