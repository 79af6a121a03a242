//! The synchronization schema: what the attributes of a target are, and Microsoft Graph's JSON form of a job's mappings.

mod definition;

pub use definition::{AttributeDefinition, AttributeType, Mutability, ReferencedObject};
