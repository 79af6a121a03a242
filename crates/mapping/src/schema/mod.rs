//! The synchronization schema: what the attributes of a target are, and Microsoft Graph's JSON form of a job's mappings.

mod definition;
mod definitions;
mod difference;
pub mod document;
mod finding;
mod read;
mod source;
mod standard;
mod write;

pub use definition::{AttributeDefinition, AttributeType, Mutability, ReferencedObject};
pub use difference::{Change, ChangeKind, Difference, Part, PropertyChange};
pub use document::{Document, DocumentError};
pub use finding::{Finding, Severity};
pub use read::{Imported, Refusal, read, read_for};
pub use standard::is_standard;
pub use write::{Exported, Names, SOURCE_DIRECTORY, TARGET_DIRECTORY, write, write_for};
