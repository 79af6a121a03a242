//! The provisioning service: gallery, jobs, the plan of what to do about each object (pure), cycles, links, provisioning
//! logs and the SCIM client. It reads the directory and reaches applications over HTTP only.
//!
//! What a cycle decides is in [`plan`], what it sends in [`dialect`]; `cycle` carries it out.

pub mod configuration;
mod cycle;
pub mod dialect;
mod engine;
pub mod gallery;
mod job;
mod lock;
mod mapping_versions;
pub mod object_plan;
pub mod plan;
mod redaction;
pub mod scope;
mod secret;
mod settings;
mod source;
pub mod target;
mod target_path;
mod view;

pub use cycle::{CycleReport, OnDemandReport, PlanSink, Predicted, Progress, ProgressFn};
pub use engine::{Connect, Engine, EngineParts, Random};
pub use gallery::{Dialect, Template};
pub use job::{JobChange, JobError, NewJob, leaves_out_default_access};
pub use mapping_versions::{MappingVersion, SchemaBase, VersionPage, VersionView};
pub use scope::ScopeSetting;
pub use secret::{CannotDecrypt, MasterKey};
pub use settings::{BadSettings, JobSettings, JobStatus};
pub use target::{ConnectionProblem, Discovered, OutboundPolicy, TenantUrl, Trust};
pub use target_path::{BadTarget, TargetPath};
pub use view::{CycleView, JobView, LogFilter, LogPage, LogView, ObjectCounts};
