//! The synchronization schema: what the attributes of a target are, and Microsoft Graph's JSON form of a job's mappings.

mod definition;
mod difference;
#[expect(dead_code, reason = "made by reading and writing, which come next")]
mod finding;

pub use definition::{AttributeDefinition, AttributeType, Mutability, ReferencedObject};
pub use difference::{Change, ChangeKind, Difference, Part, PropertyChange};
pub use finding::{Finding, Severity};
