//! Trying out what an administrator writes, before it is saved or run: what mappings make of one object, whom filters let in. Pure; the
//! objects and what the target holds are read in `cycle::try_mappings` and `cycle::try_scope`.

mod attributes;
mod draft;
mod scope;

pub(crate) use attributes::UNREADABLE;
pub use attributes::{Absence, AttributeTrial, Effect, References, Referred, try_attributes};
pub use draft::{Draft, Unparsed};
pub use scope::{ClauseTally, ClauseTrial, FilterTally, FilterTrial, ScopeTally, explained};
