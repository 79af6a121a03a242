//! Carries out cycles: initial and incremental ones, previews of them, and single objects on demand.
//!
//! What to do about an object is decided in [`crate::plan`]; here it is done, in an order that survives being killed at any
//! point. An intent is committed before a create is sent; a link, its log record and what it sets free are committed
//! together after the answer; the watermark moves when every object before it is done or in escrow.

mod ahead;
mod context;
mod deletions;
mod demand;
mod evaluate;
mod farewell;
mod group_members;
mod later;
mod lease;
mod look;
mod managers;
mod note;
mod preview;
mod preview_run;
mod reach;
mod reassigned;
mod record;
mod recorder;
mod references;
mod report;
mod retries;
mod run;
mod scope_loss;
mod subject;
mod takeover;
mod try_departure;
mod try_mappings;
mod try_scope;
mod unique;
mod work;
mod write;

pub use demand::OnDemandReport;
pub use preview::{PlanSink, Predicted};
pub(crate) use reassigned::Reassigned;
pub use report::{CycleReport, Progress, ProgressFn};
pub use scope_loss::{Fate, ScopeLoss};
pub use try_departure::Departure;
pub use try_mappings::{Availability, MappingTrial, MappingTrialOf, SourceObject};
pub use try_scope::{ScopeTrial, ScopeTrialOf, Scoped};
