//! The provisioning service: gallery, jobs, the plan of what to do about each object (pure), cycles, links, provisioning
//! logs and the SCIM client. It reads the directory and reaches applications over HTTP only.
//!
//! What a cycle decides is in [`plan`], what it sends in [`dialect`]; `cycle` carries it out. What an administrator tries
//! out is in [`trial`].

pub mod configuration;
mod cycle;
pub mod dialect;
mod discovery;
mod engine;
pub mod gallery;
mod job;
mod late_departure;
mod lock;
mod mapping_versions;
pub mod object_plan;
mod outlook;
pub mod plan;
mod redaction;
pub mod scope;
mod secret;
mod settings;
mod source;
pub mod surroundings;
pub mod target;
mod target_path;
pub mod trial;
mod validation;
mod view;

pub use cycle::{
    Availability, CycleReport, Departure, Fate, MappingTrial, MappingTrialOf, OnDemandReport, PlanSink, Predicted,
    Progress, ProgressFn, ScopeLoss, ScopeTrial, ScopeTrialOf, Scoped, SourceObject,
};
pub use discovery::{Added, DISCOVERED_MAX, Discovered, Discovery, Origin};
pub use engine::{Connect, Engine, EngineParts, Random};
pub use gallery::{Dialect, Template};
pub use job::{JobChange, JobError, NewJob, leaves_out_default_access};
pub use mapping_versions::{MappingVersion, SchemaBase, VersionPage, VersionView};
pub use outlook::Outlook;
pub use redaction::REDACTED;
pub use scope::ScopeSetting;
pub use secret::{CannotDecrypt, MasterKey};
pub use settings::{BadSettings, JobSettings, JobStatus};
pub use source::{unknown_attribute, why_unusable};
pub use target::{ConnectionProblem, OutboundPolicy, TenantUrl, Trust};
pub use target_path::{BadTarget, TargetPath};
pub use validation::why_failed;
pub use view::{CycleView, JobView, LogFilter, LogPage, LogView, ObjectCounts};
