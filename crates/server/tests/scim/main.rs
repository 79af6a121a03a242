//! Stories of the SCIM API, told through the router on every database there is.

mod access;
mod discovery;
mod groups;
mod lists;
mod malformed;
mod profiles;
mod races;
mod users;
mod versions;
mod world;
