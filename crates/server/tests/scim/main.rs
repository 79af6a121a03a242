//! Stories of the SCIM API, told through the router on every database there is.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so do the functions it is told with")]

mod access;
mod addresses;
mod blank_keys;
mod bulk;
mod credentials;
mod cursors;
mod custom_lists;
mod custom_types;
mod custom_values;
mod deletions;
mod discovery;
mod events;
mod federation;
mod filter_grammar;
mod filters;
mod filters_of_memberships;
mod groups;
mod groups_at_size;
mod groups_in_lists;
mod late_bodies;
mod lists;
mod malformed;
mod methods;
mod oauth;
mod patching;
mod profiles;
mod races;
mod schema_api;
mod searching;
mod sorting;
mod users;
mod versions;
mod walks;
mod wire;
mod world;
